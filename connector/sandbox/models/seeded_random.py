"""Random choices that are the same for the same seed and key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

__all__ = ["SeededRandom"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SeededRandom:
    """Numbers that depend on a seed and a key only."""

    seed: str

    def integer(self, key: str, below: int) -> int:
        """Return an integer from 0 to below a limit."""
        digest = blake2b(f"{self.seed}\n{key}".encode(errors="replace"), digest_size=8).digest()
        return int.from_bytes(digest) % below

    def choice(self, key: str, options: Sequence[T]) -> T:
        """Return one of the options, which must not be empty."""
        return options[self.integer(key, len(options))]
