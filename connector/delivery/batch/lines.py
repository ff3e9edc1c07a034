"""Lines of batches: one request as its call record, as a line of the file, and as a result."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from connector.delivery.call_records import PLACE
from connector.engine import CallRecord, Store, Task
from connector.http.policy import Policy
from connector.http.response import find_error_codes, find_error_message, is_error, unpack_embeddings
from connector.model import JSON, Effect, Outcome, State, is_object, members

__all__ = [
    "NOT_RUN",
    "LinePosition",
    "LineResult",
    "encode_line",
    "is_batch_line",
    "iterate_members",
    "judge_result",
    "open_lines",
    "parse_result",
    "record_line",
    "request_of",
    "restore_floats",
    "write_lines",
]

NOT_RUN = ("batch_expired", "batch_cancelled")
"""The codes of lines that the API has not run; those cost nothing."""
CUSTOM_ID = re.compile(r"oc-(\d{1,18})-(\d{1,9})-(\d{1,9})")
CHUNK = 200
"""Lines that are written at a time."""


@dataclass(frozen=True, slots=True)
class LinePosition:
    """Which of a document's requests a line is, of how many."""

    number: int
    of: int


@dataclass(frozen=True, slots=True)
class LineResult:
    """A line of an output or error file, and the call that it answers."""

    task: int
    attempt: int
    number: int
    said: Mapping[str, JSON]


def record_line(url: str, body: JSON, request: Mapping[str, JSON], place: LinePosition, *, floats: bool) -> JSON:
    """Return the record of a line: all that is sent, and the parts of the request that are not."""
    other = {name: value for name, value in request.items() if name != "payload"}
    shown: dict[str, JSON] = {"method": "POST", "url": url, "body": body, PLACE: place.number, "places": place.of}
    return shown | ({"other": other} if other else {}) | ({"floats": True} if floats else {})


def is_batch_line(call: CallRecord) -> bool:
    """Return whether a call goes in a batch."""
    return is_object(call.request) and PLACE in call.request


def encode_line(call: CallRecord) -> bytes:
    """Return the line of a batch's file."""
    said = members(call.request)
    custom_id = f"oc-{call.task}-{call.attempt}-{call.number}"
    line = {"custom_id": custom_id, "method": "POST", "url": said["url"], "body": said["body"]}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def request_of(call: CallRecord) -> JSON:
    """Return the request that a line was made of."""
    said = members(call.request)
    payload = said["body"]
    if said.get("floats"):
        payload = {name: value for name, value in members(payload).items() if name != "encoding_format"}
    return {**members(said.get("other")), "payload": payload}


def restore_floats(call: CallRecord, body: JSON) -> JSON:
    """Return the body of an answer, with embeddings unpacked unless the request asked for packed ones."""
    return unpack_embeddings(body) if members(call.request).get("floats") else body


def parse_result(data: bytes) -> LineResult | None:
    """Parse a line of a result file; None when it is not one of ours."""
    try:
        said = members(orjson.loads(data))
    except orjson.JSONDecodeError:
        return None
    found = CUSTOM_ID.fullmatch(str(said.get("custom_id")))
    return LineResult(int(found[1]), int(found[2]), int(found[3]), said) if found else None


def judge_result(said: Mapping[str, JSON], policy: Policy) -> Outcome:
    """Return the outcome of a line by the policy of single calls; one that was not run was not sent."""
    response = members(said.get("response"))
    status, body = response.get("status_code"), response.get("body")
    request_id = response.get("request_id")
    if isinstance(status, int):
        identity = request_id if isinstance(request_id, str) else None
        if status < 300 and not is_error(body, created=True):
            return Outcome(State.DONE, status, {}, body, identity)
        text = orjson.dumps(body).decode()
        # A batch's own record is no answer of a gateway: what it says no to had no effect and is not paid for.
        verdict = policy.judge(status, {}, find_error_codes(body), text, Effect.NONE, "POST", repeated=False)
        reason = "; ".join(part for part in (find_error_message(body), verdict.advice) if part)
        action = "retry" if verdict.action == "pause" else str(verdict.action)
        return Outcome(verdict.state, status, {}, body, identity, reason=reason, action=action)
    code = str(members(said.get("error")).get("code"))
    reason = find_error_message(said) or "the batch says nothing of it"
    if code in NOT_RUN:
        return Outcome(State.NOT_SENT, reason=reason)
    return Outcome(State.REFUSED, body={"error": said.get("error")}, reason=reason, action="fail")


async def iterate_members(store: Store, carrier: int, after: int = 0) -> AsyncGenerator[Task, None]:
    """Yield the tasks that are still in a batch, with their calls, in the order of their lines."""
    while found := await store.carried_tasks(carrier, after=after, limit=CHUNK):
        for one in found:
            task = await store.task(one.id)
            if task is not None:
                yield task
        after = found[-1].id


def open_lines(task: Task) -> list[CallRecord]:
    """Return the lines of a task that are not answered."""
    return [call for call in task.calls if call.open and is_batch_line(call)]


async def write_lines(store: Store, carrier: int, path: Path) -> int:
    """Write the file of a batch and return how many lines it has."""
    count = 0
    with path.open("wb") as file:
        async with aclosing(iterate_members(store, carrier)) as members:
            lines: list[bytes] = []
            async for task in members:
                lines += [encode_line(call) for call in open_lines(task)]
                if len(lines) >= CHUNK:
                    count += await _write_chunk(file, lines)
        count += await _write_chunk(file, lines)
    return count


async def _write_chunk(file: BinaryIO, lines: list[bytes]) -> int:
    count = len(lines)
    await asyncio.to_thread(file.writelines, lines)
    lines.clear()
    return count
