"""What the lines of a batch came to, kept line by line, and the files that are written of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from connector.model import JSON
from connector.sandbox.processes.batches.lines import Line
from connector.sandbox.processes.batches.running import not_run, succeeded
from connector.sandbox.processes.batches.usage import Usage
from connector.sandbox.processes.files.stored import keep_file

if TYPE_CHECKING:
    from connector.sandbox.call import World

__all__ = ["give_up", "keep_lines", "keep_outcome", "line_at", "write"]

LINES = "sandbox batch lines"
OUTCOMES = "sandbox batch outcomes"
TOGETHER = 200
"""Rows after which others have their turn."""
Batch = dict[str, Any]


async def keep_lines(world: World, batch_id: str, lines: list[bytes]) -> None:
    """The lines are kept one by one: the file may be deleted while the batch runs."""
    for place, line in enumerate(lines):
        world.objects.put(LINES, {"id": str(place), "line": orjson.loads(line)}, batch_id)
        await _take_turns(place)


def line_at(world: World, batch_id: str, place: int) -> Line:
    """A line of the batch, which was found right before."""
    row = world.objects.get(LINES, str(place), batch_id) or {}
    return Line(row["line"]["custom_id"], row["line"]["url"], row["line"]["body"])


def keep_outcome(world: World, batch_id: str, place: int, outcome: Mapping[str, JSON]) -> None:
    """What a line came to."""
    world.objects.put(OUTCOMES, {"id": str(place), "outcome": outcome}, batch_id)


async def give_up(world: World, batch: Batch, begin: int, total: int, code: str) -> None:
    """The lines that are left are not run; the error file says why."""
    for place in range(begin, total):
        keep_outcome(world, batch["id"], place, not_run(world, line_at(world, batch["id"], place), code))
        await _take_turns(place)


async def write(world: World, batch: Batch, seconds: int | None) -> None:
    """The output and the error file, each only where something belongs into it, and the usage of all."""
    written, usage, place = {"output": bytearray(), "error": bytearray()}, Usage(), -1
    for place, row in enumerate(world.objects.all(OUTCOMES, batch["id"])):
        outcome: dict[str, Any] = row["outcome"]
        written["output" if succeeded(outcome) else "error"] += orjson.dumps(outcome, option=orjson.OPT_APPEND_NEWLINE)
        usage.add(outcome["response"]["body"] if outcome["response"] else None)
        await _take_turns(place)
    for name, data in written.items():
        if data:
            filename = f"{batch['id']}_{name}.jsonl"
            batch[f"{name}_file_id"] = keep_file(world, filename, "batch_output", bytes(data), seconds=seconds)["id"]
    if place >= 0:
        batch["usage"] = usage.as_document()


async def _take_turns(place: int) -> None:
    if place % TOGETHER == 0:
        await asyncio.sleep(0)
