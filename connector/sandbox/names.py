"""Names that nothing has yet: the same seed gives the same ones in the same order."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["Names"]


class Names:
    """A row of names of its own."""

    __slots__ = ("_given", "_seed")

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._given = 0

    def next(self) -> str:
        """The next name of the row."""
        self._given += 1
        return blake2b(self._seed + str(self._given).encode(), digest_size=12).hexdigest()
