"""Charges for answers that are still being made, over all workers of a gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import orjson

from connector.gateway.pending_usage import PendingCharge, PendingUsage
from connector.gateway.shared_memory import SharedMemory
from connector.model import JSON, members

__all__ = ["SharedPendingUsage"]

ROOM = 2 * 1024 * 1024


class SharedPendingUsage(PendingUsage):
    """Charges as a text in shared memory; beyond its room the oldest are forgotten, and stay as they were charged.

    Args:
        memory: where.
    """

    def __init__(self, memory: SharedMemory) -> None:
        self._lock = memory.lock
        self._text = memory.text(ROOM)
        self._version = 0.0
        self._saved = 0.0
        super().__init__()

    @property
    def is_dirty(self) -> bool:
        """Whether any worker changed it since this process last saved it."""
        return self._text.version != self._saved

    @is_dirty.setter
    def is_dirty(self, value: bool) -> None:
        if not value:
            self._saved = self._text.version

    def __bool__(self) -> bool:
        self._load()
        return super().__bool__()

    def add(self, client: str, identity: str, charge: PendingCharge) -> None:
        with self._lock:
            self._load()
            super().add(client, identity, charge)
            self._store()

    def find_in(
        self, client: str, answer: Mapping[str, JSON]
    ) -> Iterator[tuple[str, PendingCharge, Mapping[str, JSON]]]:
        self._load()
        yield from super().find_in(client, answer)

    def remove(self, client: str, identity: str) -> bool:
        with self._lock:
            self._load()
            was_there = super().remove(client, identity)
            if was_there:
                self._store()
        return was_there

    def dump(self) -> dict[str, JSON]:
        self._load()
        return super().dump()

    def restore(self, saved: Mapping[str, JSON]) -> None:
        with self._lock:
            super().restore(saved)
            self._store()

    def _load(self) -> None:
        """Take over what another worker has changed."""
        version = self._text.version
        if version == self._version:
            return
        self._version = version
        said = self._text.read()
        self.clear()
        super().restore(members(orjson.loads(said)) if said else {})

    def _store(self) -> None:
        while not self._text.write(orjson.dumps(super().dump())):
            self.forget_oldest()
        self._version = self._text.version
