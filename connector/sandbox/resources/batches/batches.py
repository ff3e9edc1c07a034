"""Batches: created, cancelled, and run from state to state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from connector.model import JSON, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.bill.payers import Payer, current_payer
from connector.sandbox.messages import Answer, Request
from connector.sandbox.resources.batches.input_file import find_errors, split_lines
from connector.sandbox.resources.batches.outcomes import (
    delete_lines,
    get_line,
    is_success,
    run_line,
    save_lines,
    save_outcome,
    skip_lines,
    write_files,
)
from connector.sandbox.resources.crud import build_list_handler, build_retrieve_handler, conflict, get_body
from connector.sandbox.resources.files.storage import require_file
from connector.sandbox.timers import Timer

__all__ = ["BATCHES", "HANDLERS", "advance_batch"]

BATCHES = "batches"
PROGRESS = "sandbox batches"
"""Not shown by the API: the progress of a batch; its lines and outcomes are stored below it."""
DAY = 86400
LINES_A_TURN = 50
"""Lines that run before other tasks have their turn."""
Batch = dict[str, Any]
CANCELLABLE = ("validating", "in_progress", "finalizing")


async def advance_batch(backend: Backend, timer: Timer) -> float | None:
    """Advance a batch to its next state."""
    batch, progress = backend.objects.get(BATCHES, timer.id), backend.objects.get(PROGRESS, timer.id)
    if batch is None or progress is None:
        return None
    return await STEPS[batch["status"]](backend, batch, progress)


async def _validate(backend: Backend, batch: Batch, progress: Batch) -> float | None:
    data = backend.objects.content(batch["input_file_id"])
    errors = [_file_missing(batch)] if data is None else await find_errors(data, batch["endpoint"])
    if data is None or errors:
        batch |= {"failed_at": int(backend.now()), "errors": {"object": "list", "data": errors}}
        return await _end(backend, batch, progress, "failed")
    lines = split_lines(data)
    await save_lines(backend, batch["id"], lines)
    progress |= {"total": len(lines), "begun": progress["created"] + backend.options.pace}
    batch |= {"status": "in_progress", "in_progress_at": int(progress["begun"])}
    batch["request_counts"] = {"total": len(lines), "completed": 0, "failed": 0}
    if model := get_line(backend, batch["id"], 0).body.get("model"):
        batch["model"] = model
    return _save(backend, batch, progress, _next_due(backend, progress))


async def _run_lines(backend: Backend, batch: Batch, progress: Batch) -> float | None:
    """Run the lines that are due, a few at a time; a batch spreads its lines over one state's length."""
    last = min(backend.now(), batch["expires_at"])
    for _ in range(LINES_A_TURN):
        if progress["next"] == progress["total"] or _next_due(backend, progress) > last:
            break
        await _run_next_line(backend, batch, progress)
        await asyncio.sleep(0)
    if progress["next"] == progress["total"]:
        progress["finalizing"] = progress["begun"] + backend.options.pace
        batch |= {"status": "finalizing", "finalizing_at": int(progress["finalizing"])}
        return _save(backend, batch, progress, progress["finalizing"] + backend.options.pace)
    if _next_due(backend, progress) > batch["expires_at"] <= backend.now():
        batch["expired_at"] = batch["expires_at"]
        return await _end(backend, batch, progress, "expired")
    return _save(backend, batch, progress, min(_next_due(backend, progress), batch["expires_at"]))


async def _run_next_line(backend: Backend, batch: Batch, progress: Batch) -> None:
    """Run a line, and save its outcome at once: after a restart it is not run again."""
    index = progress["next"]
    with backend.ids.separate(f"{batch['id']}/{index}"):
        outcome = await run_line(backend, get_line(backend, batch["id"], index), Payer.of(progress.get("payer")))
    save_outcome(backend, batch["id"], index, outcome)
    progress["next"] += 1
    batch["request_counts"]["completed" if is_success(outcome) else "failed"] += 1
    _save(backend, batch, progress, 0)


async def _complete(backend: Backend, batch: Batch, progress: Batch) -> float | None:
    batch["completed_at"] = int(progress["finalizing"] + backend.options.pace)
    return await _end(backend, batch, progress, "completed")


async def _cancel(backend: Backend, batch: Batch, progress: Batch) -> float | None:
    batch["cancelled_at"] = int(backend.now())
    return await _end(backend, batch, progress, "cancelled")


STEPS: Mapping[str, Callable[[Backend, Batch, Batch], Awaitable[float | None]]] = {
    "validating": _validate,
    "in_progress": _run_lines,
    "finalizing": _complete,
    "cancelling": _cancel,
}


def _next_due(backend: Backend, progress: Batch) -> float:
    """Return when the next line is due."""
    return float(progress["begun"] + backend.options.pace * (progress["next"] + 1) / progress["total"])


def _save(backend: Backend, batch: Batch, progress: Batch, due: float) -> float:
    backend.objects.put(PROGRESS, progress)
    backend.objects.put(BATCHES, batch)
    return due


async def _end(backend: Backend, batch: Batch, progress: Batch, status: str) -> float | None:
    """Set the last state of a batch, and write its files."""
    await skip_lines(backend, batch, progress["next"], progress.get("total", 0), f"batch_{status}")
    await write_files(backend, batch, progress["seconds"])
    batch["status"] = status
    backend.objects.put(BATCHES, batch)
    backend.objects.delete_alone(PROGRESS, batch["id"])
    await delete_lines(backend, batch["id"])
    backend.send_webhook(f"batch.{status}", {"id": batch["id"]})
    return None


def _file_missing(batch: Batch) -> dict[str, JSON]:
    message = f"The input file '{batch['input_file_id']}' is not there any more."
    return {"code": "file_not_found", "message": message, "line": None, "param": "input_file_id"}


def create_batch(request: Request, backend: Backend) -> Answer:
    body = get_body(request)
    require_file(backend, body["input_file_id"], "batch", "input_file_id")
    now = int(backend.now())
    batch: dict[str, JSON] = {"id": backend.new_id("batch_"), "object": "batch", "endpoint": body["endpoint"]}
    batch |= {"input_file_id": body["input_file_id"], "completion_window": body["completion_window"]}
    batch |= {"status": "validating", "created_at": now, "expires_at": now + DAY}
    batch |= {"request_counts": {"total": 0, "completed": 0, "failed": 0}, "metadata": body.get("metadata")}
    backend.objects.put(BATCHES, batch)
    payer = current_payer().as_document()
    seconds = members(body.get("output_expires_after")).get("seconds")
    backend.objects.put(
        PROGRESS, {"id": batch["id"], "created": backend.now(), "next": 0, "seconds": seconds, "payer": payer}
    )
    backend.scheduler.schedule(BATCHES, batch["id"], backend.now() + backend.options.pace)
    return Answer(batch)


def cancel_batch(request: Request, backend: Backend) -> Answer:
    batch = backend.require_object(BATCHES, request.path["batch_id"])
    if batch["status"] in CANCELLABLE:
        batch |= {"status": "cancelling", "cancelling_at": int(backend.now())}
        backend.objects.put(BATCHES, batch)
        backend.scheduler.schedule(BATCHES, batch["id"], backend.now() + backend.options.pace)
    elif batch["status"] not in ("cancelling", "cancelled") and not backend.options.lenient:
        raise conflict(f"Cannot cancel a batch with status '{batch['status']}'.")
    return Answer(batch)


HANDLERS: Mapping[str, Handler] = {
    "GET /batches": build_list_handler(BATCHES),
    "POST /batches": create_batch,
    "GET /batches/{batch_id}": build_retrieve_handler(BATCHES, "batch_id"),
    "POST /batches/{batch_id}/cancel": cancel_batch,
}
