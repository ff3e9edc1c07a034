"""Ids that are new and the same for the same seed, and the ids that a request has touched."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b

__all__ = ["TOUCHED_IDS", "IdSource"]

TOUCHED_IDS: ContextVar[list[str] | None] = ContextVar("TOUCHED_IDS", default=None)
"""The ids that the current request has created, changed or deleted."""


class _Sequence:
    """Names in the order that a seed determines."""

    __slots__ = ("_count", "_seed")

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._count = 0

    def next(self) -> str:
        self._count += 1
        return blake2b(self._seed + str(self._count).encode(), digest_size=12).hexdigest()


SEPARATE: ContextVar[_Sequence | None] = ContextVar("SEPARATE", default=None)
"""The sequence of work that no request has called for."""


class IdSource:
    """New ids of one sandbox; the same seed gives the same ids in the same order."""

    def __init__(self, seed: int, start: int) -> None:
        self._seed = seed
        self._names = _Sequence(f"{seed}/{start}/")

    def new_id(self, prefix: str) -> str:
        """Return the next id of the seed, and record that the current request has touched it."""
        made = prefix + self.new_name()
        self.record(made)
        return made

    def new_name(self) -> str:
        """Return the next name of the seed without recording it."""
        return (SEPARATE.get() or self._names).next()

    def record(self, touched: str) -> None:
        """Record that the current request has created, changed or deleted an object."""
        ids = TOUCHED_IDS.get()
        if ids is not None:
            ids.append(touched)

    @contextmanager
    def separate(self, name: str) -> Generator[None]:
        """Take ids from a sequence of its own within the block, and record none.

        So the ids in answers do not depend on when timers run.
        """
        names, touched = SEPARATE.set(_Sequence(f"{self._seed}/{name}/")), TOUCHED_IDS.set(None)
        try:
            yield
        finally:
            SEPARATE.reset(names)
            TOUCHED_IDS.reset(touched)

    def reset(self) -> None:
        """Start the sequence again."""
        self._names = _Sequence(f"{self._seed}/0/")
