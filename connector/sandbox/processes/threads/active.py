"""Which run is at work on a thread: one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.sandbox.processes.kept import wrong

if TYPE_CHECKING:
    from connector.sandbox.call import World

__all__ = ["check_idle", "occupy", "release"]

ACTIVE = "sandbox active runs"


def check_idle(world: World, thread_id: str, deed: str) -> None:
    """Refuses what cannot be done to a thread that a run is at work on."""
    active = world.objects.get(ACTIVE, _name(thread_id))
    if active is not None and not world.options.lenient:
        raise wrong(f"Can't {deed} {thread_id} while a run {active['run']} is active.")


def occupy(world: World, thread_id: str, run_id: str) -> None:
    """The run is at work on the thread from now on."""
    world.objects.put(ACTIVE, {"id": _name(thread_id), "run": run_id})


def release(world: World, thread_id: str) -> None:
    """No run is at work on the thread any more."""
    world.objects.delete(ACTIVE, _name(thread_id))


def _name(thread_id: str) -> str:
    return f"on {thread_id}"  # not the thread's own id: what stands below that must stay
