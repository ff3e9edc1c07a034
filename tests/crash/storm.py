"""Everything that may befall a connector, drawn by lot for each kill."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from random import Random

from tests.crash.bench import ENDED, Bench
from tests.crash.receiving import free_port, until_open
from tests.crash.running import cold
from tests.crash.troubles import OFFSETS
from tests.crash.upstream import MOMENTS

__all__ = ["storm"]

ROUNDS = 8
HELD = 6
OFTEN = (6, 4, 1, 1)
"""How often it is which way to be killed."""
POINTS = (
    "delivery.intent.before", "delivery.intent.committed", "delivery.outcome.seen", "delivery.doubts.resolved",
    "worker.leased", "worker.settle.before", "worker.settle.committed", "reading.accept.committed",
    "wire.before", "wire.sent", "wire.headers", "wire.part", *MOMENTS,
)  # fmt: skip


class Storm:
    """Draws what happens, one kill after the other."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._chance = Random(bench.seed)
        self._events = 0
        self._left: list[str] = []

    def round(self, number: int) -> None:
        """Something that befalls the API and whoever runs the connector, and then a kill."""
        draw, bench = self._chance.random, self._bench
        bench.offer(self._chance.choice((0, 1, 2, 4)))
        bench.behave(
            late=2.0 if draw() < 0.1 else 0.0,
            broken=0.3 * (draw() < 0.2),
            spoilt=0.6 * (draw() < 0.2),
            offset=self._chance.choice(OFFSETS) if draw() < 0.3 else 0.0,
            hidden=0.2 * (draw() < 0.3),
        )
        if draw() < 0.15:
            bench.configured(f"client-{number}")
        kinds = [self._at_a_point, self._at_a_time, self._with_events, self._beside_another]
        with ExitStack() as torn:
            if draw() < 0.2:
                torn.enter_context(bench.torn(self._chance.randint(1, 60)))
            self._chance.choices(kinds, OFTEN)[0]()

    def rest(self) -> None:
        """The API behaves, and what was not acknowledged is sent again."""
        self._bench.behave()
        while self._left:
            self._served(lambda: None)

    def _at_a_point(self) -> None:
        point, nth = self._chance.choice(POINTS), self._chance.randint(1, 8)
        self._bench.crash(point, nth, self._chance.choice(("KILL", "KILL", "KILL", "TERM")))

    def _at_a_time(self) -> None:
        begin, self._bench.begin = self._bench.begin, cold if self._chance.random() < 0.1 else self._bench.begin
        try:
            clocks = [self._chance.choice(OFFSETS) for _ in range(4)] if self._bench.begin is cold else []
            run = self._bench.run(clocks=clocks)
        finally:
            self._bench.begin = begin
        time.sleep(self._chance.uniform(0.05, 0.9))
        run.send(signal.SIGKILL)
        self._bench.ended(run)

    def _with_events(self) -> None:
        self._left += [f"doc-hook-{self._events + n:05}" for n in range(6)]
        self._events += 6
        self._served(lambda: time.sleep(self._chance.uniform(0.0, 0.4)))

    def _served(self, before: Callable[[], None]) -> None:
        port = free_port()
        run = self._bench.run("serve", "--routes", "--port", str(port))
        until_open(port)
        self._left = self._bench.hook(port, self._left)
        before()
        run.send(signal.SIGKILL)
        self._bench.ended(run)

    def _beside_another(self) -> None:
        """A second runner on the same tasks; on a file of SQLite's it is sent away."""
        run = self._bench.run()
        time.sleep(self._chance.uniform(0.1, 0.5))
        begin, self._bench.begin = self._bench.begin, cold
        try:
            second = self._bench.run()
        finally:
            self._bench.begin = begin
        if self._chance.random() < 0.5:
            time.sleep(self._chance.uniform(0.0, 0.6))
        run.send(signal.SIGKILL)
        self._bench.ended(run)
        if self._chance.random() < 0.5:
            second.send(signal.SIGKILL)
        code = self._bench.ended(second, also=(HELD,))
        assert code in (HELD, -signal.SIGKILL, *ENDED), second.said


def storm(bench: Bench, times: int) -> None:
    """Kills, and whatever else, drawn by lot."""
    drawn = Storm(bench)
    for number in range(ROUNDS * times):
        drawn.round(number)
    drawn.rest()
