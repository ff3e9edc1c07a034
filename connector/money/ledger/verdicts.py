"""Was it billed? What the reports prove of calls without a known end; where two answers fit, the verdict is neither.

A call is taken for billed, or for not billed, only if the reports cannot be explained otherwise. What counts against
that: reports that still come, the traffic of others on the same key, and calls near the border of a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from connector.money.ledger.groups import MINUTE, Call, Group, Minutes, Reported, Stretch, collect, split

__all__ = ["Decision", "Terms", "Verdict", "decide"]

MOST_SUMS = 20_000
"""How many sums of tokens are looked at for one stretch; beyond that nobody can tell."""


class Verdict(StrEnum):
    """Whether a call was billed."""

    BILLED = "billed"
    NOT_BILLED = "not billed"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, and what it rests on."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is taken for granted.

    Attributes:
        read_at: when the reports were read, in seconds since 1970.
        lateness: seconds after which a minute is reported whole.
        border: seconds by which the clocks of the journal and of the reports may differ.
        alone: whether somebody answers for it that nobody else calls on these keys.
    """

    read_at: float
    lateness: float
    border: float
    alone: bool = False


def decide(calls: Iterable[Call], reported: Iterable[Reported], terms: Terms) -> Mapping[str, Decision]:
    """Return the verdict on each call that is not known to be billed, by its name."""
    rows: dict[Group, list[Reported]] = {}
    for row in reported:
        rows.setdefault(row.group, []).append(row)
    minutes = {group: Minutes(found) for group, found in rows.items()}
    stretches = [
        _Compared.of(group, stretch, minutes.get(group) or Minutes(()), terms)
        for group, held in collect(calls).items()
        for stretch in split(held, terms.border)
    ]
    lacking = {one.group.payer for one in stretches if one.is_lacking}
    foreign = {one.group.payer for one in stretches if one.has_foreign} | _find_unasked(minutes, stretches)
    found: dict[str, Decision] = {}
    for one in stretches:
        if one.group.payer in lacking:
            said = "the reports lack calls that are known to be billed"
            found |= {call.name: Decision(Verdict.CANNOT_TELL, said) for call in one.doubtful}
        else:
            found |= dict(one.decide(has_foreign=one.group.payer in foreign))
    return found


def _find_unasked(minutes: Mapping[Group, Minutes], stretches: Sequence[_Compared]) -> set[tuple[str, str]]:
    """Return who is charged for requests in minutes in which the journal has no call."""
    within: dict[Group, int] = {}
    for one in stretches:
        within[one.group] = within.get(one.group, 0) + one.requests
    return {group.payer for group, found in minutes.items() if found.requests > within.get(group, 0)}


@dataclass(frozen=True, slots=True)
class _Compared:
    """A stretch of calls beside what is reported of it."""

    group: Group
    stretch: Stretch
    minutes: Minutes
    terms: Terms
    known: Sequence[Call]
    doubtful: Sequence[Call]
    requests: int
    surplus: int
    """Reported requests beyond the calls that are known to be billed."""
    surplus_tokens: int | None
    """The tokens of those; None where a known call's are not known."""

    @classmethod
    def of(cls, group: Group, stretch: Stretch, minutes: Minutes, terms: Terms) -> _Compared:
        known = [call for call in stretch.calls if call.billed]
        doubtful = [call for call in stretch.calls if not call.billed]
        requests, tokens = minutes.sums(stretch.first, stretch.last)
        counted = [call.tokens for call in known if call.tokens is not None]
        left = tokens - sum(counted) if len(counted) == len(known) else None
        return cls(group, stretch, minutes, terms, known, doubtful, requests, requests - _count_calls(known), left)

    @property
    def is_whole(self) -> bool:
        """Whether nothing more comes into its reports."""
        return self._is_reported(self.stretch.last)

    def _is_reported(self, minute: int) -> bool:
        return (minute + 1) * MINUTE + self.terms.lateness <= self.terms.read_at

    @property
    def is_lacking(self) -> bool:
        """Whether known calls are not in the reports, though they should be."""
        return self.is_whole and (self.surplus < 0 or (self.surplus_tokens is not None and self.surplus_tokens < 0))

    @property
    def has_foreign(self) -> bool:
        """Whether the reports show calls that are not in the journal."""
        if self.surplus > len(self.doubtful):
            return True
        tokens = [call.tokens for call in self.doubtful]
        if not tokens or not self.is_whole or self.surplus_tokens is None or None in tokens or self.surplus < 0:
            return False
        found = _find_sums([each or 0 for each in tokens], self.surplus, self.surplus_tokens)
        return found is not None and not found

    def decide(self, *, has_foreign: bool) -> Iterator[tuple[str, Decision]]:
        """Yield the verdicts."""
        absent = {call.name: reason for call in self.doubtful if (reason := self._show_absence(call))}
        for name, reason in absent.items():
            yield name, Decision(Verdict.NOT_BILLED, reason)
        rest = [call for call in self.doubtful if call.name not in absent]
        verdicts = {} if has_foreign or not self.is_whole else dict(self._weigh(rest))
        for call in rest:
            yield call.name, verdicts.get(call.name) or self._give_up(call, has_foreign=has_foreign)

    def _show_absence(self, call: Call) -> str:
        """Return why a call cannot be among the reported ones, whoever else calls; empty if it can."""
        first, last = call.first(self.terms.border), call.last(self.terms.border)
        if not self._is_reported(last):
            return ""
        within = [one for one in self.known if one.first(self.terms.border) >= first
                  and one.last(self.terms.border) <= last]  # fmt: skip
        requests, tokens = self.minutes.sums(first, last)
        if requests == _count_calls(within):
            return f"the reports count {_count(requests)} in its minutes{', all of them known' if requests else ''}"
        left = tokens - sum(one.tokens or 0 for one in within)
        if call.tokens is not None and left < call.tokens:
            return f"the reports have {left} tokens beyond known calls in its minutes, and it has {call.tokens}"
        return ""

    def _weigh(self, rest: Sequence[Call]) -> Iterator[tuple[str, Decision]]:
        """Yield what numbers of requests and of tokens decide, where nobody else has called."""
        tokens = [call.tokens for call in rest if call.tokens is not None]
        solutions = None
        if len(tokens) == len(rest) and self.surplus_tokens is not None:
            solutions = _find_sums(tokens, self.surplus, self.surplus_tokens)
        if solutions:
            for place, call in enumerate(rest):
                if len(chosen := solutions[place]) == 1:
                    yield call.name, _by_tokens(billed=True in chosen, tokens=self.surplus_tokens or 0)
        elif solutions is None and self.terms.alone and self.surplus == len(rest):
            reason = f"the reports count {_count(self.surplus)} beyond known calls, as many as are in doubt"
            yield from ((call.name, Decision(Verdict.BILLED, reason)) for call in rest)
        elif solutions is None and self.terms.alone:
            yield from self._count_near(rest)

    def _count_near(self, rest: Sequence[Call]) -> Iterator[tuple[str, Decision]]:
        """Yield calls whose own minutes have more requests than all others that may be in them."""
        border = self.terms.border
        for call in rest:
            first, last = call.first(border), call.last(border)
            others = _count_calls([one for one in (*self.known, *rest) if one is not call
                                   and one.first(border) <= last and one.last(border) >= first])  # fmt: skip
            requests, _ = self.minutes.sums(first, last)
            if requests > others:
                reason = f"the reports count {_count(requests)} in its minutes, and only {others} others may be"
                yield call.name, Decision(Verdict.BILLED, reason)

    def _give_up(self, call: Call, *, has_foreign: bool) -> Decision:
        if not self._is_reported(call.last(self.terms.border)) or not self.is_whole:
            reason = "its minutes may not be reported whole yet; ask again later"
        elif has_foreign:
            reason = "others call on the same key, so a reported request may be theirs"
        elif not self.terms.alone and call.tokens is None:
            reason = "a reported request may be this one or somebody else's, as its tokens are not known"
        else:
            reason = f"{self.surplus} of {len(self.doubtful)} calls in doubt were billed, and more than one way fits"
        return Decision(Verdict.CANNOT_TELL, reason)


def _count_calls(calls: Iterable[Call]) -> int:
    return sum(call.count for call in calls)


def _count(requests: int) -> str:
    return f"{requests or 'no'} request{'' if requests < 2 else 's'}"


def _by_tokens(*, billed: bool, tokens: int) -> Decision:
    verdict = Verdict.BILLED if billed else Verdict.NOT_BILLED
    return Decision(verdict, f"only so do calls in doubt make up the {tokens} tokens beyond known calls")


def _find_sums(tokens: Sequence[int], count: int, total: int) -> list[set[bool]] | None:
    """Return of each call whether it is in a choice of so many calls with so many tokens: in some, in all, in none.

    An empty list where no choice fits; None where there are too many to look at.
    """
    before: list[set[tuple[int, int]]] = [{(0, 0)}]
    for each in tokens:
        reached = before[-1] | {(n + 1, sum_ + each) for n, sum_ in before[-1] if n < count and sum_ + each <= total}
        if len(reached) > MOST_SUMS:
            return None
        before.append(reached)
    wanted = {(count, total)} & before[-1]
    found: list[set[bool]] = []
    for each, reached in zip(reversed(tokens), reversed(before[:-1]), strict=True):
        without = wanted & reached
        taken = {(n - 1, sum_ - each) for n, sum_ in wanted} & reached
        found.append(({False} if without else set[bool]()) | ({True} if taken else set[bool]()))
        wanted = without | taken
    return found[::-1] if not found or found[0] else []
