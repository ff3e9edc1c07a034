"""The outcomes of a batch's lines, and the files and the usage they add up to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from connector.model import JSON, is_object, members
from connector.sandbox.backend import Backend
from connector.sandbox.bill.payers import Payer, paying
from connector.sandbox.resources.batches.input_file import BatchLine
from connector.sandbox.resources.files.storage import save_large_file

__all__ = [
    "delete_lines", "get_line", "is_success", "run_line", "save_lines", "save_outcome", "skip_lines", "write_files",
]  # fmt: skip

SKIP_REASONS: Mapping[str, str] = {
    "batch_expired": "This request could not be executed before the completion window expired.",
    "batch_cancelled": "This request was not executed because the batch was cancelled.",
}
LINES = "sandbox batch lines"
OUTCOMES = "sandbox batch outcomes"
ROWS_A_TURN = 200
"""Rows after which other tasks have their turn."""
Batch = dict[str, Any]


async def run_line(backend: Backend, line: BatchLine, payer: Payer) -> dict[str, JSON]:
    """Run a line at a payer's charge, and return its outcome in the form of an output file."""
    with paying(payer, batch=True):
        answer = await backend.call("POST", line.url, dict(line.body))
    request_id = answer.headers.get("x-request-id") or backend.new_id("req_")
    response = {"status_code": answer.status, "request_id": request_id, "body": answer.body}
    return {"id": backend.new_id("batch_req_"), "custom_id": line.custom_id, "response": response, "error": None}


def skip_line(backend: Backend, line: BatchLine, code: str) -> dict[str, JSON]:
    """Return the outcome of a line that was never run."""
    error = {"code": code, "message": SKIP_REASONS[code]}
    return {"id": backend.new_id("batch_req_"), "custom_id": line.custom_id, "response": None, "error": error}


def is_success(outcome: Mapping[str, JSON]) -> bool:
    """Return whether the outcome belongs into the output file."""
    response = outcome["response"]
    return is_object(response) and 200 <= response["status_code"] < 300


class BatchUsage:
    """The usage of many answers, under the names of any endpoint."""

    def __init__(self) -> None:
        self._given = self._cached = self._made = self._thought = 0

    def add(self, body: JSON) -> None:
        """Add the usage of one answer."""
        usage = members(members(body).get("usage"))
        self._given += _first(usage, "input_tokens", "prompt_tokens")
        self._made += _first(usage, "output_tokens", "completion_tokens")
        self._cached += _first(_details(usage, "input_tokens_details", "prompt_tokens_details"), "cached_tokens")
        self._thought += _first(
            _details(usage, "output_tokens_details", "completion_tokens_details"), "reasoning_tokens"
        )

    def as_document(self) -> dict[str, JSON]:
        """Return the usage as a batch shows it."""
        return {
            "input_tokens": self._given,
            "input_tokens_details": {"cached_tokens": self._cached},
            "output_tokens": self._made,
            "output_tokens_details": {"reasoning_tokens": self._thought},
            "total_tokens": self._given + self._made,
        }


def _first(usage: Mapping[str, JSON], *names: str) -> int:
    return next((usage[name] for name in names if usage.get(name)), 0)


def _details(usage: Mapping[str, JSON], *names: str) -> dict[str, JSON]:
    return members(next((usage[name] for name in names if usage.get(name)), None))


async def save_lines(backend: Backend, batch_id: str, lines: list[bytes]) -> None:
    """Save the lines one by one, since the file may be deleted while the batch runs."""
    for index, line in enumerate(lines):
        backend.objects.put(LINES, {"id": str(index), "line": orjson.loads(line)}, batch_id)
        await _yield_control(index)


def get_line(backend: Backend, batch_id: str, index: int) -> BatchLine:
    """Return a line of the batch."""
    row = backend.objects.get(LINES, str(index), batch_id) or {}
    return BatchLine(row["line"]["custom_id"], row["line"]["url"], row["line"]["body"])


def save_outcome(backend: Backend, batch_id: str, index: int, outcome: Mapping[str, JSON]) -> None:
    """Save the outcome of a line."""
    backend.objects.put(OUTCOMES, {"id": str(index), "outcome": outcome}, batch_id)


async def skip_lines(backend: Backend, batch: Batch, begin: int, total: int, code: str) -> None:
    """Save the outcomes of the remaining lines, which are not run."""
    for index in range(begin, total):
        save_outcome(backend, batch["id"], index, skip_line(backend, get_line(backend, batch["id"], index), code))
        await _yield_control(index)


async def write_files(backend: Backend, batch: Batch, seconds: int | None) -> None:
    """Write the output file and the error file, each only when it has lines, and the usage."""
    written, usage, index = {"output": bytearray(), "error": bytearray()}, BatchUsage(), -1
    for index, row in enumerate(backend.objects.all(OUTCOMES, batch["id"])):
        outcome: dict[str, Any] = row["outcome"]
        written["output" if is_success(outcome) else "error"] += orjson.dumps(outcome, option=orjson.OPT_APPEND_NEWLINE)
        usage.add(outcome["response"]["body"] if outcome["response"] else None)
        await _yield_control(index)
    for name, data in written.items():
        if data:
            filename = f"{batch['id']}_{name}.jsonl"
            saved = await save_large_file(backend, filename, "batch_output", data, seconds=seconds)
            batch[f"{name}_file_id"] = saved["id"]
    if index >= 0:
        batch["usage"] = usage.as_document()


async def delete_lines(backend: Backend, batch_id: str) -> None:
    """Delete lines and outcomes."""
    for kind in (LINES, OUTCOMES):
        for _ in range(0, backend.objects.count(kind, batch_id), ROWS_A_TURN):
            backend.objects.delete_some(kind, batch_id, ROWS_A_TURN)
            await asyncio.sleep(0)


async def _yield_control(index: int) -> None:
    if index % ROWS_A_TURN == 0:
        await asyncio.sleep(0)
