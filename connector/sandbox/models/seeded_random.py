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
    """Deterministic numbers by a seed and the place they are asked for."""

    seed: str

    def integer(self, key: str, below: int) -> int:
        """A whole number from 0 to below what is given."""
        digest = blake2b(f"{self.seed}\n{key}".encode(errors="replace"), digest_size=8).digest()
        return int.from_bytes(digest) % below

    def choice(self, key: str, options: Sequence[T]) -> T:
        """One of the options, of which there must be one."""
        return options[self.integer(key, len(options))]
