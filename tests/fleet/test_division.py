"""How a limit is divided, in memory and in PostgreSQL alike: never more than flows in, and nearly all of it."""

from __future__ import annotations

import json
import math
from random import Random

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.fleet import Ask, MemoryDivider
from connector.fleet.division import FORGOTTEN, KEPT, ROOM, find_level, keep_part
from connector.fleet.functions import INSTALL
from connector.fleet.postgresql import EXCHANGED, encode

WANTS = st.lists(st.floats(0, 1000), min_size=1, max_size=30)


@given(WANTS, st.floats(0.1, 1000))
def test_the_level_gives_out_the_flow_or_all_that_is_wanted(wants: list[float], flow: float) -> None:
    level = find_level(wants, flow)
    assert sum(min(want, level) for want in wants) == pytest.approx(min(flow, sum(wants)), rel=1e-6, abs=1e-6)


def test_who_wants_little_gets_it_and_the_others_the_same() -> None:
    assert find_level([1, 2, 100, 50], 23) == 10
    assert find_level([1, 2], 23) == math.inf


class Asker:
    """A process that uses all that it gets."""

    def __init__(self, name: str, divider: MemoryDivider, flow: float) -> None:
        self.name, self.divider, self.flow = name, divider, flow
        self.used = 0.0

    def ask(self, want: float, *, least: float = 1.0, use: float = 1.0) -> float:
        ask = Ask("limit", self.flow, self.used, want, least)
        amount = self.divider.divide(self.name, [ask])[0].amount
        self.used += int(amount * use)
        return amount


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_is_not_used_goes_to_the_others() -> None:
    time = Time()
    divider = MemoryDivider(time)
    idle, busy = Asker("idle", divider, 100), Asker("busy", divider, 100)
    for _ in range(20):
        time.now += 1
        idle.ask(100, use=0.1)
        busy.ask(1000)
    before = idle.used + busy.used
    for _ in range(60):
        time.now += 1
        idle.ask(10)
        busy.ask(1000)
    assert idle.used + busy.used - before == pytest.approx(6000, rel=0.02)


def test_a_call_that_is_larger_than_a_share_waits_until_it_fits() -> None:
    time = Time()
    divider = MemoryDivider(time)
    askers = [Asker(str(number), divider, 100) for number in range(4)]
    grants = [0] * 4
    for _ in range(100):
        for number, asker in enumerate(askers):
            time.now += 0.25
            grants[number] += asker.ask(700, least=700) > 0
    assert sum(asker.used for asker in askers) == pytest.approx(100 * 100, abs=2 * 700)
    assert min(grants) >= 3


def test_a_dead_process_gives_its_share_back_in_seconds() -> None:
    time = Time()
    divider = MemoryDivider(time)
    dead, alive = Asker("dead", divider, 100), Asker("alive", divider, 100)
    for _ in range(20):
        time.now += 1
        dead.ask(1000)
        alive.ask(1000)
    got = []
    for _ in range(15):
        time.now += 1
        got.append(alive.ask(1000))
    assert got[6] >= 90
    assert got[-1] >= 99
    # The share of the dead one, and what it might have used before it knew that it is cut off, is all that is lost.
    assert sum(got) >= 1500 - 50 - 50 / (1 - KEPT)


def test_a_part_shrinks_and_ends() -> None:
    parts = [keep_part(seconds) for seconds in range(20)]
    assert parts == sorted(parts, reverse=True)
    assert parts[0] == 1
    assert keep_part(FORGOTTEN) == 0


@given(st.integers(0, 10_000), st.integers(1, 12), st.floats(0.5, 300))
def test_no_more_is_given_than_flows_in(seed: int, processes: int, flow: float) -> None:
    chance, time = Random(seed), Time()
    divider = MemoryDivider(time)
    askers = [Asker(str(number), divider, flow) for number in range(processes)]
    began = time.now
    for _ in range(200):
        time.now += chance.expovariate(processes)
        chance.choice(askers).ask(chance.choice((0, 1, flow / processes, 3 * flow)), use=chance.random())
        assert sum(asker.used for asker in askers) <= (time.now - began) * flow + max(ROOM * flow, 1) + 1e-6


def make_asks(seed: int) -> list[tuple[float, str, list[Ask]]]:
    """Random questions of processes that come, go silent and come back."""
    chance, now = Random(seed), 5000.0
    used: dict[str, list[float]] = {}
    asks: list[tuple[float, str, list[Ask]]] = []
    for _ in range(300):
        now += chance.choice((0.0, 0.01, 0.1, 0.3, 0.3, 2.0, 13.0)) * chance.random()
        process = f"p{chance.randrange(6)}"
        mine = used.setdefault(process, [0, 0])
        mine[0] += chance.randrange(12)
        mine[1] += chance.randrange(2000)
        asks.append((now, process, [
            Ask("requests", 10, mine[0], chance.choice((0, 1, 5, 40))),
            Ask("tokens", 900, mine[1], chance.choice((0, 300, 5000)), chance.choice((1, 250, 1400))),
        ]))  # fmt: skip
    return asks


@pytest.mark.parametrize("seed", range(3))
async def test_postgresql_divides_as_the_memory_does(seed: int, postgres) -> None:
    connection = await asyncpg.connect(await postgres.url())
    try:
        await connection.execute(INSTALL)
        await connection.execute("TRUNCATE openai_connector.limits, openai_connector.shares")
        time = Time()
        divider = MemoryDivider(time)
        for now, process, asks in make_asks(seed):
            time.now = now
            found = json.loads(await connection.fetchval(EXCHANGED, process, *encode(asks, []), now))[0]
            grants = divider.divide(process, asks)
            expected = {ask.limit: [grant.amount, grant.rate] for ask, grant in zip(asks, grants, strict=True)}
            assert found == {name: pytest.approx(values) for name, values in expected.items()}
    finally:
        await connection.close()
