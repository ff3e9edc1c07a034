"""Calls and reported minutes, and the stretches of time in which the two can be held against each other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

__all__ = ["Call", "Group", "Minutes", "Reported", "Stretch", "collect", "split"]

MINUTE = 60


class Group(NamedTuple):
    """What a report counts together; a name is empty where it is not told apart."""

    report: str
    model: str
    project: str = ""
    key: str = ""

    @property
    def payer(self) -> tuple[str, str]:
        """The project and the key, whose traffic may be that of others as well."""
        return self.project, self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the journal.

    Attributes:
        name: by which its verdict is found.
        earliest, latest: between which seconds since 1970 the reports count it, if they do.
        tokens: of its input, exactly; None where they are not known.
        billed: whether it is known to be billed; in doubt otherwise.
        count: how many calls it is: known ones that are only known together.
    """

    name: str
    group: Group
    earliest: float
    latest: float
    tokens: int | None = None
    billed: bool = False
    count: int = 1

    def first(self, border: float) -> int:
        """Return the first minute that it may be counted in."""
        return int((self.earliest - border) // MINUTE)

    def last(self, border: float) -> int:
        """Return the last minute that it may be counted in."""
        return int((self.latest + border) // MINUTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What a report says of one minute, which is given by the second in which it begins."""

    group: Group
    start: int
    requests: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Minutes, both ends included, whose borders no call may lie across, with all calls within."""

    first: int
    last: int
    calls: Sequence[Call]


class Minutes:
    """The reported minutes of one group, added up over any stretch."""

    def __init__(self, reported: Iterable[Reported]) -> None:
        by_minute: dict[int, tuple[int, int]] = {}
        for one in reported:
            requests, tokens = by_minute.get(one.start // MINUTE, (0, 0))
            by_minute[one.start // MINUTE] = requests + one.requests, tokens + one.tokens
        self._minutes = sorted(by_minute)
        self._requests = list(accumulate((by_minute[minute][0] for minute in self._minutes), initial=0))
        self._tokens = list(accumulate((by_minute[minute][1] for minute in self._minutes), initial=0))

    def sums(self, first: int, last: int) -> tuple[int, int]:
        """Return the requests and the tokens of input that are reported for a stretch."""
        start, end = bisect_left(self._minutes, first), bisect_right(self._minutes, last)
        return self._requests[end] - self._requests[start], self._tokens[end] - self._tokens[start]

    @property
    def requests(self) -> int:
        """All requests that are reported."""
        return self._requests[-1]


def split(calls: Sequence[Call], border: float) -> Iterator[Stretch]:
    """Yield the shortest stretches that hold every call whole, oldest first."""
    held: list[Call] = []
    first = last = 0
    for call in sorted(calls, key=_earliest):
        if held and call.first(border) > last:
            yield Stretch(first, last, held)
            held = []
        if not held:
            first, last = call.first(border), call.last(border)
        held.append(call)
        last = max(last, call.last(border))
    if held:
        yield Stretch(first, last, held)


def _earliest(call: Call) -> float:
    return call.earliest


def collect(calls: Iterable[Call]) -> Mapping[Group, list[Call]]:
    """Return calls by their groups."""
    found: dict[Group, list[Call]] = {}
    for call in calls:
        found.setdefault(call.group, []).append(call)
    return found
