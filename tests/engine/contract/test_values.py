"""Cursors, records, budgets, ticks and files: what is kept beside the tasks."""

from __future__ import annotations

from connector.engine import Change, Expense, Line, Store
from tests.engine.engines import Engine


async def test_cursors(store: Store, engine: Engine) -> None:
    assert await store.cursor("a") is None
    await store.commit(Change(cursors={"a": {"after": "x"}, "b": 0}))
    await store.commit(Change(cursors={"a": "later"}))
    assert await store.cursors() == {"a": "later", "b": 0}
    await store.commit(Change(cursors={"b": None}))
    await store.close()
    assert await (await engine.open()).cursors() == {"a": "later"}


async def test_records(store: Store) -> None:
    await store.commit(Change(records={("s", "a"): {"x": None}, ("s", "b"): False, ("t", "a"): ""}))
    assert await store.record("s", "a") == {"x": None}
    assert await store.records("s") == {"a": {"x": None}, "b": False}
    await store.commit(Change(records={("s", "a"): None, ("s", "b"): 2}))
    assert await store.records("s") == {"b": 2}
    assert await store.record("s", "a") is None
    assert await store.records("nothing") == {}


async def test_spending_is_added_up(store: Store, engine: Engine) -> None:
    now = engine.clock() // 3600 * 3600
    await store.commit(
        Change(spent=[Expense(name="b", at=now, tokens=10, cost=0.5), Expense(name="b", at=now + 61, tokens=1)])
    )
    await store.commit(
        Change(spent=[Expense(name="b", at=now + 1, tokens=5, cost=0.25), Expense(name="c", at=now, cost=9)])
    )
    spent = await store.spending("b", now)
    assert (spent.name, spent.tokens, spent.cost) == ("b", 16, 0.75)
    assert (await store.spending("b", now + 60)).tokens == 1
    assert (await store.spending("b", now + 3600)).tokens == 0
    assert (await store.spending("nothing", 0)).cost == 0


async def test_a_tick_is_claimed_once(store: Store, engine: Engine) -> None:
    assert await store.claim("nightly", "2026-01-01")
    assert not await store.claim("nightly", "2026-01-01")
    assert await store.claim("nightly", "2026-01-02")
    assert await store.claim("hourly", "2026-01-01")
    await engine.kill(store)
    assert not await (await engine.open()).claim("nightly", "2026-01-02")


async def test_a_sole_worker_leads(store: Store) -> None:
    assert await store.lead("lines", 10)
    assert await store.lead("lines", 10)


async def test_lines_wait_until_they_are_written(store: Store, engine: Engine) -> None:
    await store.commit(
        Change(lines=[Line(place="a", data=b"1\n"), Line(place="b", data=b"x\n"), Line(place="a", data=b"2\n")])
    )
    await store.commit(Change(lines=[Line(place="a", data=b"3\n")]))
    assert await store.pending_files() == ["a", "b"]
    place = await store.pending_lines("a", 2)
    assert (place.name, place.length) == ("a", 0)
    assert [line.data for _, line in place.lines] == [b"1\n", b"2\n"]
    await store.commit(Change(written={"a": (place.lines[-1][0], 4)}))
    await engine.kill(store)
    again = await engine.open()
    place = await again.pending_lines("a", 9)
    assert (place.length, [line.data for _, line in place.lines]) == (4, [b"3\n"])
    await again.commit(Change(written={"a": (place.lines[-1][0], 6)}))
    assert await again.pending_files() == ["b"]
    assert (await again.pending_lines("a", 9)).length == 6


async def test_line_numbers_are_never_used_again(store: Store, engine: Engine) -> None:
    await store.commit(Change(lines=[Line(place="a", data=b"1")]))
    [(number, _)] = (await store.pending_lines("a", 9)).lines
    await store.commit(Change(written={"a": (number, 1)}))
    await store.close()
    again = await engine.open()
    await again.commit(Change(lines=[Line(place="a", data=b"2")]))
    await again.commit(Change(written={"a": (number, 1)}))
    [(later, line)] = (await again.pending_lines("a", 9)).lines
    assert (later > number, line.data) == (True, b"2")


async def test_the_length_of_a_place_can_be_told_before_anything_is_written(store: Store) -> None:
    await store.commit(Change(lines=[Line(place="a", data=b"1")], written={"a": (0, 17)}))
    place = await store.pending_lines("a", 9)
    assert (place.length, len(place.lines)) == (17, 1)
    assert (await store.pending_lines("nowhere", 9)).length == 0
