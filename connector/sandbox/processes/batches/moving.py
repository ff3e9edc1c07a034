"""How a batch goes on: checked, run line by line, its files written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.processes.batches.lines import errors_in, lines_of
from connector.sandbox.processes.batches.outcomes import give_up, keep_lines, keep_outcome, line_at, write
from connector.sandbox.processes.batches.running import ran, succeeded

if TYPE_CHECKING:
    from connector.sandbox.call import World
    from connector.sandbox.processes.timetable import Entry

__all__ = ["BATCHES", "DAY", "KEPT", "move"]

BATCHES = "batches"
KEPT = "sandbox batches"
"""Beside a batch: how far it is; its lines and what they came to stand below it."""
DAY = 86400
TOGETHER = 50
"""Lines that are run before others have a look at the clock."""
Batch = dict[str, Any]


async def move(world: World, entry: Entry) -> float | None:
    """One step of a batch; when the next one is due."""
    batch, kept = world.objects.get(BATCHES, entry.id), world.objects.get(KEPT, entry.id)
    if batch is None or kept is None:
        return None
    return await STEPS[batch["status"]](world, batch, kept)


async def _validate(world: World, batch: Batch, kept: Batch) -> float | None:
    data = world.objects.content(batch["input_file_id"])
    errors = [_lost(batch)] if data is None else await asyncio.to_thread(errors_in, data, batch["endpoint"])
    if data is None or errors:
        batch |= {"failed_at": int(world.now()), "errors": {"object": "list", "data": errors}}
        return await _ended(world, batch, kept, "failed")
    lines = lines_of(data)
    await keep_lines(world, batch["id"], lines)
    kept |= {"total": len(lines), "begun": kept["created"] + world.options.pace}
    batch |= {"status": "in_progress", "in_progress_at": int(kept["begun"])}
    batch["request_counts"] = {"total": len(lines), "completed": 0, "failed": 0}
    if model := line_at(world, batch["id"], 0).body.get("model"):
        batch["model"] = model
    return _kept(world, batch, kept, _due(world, kept))


async def _run(world: World, batch: Batch, kept: Batch) -> float | None:
    """Runs the lines that are due, a few at a time: a batch spreads its lines over one state's length."""
    last = min(world.now(), batch["expires_at"])
    for _ in range(TOGETHER):
        if kept["next"] == kept["total"] or _due(world, kept) > last:
            break
        await _run_next(world, batch, kept)
        await asyncio.sleep(0)
    if kept["next"] == kept["total"]:
        kept["finalizing"] = kept["begun"] + world.options.pace
        batch |= {"status": "finalizing", "finalizing_at": int(kept["finalizing"])}
        return _kept(world, batch, kept, kept["finalizing"] + world.options.pace)
    if _due(world, kept) > batch["expires_at"] <= world.now():
        batch["expired_at"] = batch["expires_at"]
        return await _ended(world, batch, kept, "expired")
    return _kept(world, batch, kept, min(_due(world, kept), batch["expires_at"]))


async def _run_next(world: World, batch: Batch, kept: Batch) -> None:
    """Runs a line, and keeps what it came to at once: after a restart it is not run again."""
    place = kept["next"]
    with world.apart(f"{batch['id']}/{place}"):
        outcome = await ran(world, line_at(world, batch["id"], place))
    keep_outcome(world, batch["id"], place, outcome)
    kept["next"] += 1
    batch["request_counts"]["completed" if succeeded(outcome) else "failed"] += 1
    _kept(world, batch, kept, 0)


async def _finish(world: World, batch: Batch, kept: Batch) -> float | None:
    batch["completed_at"] = int(kept["finalizing"] + world.options.pace)
    return await _ended(world, batch, kept, "completed")


async def _cancel(world: World, batch: Batch, kept: Batch) -> float | None:
    batch["cancelled_at"] = int(world.now())
    return await _ended(world, batch, kept, "cancelled")


STEPS: Mapping[str, Callable[[World, Batch, Batch], Awaitable[float | None]]] = {
    "validating": _validate,
    "in_progress": _run,
    "finalizing": _finish,
    "cancelling": _cancel,
}


def _due(world: World, kept: Batch) -> float:
    """When the next line is due."""
    return float(kept["begun"] + world.options.pace * (kept["next"] + 1) / kept["total"])


def _kept(world: World, batch: Batch, kept: Batch, due: float) -> float:
    world.objects.put(KEPT, kept)
    world.objects.put(BATCHES, batch)
    return due


async def _ended(world: World, batch: Batch, kept: Batch, status: str) -> float | None:
    """The batch in its last state, with the files of what was done; nothing follows."""
    await give_up(world, batch, kept["next"], kept.get("total", 0), f"batch_{status}")
    await write(world, batch, kept["seconds"])
    batch["status"] = status
    world.objects.put(BATCHES, batch)
    world.objects.delete(KEPT, batch["id"])  # with the lines below it
    world.tell(f"batch.{status}", {"id": batch["id"]})
    return None


def _lost(batch: Batch) -> dict[str, JSON]:
    message = f"The input file '{batch['input_file_id']}' is not there any more."
    return {"code": "file_not_found", "message": message, "line": None, "param": "input_file_id"}
