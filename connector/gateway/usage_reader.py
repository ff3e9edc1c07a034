"""Read what an answer says that it used, from its last bytes, while it is forwarded."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from itertools import islice
from json import JSONDecodeError, JSONDecoder
from typing import Literal

import orjson

from connector.model import JSON, members
from connector.telemetry.costs import read_usage

__all__ = ["UsageReader", "is_pending"]

Kind = Literal["events", "json", "text", "binary", "encoded"]
HEAD = 8 * 1024
TAIL = 64 * 1024
"""The API reports usage last; what stands before that is forwarded and forgotten."""
MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]{1,100})"')
TIER = re.compile(rb'"service_tier"\s*:\s*"([a-z_]{1,20})"')
USAGE = b'"usage"'
COLON = re.compile(rb"\s*:\s*")
MAX_USAGE = 4096
MAX_CANDIDATES = 400
DECODER = JSONDecoder()
PENDING_STATES = (
    "queued", "in_progress", "validating", "finalizing", "cancelling", "running", "requires_action",
)  # fmt: skip


def is_pending(answer: Mapping[str, JSON]) -> bool:
    """Whether an answer says that it is still being made."""
    return answer.get("status") in PENDING_STATES and isinstance(answer.get("id"), str)


class UsageReader:
    """Keep the beginning and the end of an answer while its chunks pass by."""

    def __init__(self, content_type: str, *, is_encoded: bool = False) -> None:
        self.kind: Kind = "encoded" if is_encoded else _kind(content_type)
        self.is_stream = self.kind == "events"
        self._is_readable = self.kind in ("events", "json")
        self._head = b""
        self._tail: deque[bytes] = deque()
        self._kept = 0
        self.size = 0
        self.events = 0
        """The events of a stream: about one a token, when it reports no usage."""

    def feed(self, chunk: bytes) -> None:
        """Take note of a chunk."""
        self.size += len(chunk)
        if not self._is_readable:
            return
        if len(self._head) < HEAD:
            self._head += chunk[: HEAD - len(self._head)]
        if self.is_stream:
            self.events += chunk.count(b"data:")
        self._tail.append(chunk)
        self._kept += len(chunk)
        while self._kept - len(self._tail[0]) >= TAIL:
            self._kept -= len(self._tail.popleft())

    @property
    def beginning(self) -> bytes:
        """The first bytes of an answer that is text."""
        return self._head

    def read_answer(self, *, is_complete: bool) -> JSON:
        """Return the answer, or as much of it as names model, usage and tier.

        Args:
            is_complete: whether all of it came; a part reports its usage in a stream's last event only.
        """
        if not self._is_readable:
            return None
        end = b"".join(self._tail)
        if self.is_stream and (last := _last_event(end, is_complete=is_complete)) is not None:
            return last
        if not is_complete:
            return None
        if not self.is_stream and len(end) == self.size:
            try:
                return orjson.loads(end)
            except orjson.JSONDecodeError:
                return None
        model = MODEL.search(self._head) or MODEL.search(end)
        tier = TIER.match(end, max(end.rfind(b'"service_tier"'), 0))
        matches = {"model": model, "service_tier": tier}
        found = {name: match[1].decode(errors="replace") for name, match in matches.items() if match}
        return {**found, "usage": _last_usage(end)}


def _kind(content_type: str) -> Kind:
    if content_type.startswith("text/event-stream"):
        return "events"
    if "json" in content_type:
        return "json"
    return "text" if content_type.startswith("text/") else "binary"


def _last_event(end: bytes, *, is_complete: bool) -> JSON:
    """Return the last event of a stream that reports usage; None when none does, or it is too large to be kept."""
    for line in islice(reversed(end.splitlines()), MAX_CANDIDATES):
        if not line.startswith(b"data:") or USAGE not in line:
            continue
        try:
            event = members(orjson.loads(line[5:]))
        except orjson.JSONDecodeError:
            continue
        inner = members(event.get("response")) or event
        if read_usage(inner) and (is_complete or not event.get("choices")):
            return inner
    return None


def _last_usage(data: bytes) -> JSON:
    """Return the last object under `usage`; a text that mentions it has its quotes escaped."""
    at = len(data)
    for _ in range(MAX_CANDIDATES):
        at = data.rfind(USAGE, 0, at)
        if at < 0:
            return None
        colon = COLON.match(data, at + len(USAGE))
        if colon is None:
            continue
        try:
            value, _ = DECODER.raw_decode(data[colon.end() : colon.end() + MAX_USAGE].decode(errors="replace"))
        except JSONDecodeError:
            continue
        if members(value) or value is None:
            return value  # before a usage that is not known yet stands only what a caller made up
    return None
