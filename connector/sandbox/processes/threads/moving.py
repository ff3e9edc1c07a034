"""How a run goes on with time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connector.model import JSON
from connector.sandbox.processes.threads.steps import STEPS, end_step
from connector.sandbox.processes.threads.working import RUNS, begin, end, work

if TYPE_CHECKING:
    from connector.sandbox.call import World
    from connector.sandbox.processes.timetable import Entry

__all__ = ["close_steps", "move"]


async def move(world: World, entry: Entry) -> float | None:
    """One step of a run; when the next one is due. A run that waits for tool outputs expires in the end."""
    run = world.objects.get(RUNS, entry.id, entry.parent)
    if run is None:
        return None
    if run["status"] == "queued":
        begin(world, run)
        return entry.due + world.options.pace
    if run["status"] == "in_progress":
        await work(world, run)
    elif run["status"] == "cancelling":
        close_steps(world, run, "cancelled")
        end(world, run, "cancelled")
    elif run["status"] == "requires_action":
        close_steps(world, run, "expired")
        end(world, run, "expired")
    return float(run["expires_at"]) if run["status"] == "requires_action" else None


def close_steps(world: World, run: Mapping[str, JSON], status: str) -> None:
    """The steps that were under way are over with their run."""
    for step in world.objects.all(STEPS, f"{run['thread_id']}/{run['id']}"):
        if step["status"] == "in_progress":
            end_step(world, step, status)
