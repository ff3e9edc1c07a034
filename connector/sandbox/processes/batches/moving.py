"""How a batch goes on: checked, run line by line, its files written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connector.documents import dump
from connector.model import JSON
from connector.sandbox.processes.batches.lines import errors_in, lines_of, read
from connector.sandbox.processes.batches.running import not_run, ran, succeeded
from connector.sandbox.processes.batches.usage import added_up
from connector.sandbox.processes.files.stored import keep_file

if TYPE_CHECKING:
    from connector.sandbox.call import World
    from connector.sandbox.processes.timetable import Entry

__all__ = ["BATCHES", "DAY", "KEPT", "move"]

BATCHES = "batches"
KEPT = "sandbox batches"
"""Beside a batch: how far it is; its lines' outcomes stand below it."""
OUTCOMES = "sandbox batch outcomes"
DAY = 86400
TOGETHER = 100
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
    errors = [_lost(batch)] if data is None else errors_in(data, batch["endpoint"])
    if data is None or errors:
        batch |= {"status": "failed", "failed_at": int(world.now()), "errors": {"object": "list", "data": errors}}
        _ended(world, batch, kept)
        return None
    world.keep_content(f"{batch['id']}/input", data)  # the file may be deleted while the batch runs
    lines = lines_of(data)
    kept |= {"total": len(lines), "begun": kept["created"] + world.options.pace}
    batch |= {"status": "in_progress", "in_progress_at": int(kept["begun"])}
    batch["request_counts"] = {"total": len(lines), "completed": 0, "failed": 0}
    if model := read(lines[0]).body.get("model"):
        batch["model"] = model
    return _kept(world, batch, kept, _due(world, kept))


async def _run(world: World, batch: Batch, kept: Batch) -> float | None:
    """Runs the lines that are due, a few at a time: a batch spreads its lines over one state's length."""
    lines: Sequence[bytes] = lines_of(world.content(f"{batch['id']}/input"))
    for _ in range(TOGETHER):
        due = _due(world, kept)
        if kept["next"] == kept["total"] or due > min(world.now(), batch["expires_at"]):
            break
        with world.apart(f"{batch['id']}/{kept['next']}"):
            outcome = await ran(world, read(lines[int(kept["next"])]))
        _keep(world, batch, kept, outcome)
        await asyncio.sleep(0)
    if kept["next"] < kept["total"] and _due(world, kept) > batch["expires_at"] <= world.now():
        _give_up(world, batch, kept, lines, "batch_expired")
        batch |= {"status": "expired", "expired_at": batch["expires_at"]}
        _ended(world, batch, kept)
        return None
    if kept["next"] == kept["total"]:
        kept["finalizing"] = kept["begun"] + world.options.pace
        batch |= {"status": "finalizing", "finalizing_at": int(kept["finalizing"])}
        return _kept(world, batch, kept, kept["finalizing"] + world.options.pace)
    return _kept(world, batch, kept, min(_due(world, kept), batch["expires_at"]))


async def _finish(world: World, batch: Batch, kept: Batch) -> float | None:
    batch |= {"status": "completed", "completed_at": int(kept["finalizing"] + world.options.pace)}
    _ended(world, batch, kept)
    return None


async def _cancel(world: World, batch: Batch, kept: Batch) -> float | None:
    if "total" in kept:
        _give_up(world, batch, kept, lines_of(world.content(f"{batch['id']}/input")), "batch_cancelled")
    batch |= {"status": "cancelled", "cancelled_at": int(world.now())}
    _ended(world, batch, kept)
    return None


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


def _keep(world: World, batch: Batch, kept: Batch, outcome: Mapping[str, JSON]) -> None:
    """A line has been run. Kept at once: after a restart it is not run again."""
    world.objects.put(OUTCOMES, {"id": str(kept["next"]), "outcome": outcome}, batch["id"])
    kept["next"] += 1
    batch["request_counts"]["completed" if succeeded(outcome) else "failed"] += 1
    _kept(world, batch, kept, 0)


def _give_up(world: World, batch: Batch, kept: Batch, lines: Sequence[bytes], code: str) -> None:
    """The lines that are left are not run; the error file says why."""
    for place in range(kept["next"], kept["total"]):
        outcome = not_run(world, read(lines[place]), code)
        world.objects.put(OUTCOMES, {"id": str(place), "outcome": outcome}, batch["id"])


def _ended(world: World, batch: Batch, kept: Batch) -> None:
    """The batch in its last state, with the files of what was done."""
    outcomes = [row["outcome"] for row in world.objects.all(OUTCOMES, batch["id"])]
    for name, good in (("output", True), ("error", False)):
        if lines := [dump(outcome) for outcome in outcomes if succeeded(outcome) is good]:
            filename, data = f"{batch['id']}_{name}.jsonl", b"".join(line + b"\n" for line in lines)
            file = keep_file(world, filename, "batch_output", data, seconds=kept["seconds"])
            batch[f"{name}_file_id"] = file["id"]
    if outcomes:
        batch["usage"] = added_up(outcome["response"]["body"] for outcome in outcomes if outcome["response"])
    world.objects.put(BATCHES, batch)
    world.objects.delete(KEPT, batch["id"])  # with the outcomes below it
    world.drop_content(f"{batch['id']}/input")
    world.tell(f"batch.{batch['status']}", {"id": batch["id"]})


def _lost(batch: Batch) -> dict[str, JSON]:
    message = f"The input file '{batch['input_file_id']}' is not there any more."
    return {"code": "file_not_found", "message": message, "line": None, "param": "input_file_id"}
