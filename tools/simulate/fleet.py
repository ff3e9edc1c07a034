"""A thousand processes on one account: demands that change, deaths, processes that are cut off, a database that is away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from connector.fleet import MemoryDivider
from connector.fleet.part import PERIOD, Part

__all__ = ["Fleet", "judge", "live", "report"]

PROCESSES, SECONDS, STEPS = 1000, 300, 10
MINUTE = 60
SETTLED = 3
"""Seconds after an outage in which the division comes back."""
PROMISED_MOST, PROMISED_USED = 1.02, 0.98


@dataclass(slots=True)
class Fleet:
    """What came of the limit of one fleet.

    Attributes:
        flow: what flows in a second, for all.
        used: by second.
        busy: whether, in a second with the database there, more waited than the limit lets through, in processes that
            could reach it.
    """

    seed: int
    flow: float
    deaths: int = 0
    cut_off: int = 0
    outages: int = 0
    used: list[int] = field(default_factory=list[int])
    busy: list[bool] = field(default_factory=list[bool])

    @property
    def worst_minute(self) -> float:
        """The most that was used in a minute, as a part of the limit."""
        sums = [0, *accumulate(self.used)]
        most = max(sums[at + MINUTE] - sums[at] for at in range(len(self.used) - MINUTE + 1))
        return most / (self.flow * MINUTE)

    @property
    def busy_use(self) -> float:
        """How much of the limit was used while more waited."""
        used = sum(each for each, busy in zip(self.used, self.busy, strict=True) if busy)
        return used / (self.flow * max(sum(self.busy), 1))


@dataclass(slots=True)
class _Process:
    """A process with calls that wait."""

    name: str
    share: Part
    demand: float
    asks_at: float
    waiting: int = 0
    away_until: float = 0.0


@dataclass(slots=True)
class _World:
    """What the processes of a fleet live in."""

    chance: Random
    fleet: Fleet
    size: int
    load: float
    now: float = 0.0
    made: int = 0

    def make(self) -> _Process:
        self.made += 1
        share = Part("limit", self.fleet.flow, self.now)
        return _Process(f"p{self.made}", share, self.draw_demand(), self.now + self.chance.random())

    def draw_demand(self) -> float:
        """Return calls a second: most processes want little, some much."""
        mean = self.load * self.fleet.flow / self.size
        return self.chance.expovariate(1 / mean) * self.chance.choice((0, 0.5, 1, 2.5))

    def draw_calls(self, demand: float) -> int:
        """Return how many calls come within one step."""
        whole, rest = divmod(demand / STEPS, 1)
        return int(whole) + (self.chance.random() < rest)


def live(seed: int, size: int = PROCESSES, seconds: int = SECONDS) -> Fleet:
    """Let a fleet live for some minutes."""
    chance = Random(seed)
    fleet = Fleet(seed, flow=chance.choice((10, 50, 200, 1000)))
    world = _World(chance, fleet, size, load=chance.choice((0.5, 1.2, 2, 4)))
    divider = MemoryDivider(lambda: world.now)
    processes = [world.make() for _ in range(size)]
    outages = [
        (begin := chance.uniform(seconds / 5, seconds * 4 / 5), begin + chance.choice((1, 5, 20))) for _ in range(2)
    ]
    fleet.outages = len(outages)
    for second in range(seconds):
        waited, used = sum(each.waiting for each in processes if each.away_until < second - SETTLED), 0
        for step in range(STEPS):
            world.now = second + step / STEPS
            is_away = any(begin <= world.now < end for begin, end in outages)
            used += sum(_go_on(process, world, divider, is_away=is_away) for process in processes)
        fleet.used.append(used)
        lost = any(begin - 1 <= second < end + SETTLED for begin, end in outages)
        fleet.busy.append(waited > fleet.flow and second >= SETTLED and not lost)
        _trouble(processes, world)
    return fleet


def _go_on(process: _Process, world: _World, divider: MemoryDivider, *, is_away: bool) -> int:
    """Let a process go on by one step; return how many calls it made."""
    share, made = process.share, 0
    if calls := world.draw_calls(process.demand):
        share.arrive(calls)
        process.waiting += calls
    if world.now >= process.asks_at:
        process.asks_at = world.now + PERIOD
        asked = share.ask(process.waiting, 1)
        if is_away or world.now < process.away_until:
            share.miss(world.now)
        else:
            share.receive(asked, divider.divide(process.name, [asked])[0], world.now)
    while process.waiting and share.has(1, world.now):
        share.take(1)
        process.waiting -= 1
        made += 1
    return made


def _trouble(processes: list[_Process], world: _World) -> None:
    """Let processes die, be cut off from the database alone, and change what they want."""
    chance = world.chance
    for place, process in enumerate(processes):
        drawn = chance.random()
        if drawn < 0.0005:
            processes[place] = world.make()
            world.fleet.deaths += 1
        elif drawn < 0.001:
            process.away_until = world.now + chance.choice((1, 5, 30))
            world.fleet.cut_off += 1
        elif drawn < 0.03:
            process.demand = world.draw_demand()


def report(fleets: Sequence[Fleet]) -> Sequence[str]:
    """Return the figures."""
    busy = [fleet for fleet in fleets if sum(fleet.busy) >= MINUTE]
    seconds = sum(sum(fleet.busy) for fleet in busy)
    worst = max(fleet.worst_minute for fleet in fleets)
    least = min(fleet.busy_use for fleet in busy)
    mean = sum(fleet.busy_use * sum(fleet.busy) for fleet in busy) / seconds
    return [
        f"  {len(fleets)} fleets of {PROCESSES} processes, {SECONDS} s each: {sum(each.deaths for each in fleets)} deaths,"
        f" {sum(each.cut_off for each in fleets)} processes cut off, {sum(each.outages for each in fleets)} outages",
        f"  the most in any minute: {worst:.2%} of the limit (at most {PROMISED_MOST:.0%} is promised)",
        f"  used while more waited ({seconds} s of {len(busy)} fleets): {mean:.2%}, and {least:.2%} in the worst fleet"
        f" (at least {PROMISED_USED:.0%})",
    ]


def judge(fleets: Sequence[Fleet]) -> Sequence[str]:
    """Return what is not as promised."""
    return [
        *(
            f"fleet {fleet.seed}: {fleet.worst_minute:.2%} of the limit was used in a minute"
            for fleet in fleets
            if fleet.worst_minute > PROMISED_MOST
        ),
        *(
            f"fleet {fleet.seed}: only {fleet.busy_use:.2%} of the limit was used while more waited"
            for fleet in fleets
            if sum(fleet.busy) >= MINUTE and fleet.busy_use < PROMISED_USED
        ),
    ]
