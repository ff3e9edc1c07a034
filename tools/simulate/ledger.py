"""Verdicts on calls without a known end, held against days whose bill is late, whose keys are shared and clocks off."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from connector.money.ledger.groups import MINUTE, Call, Group, Reported
from connector.money.ledger.verdicts import Terms, Verdict, decide

__all__ = ["Day", "judge", "live", "report"]

HOURS, LATENESS, BORDER, LIMIT = 8, 3600.0, 2.0, 30.0
NOON = 1_795_000_020
MODELS = ("gpt-6-luna", "gpt-6.1-terra", "text-embedding-3-small")
PROMISED_SHARE, PROMISED_CALLS = 0.2, 10_000


@dataclass(slots=True)
class Day:
    """How the verdicts of one day came out."""

    seed: int
    alone: bool
    right: int = 0
    wrong: int = 0
    undecided: int = 0
    reasons: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def unknowns(self) -> int:
        """The calls in doubt."""
        return self.right + self.wrong + self.undecided


@dataclass(slots=True)
class _World:
    """What happened, and what the bill says of it."""

    chance: Random
    tells_tokens: float
    calls: list[Call] = field(default_factory=list[Call])
    billed: dict[str, bool] = field(default_factory=dict[str, bool])
    noted: list[tuple[Group, float, int]] = field(default_factory=list[tuple[Group, float, int]])

    def draw_tokens(self) -> int:
        """Return the tokens of an input; some templates are sent again and again."""
        return self.chance.choice((120, 121, 350)) if self.chance.random() < 0.2 else self.chance.randint(30, 6000)

    def make(self, group: Group, began: float, *, doubt: bool, billed: bool) -> None:
        """Make one call; the bill notes it anywhere within, by a clock that is off."""
        tokens, took = self.draw_tokens(), min(self.chance.expovariate(1 / 2.0), LIMIT)
        name = str(len(self.calls))
        latest = began + (LIMIT if doubt else took)
        known = not doubt or self.chance.random() < self.tells_tokens
        self.calls.append(
            Call(name=name, group=group, earliest=began, latest=latest, tokens=tokens if known else None,
                 billed=not doubt)
        )  # fmt: skip
        if doubt:
            self.billed[name] = billed
        if billed:
            at = self.chance.uniform(began, latest) + self.chance.uniform(-BORDER, BORDER)
            self.noted.append((group, at, tokens))

    def bill(self, read_at: float, late: float) -> Iterator[Reported]:
        """Yield what is reported by now."""
        for group, at, tokens in self.noted:
            start = int(at // MINUTE) * MINUTE
            if start + MINUTE + self.chance.uniform(0, late) <= read_at:
                yield Reported(group=group, start=start, requests=1, tokens=tokens)


def live(seed: int) -> Day:
    """Return how the verdicts of a random day came out."""
    chance = Random(seed)
    is_shared = chance.random() < 0.12
    alone = not is_shared and chance.random() < 0.6
    world = _World(chance, tells_tokens=chance.choice((0.0, 0.7, 1.0)) if alone else chance.choice((0.9, 1.0)))
    for model in MODELS:
        _fill(world, Group("completions", model, "proj_a", "key_a"), is_shared=is_shared)
    # Some read the reports early: what is not there yet may still come.
    read_at = NOON + HOURS * 3600 + (chance.uniform(-3600, 3600) if chance.random() < 0.1 else 2 * LATENESS)
    terms = Terms(read_at=read_at, lateness=LATENESS, border=BORDER, alone=alone)
    return _judge_day(Day(seed, alone), world, terms)


def _fill(world: _World, group: Group, *, is_shared: bool) -> None:
    """Fill a day with calls, with failures alone and in bursts, and with calls of others."""
    chance, end = world.chance, NOON + HOURS * 3600
    rate = math.exp(chance.uniform(math.log(0.2), math.log(6))) / MINUTE
    at = float(NOON)
    while (at := at + chance.expovariate(rate)) < end:
        world.make(group, at, doubt=False, billed=True)
    for _ in range(chance.randint(4, 10)):
        outage, mostly = chance.uniform(NOON, end), chance.choice((0.0, 0.0, 1.0, 1.0, 0.5))
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            began = outage + chance.uniform(0, 40)
            world.make(group, began, doubt=True, billed=chance.random() < mostly)
    if is_shared:
        for _ in range(chance.randint(5, 300)):
            world.noted.append((group, chance.uniform(NOON, end), world.draw_tokens()))


def _judge_day(day: Day, world: _World, terms: Terms) -> Day:
    found = decide(world.calls, list(world.bill(terms.read_at, LATENESS)), terms)
    for name, billed in world.billed.items():
        decision = found[name]
        if decision.verdict is Verdict.CANNOT_TELL:
            day.undecided += 1
            kind = "".join(letter for letter in decision.reason if not letter.isdigit())
            day.reasons[kind] = day.reasons.get(kind, 0) + 1
        elif (decision.verdict is Verdict.BILLED) == billed:
            day.right += 1
        else:
            day.wrong += 1
    return day


def report(days: Sequence[Day]) -> Iterator[str]:
    """Yield the figures."""
    unknowns = sum(day.unknowns for day in days)
    yield f"  {unknowns:,} calls without a known end, {sum(day.wrong for day in days)} wrong verdicts"
    for name, some in (("all", days), ("with --alone", [day for day in days if day.alone]),
                       ("without it", [day for day in days if not day.alone])):  # fmt: skip
        count = sum(day.unknowns for day in some)
        yield f"  {name:<13}{count:>7,} calls, cannot tell: {_share(some):.1%}"
    reasons: dict[str, int] = {}
    for day in days:
        for reason, count in day.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
    for reason, count in sorted(reasons.items(), key=lambda pair: -pair[1]):
        yield f"  {count:>6,}  {' '.join(reason.split())}"


def judge(days: Sequence[Day]) -> list[str]:
    """Return what is not as promised."""
    broken = [f"wrong verdicts with seed {day.seed}: {day.wrong}" for day in days if day.wrong]
    if (unknowns := sum(day.unknowns for day in days)) < PROMISED_CALLS and len(days) >= 250:
        broken.append(f"only {unknowns:,} calls without a known end; {PROMISED_CALLS:,} are promised")
    if _share(days) > PROMISED_SHARE:
        broken.append(f"cannot tell of {_share(days):.1%}; at most {PROMISED_SHARE:.0%} are promised")
    return broken


def _share(days: Sequence[Day]) -> float:
    unknowns = sum(day.unknowns for day in days)
    return sum(day.undecided for day in days) / unknowns if unknowns else 0.0
