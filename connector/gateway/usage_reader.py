"""What an answer reports as used, read while its chunks pass by."""

from __future__ import annotations

import re
from collections import deque
from itertools import islice
from json import JSONDecodeError, JSONDecoder
from typing import Literal

import orjson

from connector.model import JSON, members
from connector.telemetry.costs import read_usage

__all__ = ["UsageReader"]

Kind = Literal["events", "json", "text", "binary", "encoded"]
HEAD = 8 * 1024
TAIL = 64 * 1024
"""The API reports usage last; the bytes before it are forwarded and not kept."""
MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]{1,100})"')
TIER = re.compile(rb'"service_tier"\s*:\s*"([a-z_]{1,20})"')
WINDOW = re.compile(rb'"completion_window"\s*:\s*"([0-9]{1,2}h)"')
LONG_LIVED = re.compile(rb'"prompt_cache_options"\s*:\s*\{[^{}]{0,200}"ttl"\s*:\s*"12h"')
SEARCH = re.compile(rb'"type"\s*:\s*"(web_search_call|file_search_call)"')
"""A search that an answer has made; in a text its quotes would be escaped."""
SEAM = 48
"""Bytes of a chunk that are looked at again with the next one."""
USAGE = b'"usage"'
COLON = re.compile(rb"\s*:\s*")
MAX_USAGE = 4096
MAX_CANDIDATES = 400
DECODER = JSONDecoder()


class UsageReader:
    """Keep the beginning and the end of an answer while its chunks pass by."""

    def __init__(self, content_type: str, *, is_encoded: bool = False) -> None:
        self.kind: Kind = "encoded" if is_encoded else _kind(content_type)
        self.is_stream = self.kind == "events"
        self._is_readable = self.kind in ("events", "json")
        self._head = b""
        self._tail: deque[bytes] = deque()
        self._kept = 0
        self._seam = b""
        self._searches: list[bytes] = []
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
        else:
            self._count_searches(chunk)
        self._tail.append(chunk)
        self._kept += len(chunk)
        while self._kept - len(self._tail[0]) >= TAIL:
            self._kept -= len(self._tail.popleft())

    def _count_searches(self, chunk: bytes) -> None:
        """Take note of searches, which stand anywhere in an answer."""
        text, seen = self._seam + chunk, len(self._seam)
        self._searches += [found[1] for found in SEARCH.finditer(text) if found.end() > seen]
        self._seam = text[-SEAM:]

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
        return {**found, **self._read_details(end), "usage": _last_usage(end)}

    def _read_details(self, end: bytes) -> dict[str, JSON]:
        """Return what else has a price of its own in an answer that is too large to be kept."""
        found: dict[str, JSON] = {}
        if window := WINDOW.search(self._head) or WINDOW.search(end):
            found["background_options"] = {"completion_window": window[1].decode()}
        if LONG_LIVED.search(self._head) or LONG_LIVED.search(end):
            found["prompt_cache_options"] = {"ttl": "12h"}
        if self._searches:
            found["output"] = [{"type": kind.decode()} for kind in self._searches]
        return found


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
            return value  # only texts of the caller can be before a usage that is not known yet
    return None
