"""What an answer says that it used, read from its last bytes while it is passed on."""

from __future__ import annotations

import re
from collections import deque
from itertools import islice
from json import JSONDecodeError, JSONDecoder

import orjson

from connector.model import JSON, members
from connector.telemetry.costs import read_usage

__all__ = ["NOT_TOLD", "Watch"]

NOT_TOLD = "encoded"
"""An answer that cannot be read on its way."""

HEAD = 8 * 1024
TAIL = 64 * 1024
"""The API names the usage last; what stands before that is passed on and forgotten."""
MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]{1,100})"')
TIER = re.compile(rb'"service_tier"\s*:\s*"([a-z_]{1,20})"')
USAGE = b'"usage"'
COLON = re.compile(rb"\s*:\s*")
LONGEST_USAGE = 4096
MOST_LOOKED_AT = 400
DECODER = JSONDecoder()


class Watch:
    """Sees the pieces of an answer go by and keeps its beginning and its end."""

    def __init__(self, content_type: str, *, encoded: bool = False) -> None:
        self.kind = NOT_TOLD if encoded else _kind(content_type)
        self.streams = self.kind == "events"
        self._reads = self.kind in ("events", "json")
        self._head = b""
        self._tail: deque[bytes] = deque()
        self._kept = 0
        self.size = 0
        self.events = 0
        """How many events a stream had: about one a token, when it does not tell."""

    def see(self, piece: bytes) -> None:
        self.size += len(piece)
        if not self._reads:
            return
        if len(self._head) < HEAD:
            self._head += piece[: HEAD - len(self._head)]
        if self.streams:
            self.events += piece.count(b"data:")
        self._tail.append(piece)
        self._kept += len(piece)
        while self._kept - len(self._tail[0]) >= TAIL:
            self._kept -= len(self._tail.popleft())

    @property
    def beginning(self) -> bytes:
        """The first bytes of an answer that is text."""
        return self._head

    def told(self, *, whole: bool) -> JSON:
        """The answer, or as much of it as tells of model, usage and tier.

        Args:
            whole: whether it came to its end; a part of one tells its usage in a stream's last event only.
        """
        if not self._reads:
            return None
        end = b"".join(self._tail)
        if self.streams and (last := _last_event(end, whole=whole)) is not None:
            return last
        if not whole:
            return None
        if not self.streams and len(end) == self.size:
            try:
                return orjson.loads(end)
            except orjson.JSONDecodeError:
                return None
        model = MODEL.search(self._head) or MODEL.search(end)
        tier = TIER.match(end, max(end.rfind(b'"service_tier"'), 0))
        found = {"model": model, "service_tier": tier}
        told = {name: match[1].decode(errors="replace") for name, match in found.items() if match}
        return {**told, "usage": _last_usage(end)}


def _kind(content_type: str) -> str:
    if content_type.startswith("text/event-stream"):
        return "events"
    if "json" in content_type:
        return "json"
    return "text" if content_type.startswith("text/") else "binary"


def _last_event(end: bytes, *, whole: bool) -> JSON:
    """What the last event of a stream says that tells of usage; None when none does, or it is too large to be kept."""
    for line in islice(reversed(end.splitlines()), MOST_LOOKED_AT):
        if not line.startswith(b"data:") or USAGE not in line:
            continue
        try:
            event = members(orjson.loads(line[5:]))
        except orjson.JSONDecodeError:
            continue
        inner = members(event.get("response")) or event
        if read_usage(inner) and (whole or not event.get("choices")):
            return inner
    return None


def _last_usage(data: bytes) -> JSON:
    """The last object that stands under `usage`; a text that speaks of it has its quotes escaped."""
    at = len(data)
    for _ in range(MOST_LOOKED_AT):
        at = data.rfind(USAGE, 0, at)
        if at < 0:
            return None
        colon = COLON.match(data, at + len(USAGE))
        if colon is None:
            continue
        try:
            value, _ = DECODER.raw_decode(data[colon.end() : colon.end() + LONGEST_USAGE].decode(errors="replace"))
        except JSONDecodeError:
            continue
        if members(value) or value is None:
            return value  # nothing but what a caller made up stands before a usage that is not known yet
    return None
