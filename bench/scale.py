"""How much is measured: everything, or as much as fits into two minutes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FULL", "QUICK", "Scale"]


@dataclass(frozen=True)
class Scale:
    """The sizes of all parts.

    Args:
        rounds: how often each peer is measured.
        seconds: of one round of calls.
        in_flight: how many calls are under way together.
        others: milliseconds of other upstreams than the usual one, for the engine.
        starts: how many processes are started for a figure about a start.
        upload: bytes of the file that is uploaded.
        objects: how many objects the sandbox remembers.
        stored: how many tasks are stored, in steps.
        delivered: tasks of a run, for what a look at it costs.
        install: whether peers that have an environment of their own are installed into it.
    """

    rounds: int = 5
    seconds: float = 2.0
    in_flight: tuple[int, ...] = (1, 32, 256)
    others: tuple[int, ...] = (0, 200)
    starts: int = 10
    upload: int = 2 * 1024**3
    objects: int = 1_000_000
    stored: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    delivered: int = 6_000
    install: bool = True


FULL = Scale()
QUICK = Scale(
    rounds=1,
    seconds=0.3,
    in_flight=(32,),
    others=(),
    starts=2,
    upload=256 * 1024**2,
    objects=20_000,
    stored=(1_000, 2_000),
    delivered=500,
    install=False,
)
