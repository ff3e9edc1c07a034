"""What processes tell of their demand, and what they are given; where the division is kept is up to each divider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from connector.errors import ConnectorError

__all__ = ["Answer", "Ask", "Away", "Divider", "Grant", "Sign"]


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


@dataclass(frozen=True, slots=True)
class Sign:
    """What a process says of an account to all others, and what it hears of it.

    Attributes:
        account: the account, by the same name in all processes.
        hold: seconds for which nothing should be sent, as a server has asked.
        pause: why nothing should be sent until a person has acted, as a JSON text; empty when there is no reason.
        resumed: whether the reason is gone, since a call was done.
        probe: whether a call is wanted that finds out whether the reason is gone; in an answer, whether it is allowed.
    """

    account: str
    hold: float = 0.0
    pause: str = ""
    resumed: bool = False
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One grant for each ask, and one sign for each sign, in their order."""

    grants: Sequence[Grant]
    signs: Sequence[Sign]


class Divider(Protocol):
    """Divides limits among processes, and passes on what each says of its accounts."""

    async def open(self) -> None:
        """Connect; raise Away when that is not possible."""
        ...

    async def exchange(self, process: str, asks: Sequence[Ask], signs: Sequence[Sign]) -> Answer:
        """Give back what was not used, and take what is wanted; raise Away when nothing is known of the division.

        Args:
            process: a name that no other process has.
            asks: one for each limit.
            signs: one for each account.
        """
        ...

    async def close(self) -> None:
        """Close what is open."""
        ...
