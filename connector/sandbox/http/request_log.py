"""The requests that arrived, for tests to assert on: bounded, the newest kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

from connector.model import JSON, is_document, is_list
from connector.request.redaction import Redactor
from connector.sandbox.messages import Upload

__all__ = ["RequestLog", "RequestRecord"]

MOST_RECORDS = 10_000
MOST_BYTES = 64 * 1024 * 1024
FILTERS = ("operation", "method", "path", "status", "key")


@dataclass(slots=True)
class RequestRecord:
    """One request that arrived, and its outcome."""

    time: float
    method: str
    path: str
    operation: str = ""
    query: Mapping[str, JSON] = field(default_factory=dict[str, JSON])
    payload: JSON = None
    key: str = field(default="", repr=False)
    status: int | None = None
    """The status of the answer; None when it was never sent."""
    fault: str = ""
    effects: tuple[str, ...] = ()
    """The ids of the objects that were created, changed or deleted."""
    size: int = 0

    def as_document(self) -> dict[str, JSON]:
        """Return the record for display: files by name and size, and never a key."""
        redacted = _build_redactor(self.key)
        return {
            "time": self.time,
            "method": self.method,
            "path": redacted(self.path),
            "operation": self.operation,
            "query": redacted.value(dict(self.query)),
            "payload": redacted.value(_describe_payload(self.payload)),
            "key": f"sha256:{sha256(self.key.encode()).hexdigest()[:12]}" if self.key else None,
            "status": self.status,
            "fault": self.fault or None,
            "effects": list(self.effects),
        }


class RequestLog:
    """The newest requests, oldest first."""

    def __init__(self, entries: int = MOST_RECORDS, most_bytes: int = MOST_BYTES) -> None:
        self._entries: deque[RequestRecord] = deque()
        self._most = entries
        self._most_bytes = most_bytes
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[dict[str, JSON]]:
        return (record.as_document() for record in tuple(self._entries))

    def add(self, record: RequestRecord) -> None:
        """Add a record, and remove the oldest where there is no room."""
        self._entries.append(record)
        self._bytes += record.size
        while len(self._entries) > self._most or (self._bytes > self._most_bytes and len(self._entries) > 1):
            self._bytes -= self._entries.popleft().size

    def select(self, wanted: Mapping[str, str]) -> Iterator[dict[str, JSON]]:
        """Return the records whose fields have the wanted values."""
        filters = {name: value for name, value in wanted.items() if name in FILTERS}
        return (one for one in self if all(str(one[name]) == value for name, value in filters.items()))

    def clear(self) -> None:
        """Remove all records."""
        self._entries.clear()
        self._bytes = 0


@lru_cache(maxsize=64)
def _build_redactor(key: str) -> Redactor:
    return Redactor([key])


def _describe_payload(value: JSON) -> JSON:
    if isinstance(value, Upload):
        return {"filename": value.filename, "content_type": value.content_type, "bytes": len(value.data)}
    if is_document(value):
        return {name: _describe_payload(child) for name, child in value.items()}
    return [_describe_payload(child) for child in value] if is_list(value) else value
