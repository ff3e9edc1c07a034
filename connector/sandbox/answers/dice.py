"""Choices that look free and are not: the same seed and place always choose the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

__all__ = ["Dice"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dice:
    """Deterministic numbers by a seed and the place they are asked for."""

    seed: str

    def number(self, place: str, below: int) -> int:
        """A whole number from 0 to below what is given."""
        digest = blake2b(f"{self.seed}\n{place}".encode(errors="replace"), digest_size=8).digest()
        return int.from_bytes(digest) % below

    def pick(self, place: str, options: Sequence[T]) -> T:
        """One of the options, of which there must be one."""
        return options[self.number(place, len(options))]
