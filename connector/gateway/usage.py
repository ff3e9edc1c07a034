"""What an answer says that it used, read from its last bytes while it is passed on."""

from __future__ import annotations

import re
from collections import deque
from json import JSONDecodeError, JSONDecoder

import orjson

from connector.model import JSON
from connector.shapes import members

__all__ = ["Watch"]

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

    def __init__(self, content_type: str) -> None:
        self.streams = content_type.startswith("text/event-stream")
        self._reads = self.streams or "json" in content_type
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

    def told(self) -> JSON:
        """The answer, or as much of it as tells of model, usage and tier."""
        if not self._reads:
            return None
        end = b"".join(self._tail)
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
        if members(value):
            return value
    return None
