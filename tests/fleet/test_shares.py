"""Clients wait for their process's share, which is asked for once a second and shrinks without a divider."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

import pytest

from connector.fleet import Answer, Ask, Away, FleetShares, Grant, MemoryDivider, Sign
from connector.fleet.division import KEPT, PROBE
from connector.fleet.part import Part
from connector.timing import Timing


class VirtualTime:
    """Time that goes on to the next waiter when all wait."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._waiting: list[tuple[float, asyncio.Future[None]]] = []

    async def sleep(self, seconds: float) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self.now + seconds, place))
        await place

    async def run(self, seconds: float) -> None:
        """Let so many seconds pass."""
        until = self.now + seconds
        while True:
            for _ in range(30):
                await asyncio.sleep(0)
            self._waiting = [(due, place) for due, place in self._waiting if not place.done()]
            due, place = min(self._waiting, key=lambda each: each[0], default=(until, None))
            if place is None or due > until:
                self.now = until
                return
            self.now = max(self.now, due)
            place.set_result(None)

    @property
    def timing(self) -> Timing:
        return Timing(clock=lambda: self.now, sleep=self.sleep)


class Unsteady(MemoryDivider):
    """A divider that is away when the test says so."""

    is_away = False
    questions = 0

    async def exchange(self, process: str, asks: Sequence[Ask], signs: Sequence[Sign]) -> Answer:
        self.questions += 1
        if self.is_away:
            raise Away("the database is away")
        return await super().exchange(process, asks, signs)


class Fleet:
    """Processes with one account, each with a client that has more to do than it may."""

    def __init__(self, size: int, *, requests: float | None = None, tokens: float | None = None) -> None:
        self.time = VirtualTime()
        self.divider = Unsteady(lambda: self.time.now)
        self.shares = [FleetShares(self.divider, f"p{number}", self.time.timing) for number in range(size)]
        self.clients = [shares.account("account", requests=requests, tokens=tokens) for shares in self.shares]
        self.sent = [0] * size
        self.callers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for shares in self.shares:
            await shares.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        for caller in self.callers:
            caller.cancel()
        await asyncio.gather(*self.callers, return_exceptions=True)
        for shares in self.shares:
            await shares.close()

    def call(self, number: int, calls: int, tokens: int = 0) -> None:
        """Make calls at once, of one process."""
        for _ in range(calls):
            self.callers.append(asyncio.create_task(self._call(number, tokens)))

    async def _call(self, number: int, tokens: int) -> None:
        client = self.clients[number]
        await client.take(tokens)
        self.sent[number] += 1


async def test_processes_share_one_limit() -> None:
    async with Fleet(4, requests=600) as fleet:
        for number in range(3):
            fleet.call(number, 500)
        fleet.call(3, 3)
        await fleet.time.run(61)
        assert sum(fleet.sent) == pytest.approx(610, rel=0.02)
        assert fleet.sent[3] == 3
        assert min(fleet.sent[:3]) >= 180


async def test_it_is_asked_once_a_second_and_not_at_all_when_nothing_is_sent() -> None:
    async with Fleet(1, requests=600) as fleet:
        fleet.call(0, 300)
        await fleet.time.run(20)
        assert fleet.divider.questions <= 21
        await fleet.time.run(20)
        asked = fleet.divider.questions
        await fleet.time.run(600)
        assert fleet.divider.questions == asked


async def test_a_call_that_comes_alone_goes_at_once() -> None:
    async with Fleet(2, requests=600) as fleet:
        for number in (0, 1, 0, 1):
            await fleet.time.run(30)
            before = fleet.sent[number]
            fleet.call(number, 1)
            await fleet.time.run(0.01)
            assert fleet.sent[number] == before + 1


async def test_tokens_that_were_not_used_come_back() -> None:
    async with Fleet(1, tokens=6000) as fleet:
        fleet.call(0, 1000, tokens=100)
        client = fleet.clients[0]
        for _ in range(60):
            await fleet.time.run(1)
            while fleet.sent[0]:
                fleet.sent[0] -= 1
                client.correct(-50)
        await fleet.time.run(1)
        # At 100 tokens a call, and with half of them given back, twice as many go out.
        assert len([each for each in fleet.callers if each.done()]) == pytest.approx(120, rel=0.05)


async def test_without_a_divider_the_last_share_shrinks_and_comes_back() -> None:
    async with Fleet(2, requests=6000) as fleet:
        fleet.call(0, 4000)
        fleet.call(1, 4000)
        await fleet.time.run(10)
        assert sum(fleet.sent) == pytest.approx(1000, rel=0.12)
        fleet.divider.is_away = True
        counts = list[int]()
        for _ in range(20):
            before = sum(fleet.sent)
            await fleet.time.run(1)
            counts.append(sum(fleet.sent) - before)
        assert counts[1:] == sorted(counts[1:], reverse=True)
        assert sum(counts[2:]) <= 100 * KEPT / (1 - KEPT) + 2
        assert counts[-1] == 0
        fleet.divider.is_away = False
        await fleet.time.run(3)
        before = sum(fleet.sent)
        await fleet.time.run(10)
        assert sum(fleet.sent) - before == pytest.approx(1000, rel=0.05)


async def test_a_call_that_is_given_up_leaves_its_place() -> None:
    async with Fleet(1, requests=60) as fleet:
        fleet.call(0, 3)
        await fleet.time.run(0.1)
        fleet.callers[1].cancel()
        await fleet.time.run(1.5)
        assert fleet.sent[0] == 2
        assert fleet.callers[2].done()


def test_a_share_becomes_free_evenly() -> None:
    share = Part("limit", 100, 0.0)
    asked = share.ask(100, 1)
    share.receive(asked, Grant(100, 100), 0.0)
    assert share.has(25, 0.0)
    assert not share.has(26, 0.0)
    assert share.has(60, 0.5)
    assert share.has(100, 0.9)


def test_what_is_used_while_the_question_is_under_way_is_of_the_new_share() -> None:
    share = Part("limit", 10, 0.0)
    share.receive(share.ask(10, 1), Grant(10, 10), 0.0)
    asked = share.ask(10, 1)
    share.take(4)
    share.receive(asked, Grant(10, 10), 1.0)
    assert share.holds(6)
    assert not share.holds(7)
    assert share.ask(0, 0).used == 4


async def test_what_a_server_asks_of_one_process_all_processes_do() -> None:
    async with Fleet(2) as fleet:
        heard: list[float] = []
        fleet.clients[1].listen(heard.append)
        fleet.call(1, 1)
        await fleet.time.run(0.5)
        fleet.clients[0].hold(30)
        fleet.call(1, 1)
        await fleet.time.run(1.5)
        assert heard == [pytest.approx(30, abs=2)]
        assert sum(fleet.sent) == 2


async def test_one_process_of_all_finds_out_whether_a_pause_is_over() -> None:
    async with Fleet(3) as fleet:
        said: list[list[str]] = [[], [], []]
        for number in range(3):
            fleet.clients[number].listen_to_pauses(said[number].append)
            fleet.call(number, 1)
        await fleet.time.run(0.5)
        fleet.clients[0].pause("no credit is left")
        for number in range(3):
            fleet.call(number, 1)
        await fleet.time.run(2)
        assert said == [[], ["no credit is left"], ["no credit is left"]]
        assert [client.is_paused for client in fleet.clients] == [True, True, True]
        await fleet.time.run(PROBE)
        asked = [asyncio.create_task(client.may_probe()) for client in fleet.clients]
        await fleet.time.run(2)
        assert sorted(one.result() for one in asked) == [False, False, True]
        fleet.clients[2].resume()
        await fleet.time.run(2)
        assert said[1] == ["no credit is left", ""]
        assert not any(client.is_paused for client in fleet.clients)


async def test_without_a_divider_each_process_finds_out_alone() -> None:
    async with Fleet(1) as fleet:
        fleet.clients[0].pause("no credit is left")
        await fleet.time.run(1)
        fleet.divider.is_away = True
        asked = asyncio.create_task(fleet.clients[0].may_probe())
        await fleet.time.run(2)
        assert asked.result()
