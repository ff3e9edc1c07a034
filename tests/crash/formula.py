"""The acceptance formula: what the upstream's own record says, held against what the connector says."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connector.engine import ENDS, Filter, Task, TaskState, open_store
from tests.crash.chains import judge_chains
from tests.crash.configuration import KINDS, LINES

__all__ = ["Evidence", "Verdict", "evidence", "judge"]

AGAIN = "sent again although it may have taken effect before"
"""How a task says that something may have been paid for twice."""
BY_HAND = "skipped by hand"
Effects = Mapping[tuple[str, str], int]


@dataclass(slots=True)
class Evidence:
    """Everything that is known when all is over.

    Attributes:
        offered: the documents that the sources have.
        told: (id, route, key) of what the store said that it had accepted.
        tasks: what the store holds.
        effects: how often something took effect, by operation and document.
        withheld: answers that nobody got although there was an effect.
        cut: calls that may have been under way when a process was killed.
        lines: the lines of every file.
        offers: how many documents each route was offered.
        hooked: the documents of events that were acknowledged.
        reserved: tokens of budgets that are still reserved for calls under way, of which there are none.
    """

    offered: Sequence[str]
    told: Sequence[tuple[int, str, str]]
    tasks: Sequence[Task]
    effects: Effects
    withheld: int
    cut: int
    lines: Mapping[str, Sequence[str]]
    offers: int = 0
    hooked: Sequence[str] = ()
    reserved: int = 0


@dataclass(slots=True)
class Verdict:
    """What the formula makes of it; every breach is a sentence.

    Attributes:
        lost: accepted and without an end, finished without an effect, or offered and never accepted.
        twice: effects too many that nobody was told of.
        repeated: effects too many that were allowed, and told.
    """

    tasks: int = 0
    unknown: int = 0
    lost: int = 0
    twice: int = 0
    repeated: int = 0
    breaches: list[str] = field(default_factory=list[str])


def judge(found: Evidence) -> Verdict:
    """Holds one against the other."""
    verdict = Verdict(tasks=len(found.tasks), unknown=sum(task.state is TaskState.UNKNOWN for task in found.tasks))
    _nothing_lost(found, verdict)
    for task in found.tasks:
        if task.route in KINDS:
            _effects_of(task, found, verdict)
    judge_chains(found, verdict)
    if found.reserved:
        verdict.breaches.append(f"{found.reserved} tokens are reserved, and no call is under way")
    if verdict.repeated > found.cut + found.withheld:
        verdict.breaches.append(f"{verdict.repeated} repeats, and only {found.cut} + {found.withheld} had a reason")
    for route, place in LINES.items():
        _lines(route, found.lines.get(place, ()), found.tasks, verdict)
    return verdict


def _nothing_lost(found: Evidence, verdict: Verdict) -> None:
    """Every accepted id has exactly one end, and everything that was offered was accepted once."""

    def lost(sentence: str) -> None:
        verdict.lost += 1
        verdict.breaches.append(sentence)

    by_id = {task.id: task for task in found.tasks}
    for id_, route, key in found.told:
        if id_ not in by_id or (by_id[id_].route, by_id[id_].key) != (route, key):
            lost(f"task {id_} ({route} {key}) was accepted and is not there")
    for task in found.tasks:
        if task.state not in ENDS:
            lost(f"task {task.id} ({task.route} {task.key}) has no end: {task.state}")
    keys = Counter(task.key for task in found.tasks if task.route in KINDS and KINDS[task.route].reads != "think")
    for key in found.offered:
        if keys[key] != 1:
            lost(f"{key} was offered and accepted {keys[key]} times")
    ended = {task.key for task in found.tasks if task.route == "think" and task.state is TaskState.FINISHED}
    followed = Counter(task.key for task in found.tasks if task.route == "follow")
    for key in ended.symmetric_difference(followed):
        lost(f"{key}: finished {key in ended}, and followed {followed[key]} times")
    verdict.breaches += [f"{key} was followed {count} times" for key, count in followed.items() if count > 1]


def _effects_of(task: Task, found: Evidence, verdict: Verdict) -> None:
    for operation, promise in KINDS[task.route].effects.items():
        times = found.effects.get((operation, task.key), 0)
        if task.state is TaskState.FINISHED and not times:
            verdict.lost += 1
            verdict.breaches.append(f"{task.key} is finished, and {operation} never took effect")
        skipped = task.state is TaskState.SKIPPED and task.reason == BY_HAND
        if task.state not in (TaskState.FINISHED, TaskState.UNKNOWN) and not skipped:
            verdict.breaches.append(f"{task.key} is {task.state}: {task.reason}")
        if promise == "idempotent" or times <= 1:
            continue
        if promise == "told" and (AGAIN in task.reason or task.state is TaskState.UNKNOWN):
            verdict.repeated += times - 1
        else:
            verdict.twice += times - 1
            verdict.breaches.append(
                f"{task.key} ({task.state}): {operation} took effect {times} times, told: {task.reason!r}"
            )


def _lines(route: str, lines: Sequence[str], tasks: Iterable[Task], verdict: Verdict) -> None:
    """Every finished document has one line, and nobody else has any."""
    written: Counter[str] = Counter()
    for line in lines:
        try:
            written[json.loads(line)["doc"]] += 1
        except ValueError:
            verdict.breaches.append(f"{LINES[route]} has a broken line: {line[:80]!r}")
    due = Counter(task.key for task in tasks if task.route == route and task.state is TaskState.FINISHED)
    for key in sorted({*written, *due}):
        if written[key] != due[key]:
            verdict.breaches.append(f"{key}: {written[key]} lines in {LINES[route]}, and {due[key]} are due")


async def evidence(folder: Path, engine: str, *, cut: int) -> Evidence:
    """What there is to know of a run that is over."""
    tasks = [task async for task in _all(engine)]
    effects: defaultdict[tuple[str, str], int] = defaultdict(int)
    withheld = 0
    for effect in _records(folder / "effects.jsonl"):
        withheld += effect["dropped"]
        for document in effect["documents"]:
            effects[effect["operation"], document] += 1
    told = [(id_, route, key) for id_, route, key in _records(folder / "accepted")]
    lines = {place: _text(folder / place).split("\n")[:-1] for place in LINES.values()}
    offers = int((folder / "offered").read_text())
    hooked = _text(folder / "hooked").split()
    reserved = await _reserved(engine)
    return Evidence(_offered(folder), told, tasks, effects, withheld, cut, lines, offers, hooked, reserved)


async def _reserved(engine: str) -> int:
    """The tokens that are reserved for calls under way; those of calls without a known end are of their period."""
    store = await open_store(engine, role="admin")
    try:
        return sum([(await store.reserved(route, LATER)).tokens for route in KINDS])
    finally:
        await store.close()


LATER = 10.0**11
"""A period that has not begun."""


def _offered(folder: Path) -> list[str]:
    offered = [record["doc"] for path in folder.glob("in-*.jsonl") for record in _records(path)]
    return offered + [f"doc-del-{n:05}" for n in range(int((folder / "offered").read_text()))]


async def _all(engine: str):
    store = await open_store(engine, role="admin")
    try:
        last = 0
        while tasks := await store.tasks(Filter(), after=last, limit=1000):
            for task in tasks:
                yield task
            last = tasks[-1].id
    finally:
        await store.close()


def _records(path: Path) -> list:
    return [json.loads(line) for line in _text(path).splitlines()]


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
