"""What processes tell of their demand, and what they are given; where the division is kept is up to each divider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from connector.errors import ConnectorError

__all__ = ["Ask", "Away", "Divider", "Grant"]


class Away(ConnectorError):
    """The divider cannot be reached, or does not answer in time."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a process says of one limit.

    Attributes:
        limit: the name of the limit, the same in all processes.
        per_second: how much flows in, for all processes together.
        used: all that this process ever used of what it was given; more than that where an estimate was too low.
        want: how much it can use in the next second.
        least: the smallest amount that is of any use to it.
    """

    limit: str
    per_second: float
    used: float
    want: float
    least: float = 1.0


@dataclass(frozen=True, slots=True)
class Grant:
    """What a process may use until it asks again; what it does not use is given back by asking.

    Attributes:
        amount: how much.
        rate: its part of the limit a second, by which it may go on for a while when the divider is away.
    """

    amount: float
    rate: float


class Divider(Protocol):
    """Divides limits among processes."""

    async def open(self) -> None:
        """Connect; raise Away when that is not possible."""
        ...

    async def exchange(self, process: str, asks: Sequence[Ask]) -> Sequence[Grant]:
        """Give back what was not used, and take what is wanted; raise Away when nothing is known of the division.

        Args:
            process: a name that no other process has.
            asks: one for each limit.
        """
        ...

    async def close(self) -> None:
        """Close what is open."""
        ...
