"""Which documents a route would deliver now: those that it would read, and those that wait; nothing moves on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from copy import copy
from dataclasses import dataclass, field
from random import Random
from typing import Any

from connector.delivery.route_spec import ANSWER, BATCH, ERROR, incoming_chain, parent_of, route_spec
from connector.engine import LIVE, Filter, NewTask, Store
from connector.intake.cursor import CursorState, step_back
from connector.intake.dead_letters import TaskFactory, is_dead_letter
from connector.intake.receivers import receives
from connector.model import JSON
from connector.pipeline import IncomingRun, Runtime
from connector.pipeline.explain import without_effects
from connector.pipeline.reader import ReadResult
from connector.timing import Timing

__all__ = ["Sample", "Sampler"]

MOST_READ = 200_000
"""Documents that are counted; of a longer reading the rest is not looked at."""
PATIENCE = 30.0
"""Seconds that counting may take."""


@dataclass(slots=True)
class Sample:
    """Some of the documents, and how many there are.

    Attributes:
        documents: those that were chosen at random.
        read: how many documents the reading gives now.
        new: how many of them, as far as the sample shows, the route has not delivered before.
        waiting: how many wait in the store.
        is_whole: whether the reading was counted to its end.
        unfit: how many could not be read.
        raw: whether they are as they came, since the incoming connection's chain makes calls.
        notes: what else is to be known of them.
    """

    documents: list[JSON] = field(default_factory=list[JSON])
    read: int = 0
    new: float = 0.0
    waiting: int = 0
    is_whole: bool = True
    unfit: int = 0
    raw: bool = False
    notes: list[str] = field(default_factory=list[str])

    @property
    def number(self) -> float:
        """How many documents are to be delivered."""
        return self.new + self.waiting


class Sampler:
    """Takes samples of a route's documents.

    Args:
        runtime: the opened configuration.
        store: where its tasks are.
        route: the route's name.
        most: how many documents a sample has.
        chance: chooses them.
        timing: the clock by which counting is given up.
    """

    def __init__(self, runtime: Runtime, store: Store, route: str, most: int, chance: Random, timing: Timing) -> None:
        self._runtime = copy(runtime)
        self._runtime.chained = without_effects(runtime)
        self._store = store
        self._route = route
        self._settings: Any = runtime.configuration.find("routes", route)
        self._most = most
        self._chance = chance
        self._timing = timing

    async def take(self) -> Sample:
        """Return a sample of all that is to be delivered, in the share that each part of it has."""
        sample = Sample()
        read = await self._read(sample)
        new = [task for task in read if not await self._is_known(task)]
        sample.new = sample.read * len(new) / len(read) if read else 0.0
        waiting = await self._waiting(sample)
        sample.documents = self._mix([task.document for task in new], waiting, sample)
        return sample

    def _mix(self, new: Sequence[JSON], waiting: Sequence[JSON], sample: Sample) -> list[JSON]:
        if not new or not waiting:
            return [*new, *waiting]
        share = sample.new / sample.number
        most = min(self._most, len(new) / share, len(waiting) / (1 - share))
        return [
            *self._chance.sample(new, min(len(new), max(1, round(most * share)))),
            *self._chance.sample(waiting, min(len(waiting), max(1, round(most * (1 - share))))),
        ]

    async def _read(self, sample: Sample) -> list[NewTask]:
        """Return some of the tasks that a reading would make now, each as likely as any other."""
        configuration, name = self._runtime.configuration, self._settings.incoming
        if configuration.incoming[name].subscriber.prototype == "route":
            sample.notes.append("it reads the answers of another route, so only what waits is counted")
            return []
        if receives(configuration, self._route):
            sample.notes.append("it takes webhooks, which nobody can read ahead, so only what waits is counted")
            return []
        sample.raw = incoming_chain(self._runtime, name).calls
        intake = route_spec(self._runtime, f"{self._route}:incoming") if sample.raw else None
        factory = TaskFactory(self._runtime, self._route, intake=intake)
        run, position = await self._open(name)
        chosen: list[NewTask] = []
        until = self._timing.clock() + PATIENCE
        async with aclosing(run.read(position.marked, raw=factory.takes_raw)) as found:
            async for result in found:
                if not isinstance(result, ReadResult):
                    continue
                tasks, failed = factory.tasks(result)
                sample.unfit += failed
                for task in () if failed else tasks:
                    sample.read += 1
                    self._choose(chosen, task, sample.read)
                if sample.read >= MOST_READ or self._timing.clock() > until:
                    sample.is_whole = False
                    sample.notes.append(f"the reading goes on after the {sample.read:,} documents that were counted")
                    break
        return chosen

    async def _open(self, name: str) -> tuple[IncomingRun, CursorState]:
        """Return a reading that begins where the next one of the route would."""
        incoming: Any = self._runtime.configuration.find("incoming", name)
        position = CursorState(self._store, self._route, lasting=incoming.mode != "full", redact=self._runtime.redact)
        await position.load()
        state: dict[str, JSON] = {}
        if incoming.cursor is not None:
            reached = None if incoming.mode == "full" else position.position.value
            start = incoming.cursor.start
            state["cursor"] = start if reached is None else step_back(reached, incoming.cursor.overlap)
        return IncomingRun(self._runtime, name, state=state), position

    def _choose(self, chosen: list[NewTask], task: NewTask, number: int) -> None:
        if len(chosen) < self._most:
            chosen.append(task)
        elif (place := self._chance.randrange(number)) < self._most:
            chosen[place] = task

    async def _is_known(self, task: NewTask) -> bool:
        """Return whether the route has taken the document before, as far as its tasks are still kept."""
        if not task.identity:
            return False
        known = await self._store.tasks(Filter(route=task.route, key=task.key), limit=1_000)
        return bool(known) and task.repeats(known[-1].version)

    async def _waiting(self, sample: Sample) -> list[JSON]:
        """Return some of the documents that wait, each about as likely as any other."""
        counts = await self._store.counts()
        found: list[JSON] = []
        for name, states in counts.items():
            parent, ending = parent_of(name)
            number = sum(count for state, count in states.items() if state in LIVE)
            if parent != self._route or ending in (ANSWER, ERROR, BATCH) or not number:
                continue
            sample.waiting += number
            tasks = await self._store.tasks(Filter(route=name, states=sorted(LIVE)), limit=self._most)
            if ending:
                sample.notes.append(f"{number:,} documents wait in {name}, whose chain has yet to make calls")
            else:
                found += [task.document for task in tasks if not is_dead_letter(task.document)]
        return found
