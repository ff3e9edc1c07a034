"""What is done to a connector by clocks, by the API, and by those who rename things between a kill and the next run."""

from __future__ import annotations

from tests.crash.bench import Bench
from tests.crash.upstream import MOMENTS

__all__ = [
    "OFFSETS", "broken_after_the_effect", "clients_renamed", "clocks_jump", "clocks_jump_within", "effects_come_late",
    "killed_before_anything", "lists_spoilt",
]  # fmt: skip

YEARS = 10 * 365 * 86_400.0
OFFSETS = tuple(sign * seconds for seconds in (61.0, 3600.0, 86_400.0, YEARS) for sign in (1, -1))
SOME = 3
"""Documents for every route, before every crash."""


def clocks_jump(bench: Bench, times: int) -> None:
    """Every process has another time, and the API yet another."""
    for n in range(4 * times):
        bench.offer(SOME)
        bench.behave(offset=OFFSETS[n % 8])
        bench.crash(
            MOMENTS[1], 1 + n, of=("POST /files", "POST /vector_stores")[n % 2], clocks=[OFFSETS[(5 * n + 3) % 8]]
        )
        bench.later["clocks"] = [OFFSETS[(3 * n + 1) % 8]]


def clocks_jump_within(bench: Bench, times: int) -> None:
    """The time goes forward and back while a process runs."""
    for n in range(3 * times):
        bench.offer(SOME)
        clocks = [OFFSETS[(3 * n + k) % 8] for k in range(4)]
        bench.crash(MOMENTS[1], 2 + n, of=("POST /files", "POST /vector_stores")[n % 2], clocks=clocks)
        bench.later["clocks"] = clocks[::-1]


def effects_come_late(bench: Bench, times: int) -> None:
    """What a process asked for takes effect when the next one has looked for it already."""
    for n in range(2 * times):
        bench.offer(2 * SOME)
        bench.behave(late=2.6)
        bench.crash("upstream.asked", 2, of=("POST /files", "POST /vector_stores")[n % 2])
        bench.behave()


def lists_spoilt(bench: Bench, times: int) -> None:
    bench.behave(spoilt=0.7)
    for n in range(3 * times):
        bench.offer(2 * SOME)
        bench.crash("upstream.effect", 2 + n, of=("POST /files", "POST /vector_stores")[n % 2])


def clients_renamed(bench: Bench, times: int) -> None:
    """What was asked through a client that is not there any more."""
    for n in range(2 * times):
        bench.offer(SOME)
        bench.crash("upstream.effect", 2 + n, of=("POST /files", "POST /vector_stores")[n % 2])
        bench.configured(f"client-{n}")


def broken_after_the_effect(bench: Bench, times: int) -> None:
    bench.behave(broken=0.4)
    for n in range(2 * times):
        bench.offer(2 * SOME)
        bench.crash("upstream.effect", 3 + 2 * n)


def killed_before_anything(bench: Bench, times: int) -> None:
    """More often than there are attempts: none of them is used up."""
    bench.configured("openai", attempts=3)
    bench.offer(SOME)
    for _ in range(6 * times):
        bench.crash("delivery.intent.before" if bench.engine.startswith("sqlite") else "worker.leased", 1)
