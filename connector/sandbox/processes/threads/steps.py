"""The steps of a run: a message written, tools called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connector.sandbox.call import World

__all__ = ["STEPS", "end_step", "keep_step", "message_step", "tool_step"]

STEPS = "thread run steps"


def message_step(world: World, run: Mapping[str, JSON], message_id: str) -> dict[str, Any]:
    """The step in which a message was written."""
    details = {"type": "message_creation", "message_creation": {"message_id": message_id}}
    return _step(world, run, "message_creation", details)


def tool_step(world: World, run: Mapping[str, JSON], calls: Sequence[JSON]) -> dict[str, Any]:
    """The step in which tools were called."""
    return _step(world, run, "tool_calls", {"type": "tool_calls", "tool_calls": list(calls)})


def end_step(world: World, step: dict[str, Any], status: str, usage: JSON = None) -> None:
    """A step is over."""
    moment = {"completed": "completed_at", "cancelled": "cancelled_at", "expired": "expired_at", "failed": "failed_at"}
    step |= {"status": status, moment[status]: int(world.now()), "usage": usage}
    keep_step(world, step)


def keep_step(world: World, step: Mapping[str, Any]) -> None:
    world.objects.put(STEPS, step, f"{step['thread_id']}/{step['run_id']}")


def _step(world: World, run: Mapping[str, JSON], kind: str, details: Mapping[str, JSON]) -> dict[str, Any]:
    made: dict[str, JSON] = {"id": world.new_id("step_"), "object": "thread.run.step", "run_id": run["id"]}
    made |= {"created_at": int(world.now()), "assistant_id": run["assistant_id"], "thread_id": run["thread_id"]}
    made |= {"type": kind, "status": "in_progress", "step_details": dict(details), "metadata": {}, "usage": None}
    made |= {"cancelled_at": None, "completed_at": None, "expired_at": None, "failed_at": None, "last_error": None}
    keep_step(world, made)
    return made
