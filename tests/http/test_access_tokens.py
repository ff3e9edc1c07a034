"""Whatever happens to the exchange and the clock, a call gets a token that holds, and exchanges are few."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.http.identity import AccessTokens, IdentityFailed
from connector.http.identity.exchange import Grant
from connector.timing import Timing

LIFE = 3600.0


@dataclass
class World:
    """A clock and an exchange: each exchange takes time, and ends as the test says."""

    now: float = 0.0
    chance: float = 0.0
    life: float = LIFE
    takes: float = 0.0
    fails: list[IdentityFailed] = field(default_factory=list)
    begun: list[float] = field(default_factory=list)
    ends_at: dict[str, float] = field(default_factory=dict)
    under_way: int = 0
    source: object = "first"

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)

    async def __call__(self) -> Grant:
        self.begun.append(self.now)
        self.under_way += 1
        assert self.under_way == 1, "two exchanges at once"
        await self.sleep(self.takes)
        self.under_way -= 1
        if self.fails:
            raise self.fails.pop(0)
        token = f"token-{len(self.begun)}"
        self.ends_at[token] = self.now + self.life
        return Grant(token, self.life)

    def identify(self) -> object:
        return self.source

    def tokens(self, refresh_before: float = 1200.0) -> AccessTokens:
        timing = Timing(clock=lambda: self.now, sleep=self.sleep, chance=lambda: self.chance)
        return AccessTokens(self, refresh_before=refresh_before, timing=timing)


def passing(wait: float | None = None) -> IdentityFailed:
    return IdentityFailed("away", is_final=False, wait=wait)


def final() -> IdentityFailed:
    return IdentityFailed("no such identity", is_final=True)


@dataclass(frozen=True)
class Step:
    """Time passes, the exchange changes, and so many calls come at once; some may find their token refused."""

    seconds: float
    calls: int
    fails: str
    refused: bool


STEPS = st.lists(
    st.builds(
        Step,
        seconds=st.floats(0, 2 * LIFE, allow_nan=False) | st.sampled_from([0.0, 1.0, LIFE - 1, LIFE]),
        calls=st.integers(0, 5),
        fails=st.text("pf", max_size=3),
        refused=st.booleans(),
    ),
    max_size=12,
)


@given(
    steps=STEPS,
    life=st.sampled_from([1.0, 60.0, LIFE]),
    before=st.sampled_from([0.0, 30.0, 1200.0]),
    takes=st.sampled_from([0.0, 0.4, 20.0]),
    chance=st.floats(0, 1),
)
@settings(max_examples=150, deadline=None)
def test_a_call_gets_a_token_that_holds_or_the_reason_why_there_is_none(steps, life, before, takes, chance):
    async def live() -> None:
        world = World(life=life, takes=takes, chance=chance)
        tokens = world.tokens(before)
        for step in steps:
            world.now += step.seconds
            world.fails = [passing() if letter == "p" else final() for letter in step.fails]
            asked_at = world.now
            given = await asyncio.gather(*(tokens.get() for _ in range(step.calls)), return_exceptions=True)
            for one in given:
                if isinstance(one, IdentityFailed):
                    held = [token for token, end in world.ends_at.items() if end > asked_at + takes + 6]
                    assert not held or held[-1] != f"token-{len(world.begun)}", "a good token was there"
                else:
                    assert isinstance(one, str)
                    assert world.ends_at[one] > asked_at, "the token had ended when it was asked for"
            used = [one for one in given if isinstance(one, str)]
            if step.refused and used:
                other = await tokens.replace(used[-1])
                assert other != used[-1]
        await tokens.close()

    asyncio.run(live())


@given(calls=st.integers(1, 300), takes=st.floats(0, 9))
@settings(max_examples=30, deadline=None)
def test_any_number_of_calls_at_once_are_one_exchange(calls, takes):
    async def live() -> None:
        world = World(takes=takes)
        tokens = world.tokens()
        assert set(await asyncio.gather(*(tokens.get() for _ in range(calls)))) == {"token-1"}
        assert set(await asyncio.gather(*(tokens.replace("token-1") for _ in range(calls)))) == {"token-2"}
        assert len(world.begun) == 2

    asyncio.run(live())


async def settled() -> None:
    """Let everything that is due happen."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("before", "expected"), [(1200.0, 2400.0), (0.0, 3600.0), (3600.0, 1800.0)])
async def test_a_token_is_renewed_before_its_end_while_calls_use_it(before, expected):
    world = World()
    tokens = world.tokens(before)
    await tokens.get()
    world.now = expected - 1
    assert await tokens.get() == "token-1"
    await settled()
    assert len(world.begun) == 1
    world.now = expected
    given = await tokens.get()
    assert given == ("token-1" if expected < LIFE else "token-2"), "who comes early does not wait"
    await settled()
    assert await tokens.get() == "token-2"


def refreshes(chances: list[float]) -> Iterator[float]:
    """Yield when processes with these chances renew their tokens."""
    for chance in chances:
        world = World(chance=chance)

        async def live(world: World = world) -> float:
            tokens = world.tokens()
            await tokens.get()
            while len(world.begun) < 2:
                world.now += 10
                await tokens.get()
                await settled()
            return world.now

        yield asyncio.run(live())


def test_many_processes_do_not_renew_at_once():
    early, middle, late = refreshes([1.0, 0.5, 0.0])
    assert early < middle < late <= LIFE - 1200
    assert late - early > 200


async def test_failures_are_spaced_ever_wider_and_the_old_token_is_used():
    world = World()
    tokens = world.tokens()
    await tokens.get()
    world.fails = [passing() for _ in range(99)]
    world.now = 2400.0
    while world.now < LIFE - 10:
        assert await tokens.get() == "token-1"
        await settled()
        world.now += 0.25
    gaps = [after - before for before, after in pairwise(world.begun[1:])]
    assert gaps[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(gaps) == 60.0
    assert all(later >= earlier for earlier, later in pairwise(gaps))


async def test_a_wait_that_the_other_side_asks_for_is_kept():
    world = World(fails=[passing(wait=30.0)])
    tokens = world.tokens()
    with pytest.raises(IdentityFailed):
        await tokens.get()
    with pytest.raises(IdentityFailed, match="identity: away"):
        await tokens.get()
    assert len(world.begun) == 1
    world.now += 30
    assert await tokens.get() == "token-2"


async def test_a_final_failure_is_given_at_once_until_the_source_changes():
    world = World(fails=[final()])
    tokens = world.tokens()
    for _ in range(3):
        with pytest.raises(IdentityFailed, match="no such identity"):
            await tokens.get()
    assert len(world.begun) == 1
    world.source = "second"
    assert await tokens.get() == "token-2"


async def test_a_caller_that_leaves_does_not_end_the_exchange_of_the_others():
    world = World(takes=1.0)
    tokens = world.tokens()
    leaving, staying = asyncio.create_task(tokens.get()), asyncio.create_task(tokens.get())
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == "token-1"
    assert len(world.begun) == 1


async def test_a_refused_token_is_kept_when_there_is_no_other():
    world = World()
    tokens = world.tokens()
    await tokens.get()
    world.fails = [final()]
    assert await tokens.replace("token-1") is None
    assert await tokens.get() == "token-1"


async def test_a_token_that_was_replaced_meanwhile_is_not_replaced_again():
    world = World()
    tokens = world.tokens()
    await tokens.get()
    assert await tokens.replace("token-1") == "token-2"
    assert await tokens.replace("token-1") == "token-2", "a call that was longer on its way"
    assert len(world.begun) == 2
