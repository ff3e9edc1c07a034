"""A month of random loads, batches and outages, through the rule by which tasks take their transport.

The rule is the product's own. The account around it is drawn: how long batches take and how evenly their lines are
answered, batches that expire, calls, cancellations, hours without the API; and for half of the months the other
transports: how slow flex is and when it has no room, and how late in its window a response is made. Two others live
through the same month: one that makes standard calls alone, and an oracle that knows what is to come and has every line
by the cheapest transport that, begun at once, has answered it by the time it is needed.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time
from random import Random

from connector.delivery.deadlines.choice import Rest, Transport, choose, find_reserve, must_move_up
from connector.delivery.deadlines.durations import Observation
from connector.delivery.deadlines.needed import NeededBy
from connector.delivery.deadlines.waits import AHEAD, BATCH, CALLS, CANCELLATIONS, OUTAGE, find_room, rest_of

__all__ = ["Month", "judge", "live", "report"]

BEGIN, DAY = 1_790_000_000.0, 86_400.0
DAYS, LOOK = 30, 300.0
"""The length of a month, and the seconds between two looks at what is under way."""
TOGETHER = 16
KEPT, LEARN = 300, 1_800.0
REFUSED = 60.0
"""Seconds after which a request that flex had no room for goes another way."""
EVERY_OTHER = {"flex": 0.5, "priority": 2.0, "window-2h": 0.7, "window-8h": 0.6}
STANDARD, FLEX = "standard", "flex"
PRICES = {STANDARD: 1.0, "batch": 0.5, **EVERY_OTHER}
PROMISED = 0.8


@dataclass(frozen=True, slots=True)
class Month:
    """What a month came to, in prices of standard calls.

    Attributes:
        tasks: how many tasks came.
        broken: answers that came late and would have been in time by standard calls.
        late: answers that came late.
        late_anyway: answers that standard calls would have had late.
        moved: tasks that moved up.
        saved: what was saved against standard calls alone.
        oracle: what the oracle saves.
        taken: how many tasks were answered by each transport.
    """

    seed: int
    tasks: int
    broken: int
    late: int
    late_anyway: int
    moved: int
    saved: float
    oracle: float
    taken: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def share(self) -> float:
        return self.saved / self.oracle if self.oracle else 1.0


@dataclass(slots=True)
class _Group:
    """Tasks that came together, and the batch that they are in or would have been in."""

    came: float
    needed: float
    count: int
    takes: float
    """Seconds of work of their batch; more than a day expires."""
    first: float
    """The share of that time before the first line is answered."""
    cancels: float
    last: float
    """How long its last single call takes."""
    single: float = 0.0
    """When the last of them would have been answered by standard calls."""
    settled: float = math.inf
    """When their cancellation is settled."""
    others: dict[str, float] = field(default_factory=dict[str, float])
    """Seconds that one call takes by another transport; infinite where it has no room."""

    def takes_by(self, name: str, count: int) -> float:
        """Return how long some of them take by another transport; responses with a window are made all at once."""
        at_once = count if name.startswith("window") else TOGETHER
        return math.ceil(count / at_once) * self.others[name] if count else 0.0


@dataclass(slots=True)
class _Queue:
    """Standard calls, one group after the other."""

    free: float = 0.0

    def answer(self, world: _World, at: float, group: _Group, count: int) -> float:
        """Return when the last of some calls of a group is answered that are made at a time."""
        begins = max(at, self.free)
        worked = math.ceil(count / TOGETHER) * world.call_seconds + group.last
        self.free = world.after_work(begins, worked)
        return self.free


@dataclass(slots=True)
class _World:
    """What is drawn."""

    chance: Random
    outages: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    call_seconds: float = 6.0
    others: Mapping[str, float] = field(default_factory=dict[str, float])
    """The prices of the other transports."""

    def after_work(self, begins: float, seconds: float) -> float:
        """Return when work is done that stands still while the API is away."""
        ends = begins + seconds
        for out, back in self.outages:
            if out < ends and back > begins:
                ends += back - max(out, begins)
        return ends

    def worked(self, begins: float, ends: float) -> float:
        """Return how long the API was there in a time."""
        away = sum(max(min(back, ends) - max(out, begins), 0.0) for out, back in self.outages)
        return max(ends - begins - away, 0.0)

    def answered(self, group: _Group, at: float) -> int:
        """Return how many lines of a batch are answered at a time."""
        worked = min(self.worked(group.came, at), DAY)
        begun = group.first * group.takes
        share = (worked - begun) / max(group.takes - begun, 1.0)
        return group.count if worked >= group.takes else max(min(int(share * group.count), group.count), 0)

    def ends(self, group: _Group) -> float:
        """Return when a batch comes to its end: all is answered, or it expires."""
        return min(self.after_work(group.came, group.takes), group.came + DAY)


def _draw(seed: int) -> tuple[_World, list[_Group]]:
    chance = Random(seed)
    world = _World(chance, call_seconds=chance.uniform(2.0, 15.0))
    world.outages = sorted(
        (began, began + chance.uniform(300.0, 5_400.0))
        for began in (BEGIN + chance.uniform(0.0, DAYS * DAY) for _ in range(chance.randint(1, 5)))
    )
    zones = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu")
    needed = (
        NeededBy(at=time(chance.randrange(24), chance.choice((0, 30))), zone=chance.choice(zones))
        if chance.random() < 0.5
        else NeededBy(within=chance.choice((4, 6, 8, 12, 20)) * 3_600.0)
    )
    middle, spread, slow = chance.uniform(900.0, 9_000.0), chance.uniform(0.3, 1.0), chance.uniform(0.0, 0.08)
    rate, groups, at = chance.uniform(8.0, 40.0), list[_Group](), BEGIN
    while at < BEGIN + DAYS * DAY:
        at += chance.expovariate(rate / DAY)
        count = max(1, int(chance.paretovariate(1.2))) * chance.choice((1, 10, 50))
        takes = middle * math.exp(chance.gauss(0.0, spread)) * (chance.uniform(5, 40) if chance.random() < slow else 1)
        even = chance.uniform(0.1, 0.9) if chance.random() < 0.8 else 1.0
        cancels = min(60.0 * math.exp(chance.gauss(0.0, 0.8)), 600.0)
        groups.append(_Group(at, needed.deadline(at), min(count, 2_000), takes, even, cancels,
                             chance.expovariate(1 / world.call_seconds)))  # fmt: skip
    if seed % 2 == 0:
        _draw_others(Random(-seed), world, groups)
    return world, groups


def _draw_others(chance: Random, world: _World, groups: Sequence[_Group]) -> None:
    """Draw what the other transports do with each group; a chance of its own keeps the rest of the month as it is."""
    named = chance.choice((("flex", "priority"), ("window-2h", "window-8h"), ("priority",), (*EVERY_OTHER,)))
    world.others = {name: EVERY_OTHER[name] for name in named}
    slower, faster, room = chance.uniform(1.5, 20.0), chance.uniform(0.3, 0.8), chance.uniform(0.3, 0.95)
    late = chance.uniform(0.1, 0.9)
    for group in groups:
        each = world.call_seconds * chance.uniform(0.5, 1.5)
        found = {
            "flex": each * slower if chance.random() < room else math.inf,
            "priority": each * faster,
            "window-2h": 7_200.0 * min(late * chance.uniform(0.3, 1.3), 1.0),
            "window-8h": 28_800.0 * min(late * chance.uniform(0.3, 1.3), 1.0),
        }
        group.others = {name: found[name] for name in world.others}


class _Account:
    """What is known while the month goes by, and what is decided of it."""

    def __init__(self, world: _World) -> None:
        self._world = world
        self._seen: defaultdict[str, list[Observation]] = defaultdict(list)
        self._learned = 0.0
        self._ahead = AHEAD if FLEX in world.others else 0.0
        self.under_way: list[_Group] = []
        self.queue = _Queue()

    def look(self, now: float) -> None:
        """Take up what is known now."""
        if now - self._learned >= LEARN:
            self._learned = now
            self._relearn(now)
        over = [back - out for out, back in self._world.outages if back <= now]
        lines = sum(group.count for group in self.under_way)
        each = max(self.standard.takes.quantile(0.5), 0.1)
        behind = max(self.queue.free - now, 0.0)
        self.rest = rest_of(lines, TOGETHER, each, max([OUTAGE, *over]), LOOK + behind + self._ahead)
        self._each = each

    def rest_with(self, waiting: int) -> Rest:
        """Return what is kept in hand, for tasks that wait for a place as well."""
        return replace(self.rest, queue=self.rest.queue + waiting / TOGETHER * self._each)

    def find_room(self, flex: Transport, now: float) -> int:
        """Return how many calls may go by flex."""
        return find_room(TOGETHER, flex.takes.quantile(0.5), AHEAD - max(self.queue.free - now, 0.0))

    def _relearn(self, now: float) -> None:
        lasting = [Observation(now - group.came, now, ended=False) for group in self.under_way]
        seen = defaultdict(list, {name: found[-KEPT:] for name, found in self._seen.items()})
        self.standard = Transport("standard", 1.0, CALLS["standard"].learn(seen["standard"], now))
        self.singles = [
            self.standard,
            *(
                Transport(name, price, CALLS[name].learn(seen[name], now), may_refuse=name == FLEX)
                for name, price in self._world.others.items()
            ),
        ]
        cancel = CANCELLATIONS.learn(seen["cancel"], now)
        self.batch = Transport("batch", 0.5, BATCH.learn([*seen["batch"], *lasting], now), cancel)

    def learn(self, what: str, seconds: float, now: float, *, ended: bool = True) -> None:
        self._seen[what].append(Observation(seconds, now, ended))


class _Life:
    """A month under way."""

    def __init__(self, world: _World, groups: Sequence[_Group]) -> None:
        self._world = world
        self._coming = list(reversed(groups))
        self._account = _Account(world)
        self.broken = self.late = self.moved = 0
        self.cost = 0.0
        self.taken: Counter[str] = Counter()

    def live(self) -> None:
        now, account = BEGIN, self._account
        while self._coming or account.under_way:
            now += LOOK
            account.look(now)
            self._collect(now)
            self._move_up(now)
            while self._coming and self._coming[-1].came <= now:
                self._begin(self._coming.pop(), now)

    def _collect(self, now: float) -> None:
        """Take what has ended, by itself or since it was cancelled."""
        for group in [one for one in self._account.under_way if min(self._world.ends(one), one.settled) <= now]:
            self._account.under_way.remove(group)
            ends = min(self._world.ends(group), group.settled)
            done = self._world.answered(group, ends)
            if math.isinf(group.settled):
                self._account.learn("batch", ends - group.came, now, ended=done == group.count)
            else:
                self.moved += group.count - done
            self._end(group, now, done, "batch")
            if left := group.count - done:
                self._take(group, left, now, self._account.singles)

    def _move_up(self, now: float) -> None:
        account = self._account
        waiting = [one for one in account.under_way if math.isinf(one.settled)]
        for group in sorted(waiting, key=lambda one: one.needed):
            if not must_move_up(account.batch, find_reserve(account.singles), group.needed - now, account.rest):
                break
            group.settled = self._world.after_work(now, group.cancels)
            account.learn("cancel", group.settled - now, group.settled)
            account.learn("batch", now - group.came, now, ended=False)

    def _begin(self, group: _Group, now: float) -> None:
        self._account.learn("standard", self._world.call_seconds * self._world.chance.uniform(0.5, 1.5), now)
        self._take(group, group.count, group.came, [*self._account.singles, self._account.batch], now - group.came)

    def _take(self, group: _Group, count: int, at: float, ways: Sequence[Transport], late: float = 0.0) -> None:
        """Send tasks at a time by what is chosen for them; who looks at batches comes seconds later.

        They go so many at a time, and for those that have waited meanwhile it is chosen anew.
        """
        account = self._account
        chosen = choose(ways, group.needed - at - late, account.rest_with(count)).transport
        if chosen is account.batch:
            account.under_way.append(group)
        elif chosen is account.standard:
            self._end(group, account.queue.answer(self._world, at, group, count), count, STANDARD)
        elif math.isinf(each := group.others[chosen.name]):
            self._take(group, count, at + REFUSED, [one for one in ways if one is not chosen], late)
        elif chosen.name.startswith("window"):
            self._answer(group, count, at, chosen.name)
        elif chosen.name == FLEX and count > (room := account.find_room(chosen, at)):
            others = [one for one in ways if one is not chosen]
            self._take(replace(group, count=count - room), count - room, at, others, late)
            if room:
                self._take(replace(group, count=room), room, at, ways, late)
        else:
            begins, first = max(at, account.queue.free), min(count, TOGETHER)
            account.queue.free = self._answer(group, first, begins, chosen.name)
            if count > first:
                self._take(group, count - first, begins + each, account.singles)

    def _answer(self, group: _Group, count: int, begins: float, name: str) -> float:
        """Answer tasks by one of the other transports; return when that is done."""
        ends = self._world.after_work(begins, group.others[name])
        self._account.learn(name, group.others[name], ends)
        self._end(group, ends, count, name)
        return ends

    def _end(self, group: _Group, at: float, count: int, name: str) -> None:
        self.cost += count * PRICES[name]
        self.taken[name] += count
        self.late += count * (at > group.needed)
        self.broken += count * (at > group.needed >= group.single)


def live(seed: int) -> Month:
    """Live through a month; return what it came to."""
    world, groups = _draw(seed)
    alone = _Queue()
    for group in groups:
        group.single = alone.answer(world, group.came, group, group.count)
    life = _Life(world, groups)
    life.live()
    tasks = sum(group.count for group in groups)
    oracle = sum(_most_saved(world, group) for group in groups)
    anyway = sum(group.count for group in groups if group.single > group.needed)
    return Month(seed, tasks, life.broken, life.late, anyway, life.moved, tasks - life.cost, oracle, life.taken)


def _most_saved(world: _World, group: _Group) -> float:
    """Return what somebody saves of a group who knows how long everything takes."""
    answered = world.answered(group, group.needed)
    best = max(
        (1.0 - PRICES[name] for name, each in group.others.items()
         if not math.isinf(each)
         and world.after_work(group.came, group.takes_by(name, group.count)) <= group.needed),
        default=0.0,
    )  # fmt: skip
    return max(0.5, best) * answered + max(best, 0.0) * (group.count - answered)


def report(months: Sequence[Month]) -> list[str]:
    """Return the figures of some months, a line each."""
    tasks, saved, oracle = sum(m.tasks for m in months), sum(m.saved for m in months), sum(m.oracle for m in months)
    least = min(months, key=lambda month: month.share)
    taken = sum((Counter(month.taken) for month in months), Counter[str]())
    with_others = [month for month in months if set(month.taken) - {"batch", "standard"}]
    share = sum(m.saved for m in with_others) / (sum(m.oracle for m in with_others) or 1.0)
    return [
        f"  {tasks:,} tasks; {sum(m.moved for m in months):,} moved up",
        f"  deadlines missed that standard calls would have met: {sum(m.broken for m in months):,}",
        f"  deadlines missed: {sum(m.late for m in months):,}; by standard calls: "
        f"{sum(m.late_anyway for m in months):,}",
        f"  saved against standard calls alone: {saved / tasks:.1%} of the money; the oracle saves {oracle / tasks:.1%}",
        f"  of what the oracle saves: {saved / oracle:.1%}; least {least.share:.1%} with seed {least.seed}",
        f"  the {len(with_others)} months in which other transports were taken: {share:.1%} of what the oracle saves",
        f"  answered by {', '.join(f'{name} {count:,}' for name, count in taken.most_common())}",
    ]


def judge(months: Sequence[Month]) -> list[str]:
    """Return what is not as promised."""
    broken = [m.seed for m in months if m.broken]
    share = sum(m.saved for m in months) / sum(m.oracle for m in months)
    found = [f"deadlines were missed that standard calls would have met, with seeds {broken}"] if broken else []
    return found + ([f"{share:.1%} of what the oracle saves is less than {PROMISED:.0%}"] if share < PROMISED else [])
