"""Pages of tasks: every filter, order and cursor is what plain Python says, on both engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.engine import Change, Filter, Settlement, Store, Task, TaskState
from connector.engine.search import Order, PageQuery, TaskFilter, TaskSearch, parse_field, parse_path
from connector.errors import ConfigurationError
from tests.engine.search.kit import FILTERS, ORDERS, list_all, select

SHARED = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SHARED
@given(wanted=FILTERS, order=ORDERS, limit=st.sampled_from([1, 7, 200]), indexed=st.booleans())
async def test_pages_are_what_a_plain_list_says(
    search: TaskSearch, tasks: Sequence[Task], wanted: TaskFilter, order: Order, limit: int, *, indexed: bool
) -> None:
    if indexed:
        await search.follower.want_text()
        await search.follower.settle()
    expected = select(tasks, wanted, order)
    found, _ = await list_all(search, wanted, order, limit)
    assert found == expected
    counts = await search.counts(wanted)
    assert counts.exact
    states = {task.id: task.state for task in tasks}
    assert counts.by_state == dict(Counter(states[number] for number in expected))


@settings(SHARED, max_examples=12)
@given(wanted=FILTERS, order=ORDERS)
async def test_pages_that_were_cut_go_on_where_time_was_up(
    hasty: TaskSearch, tasks: Sequence[Task], wanted: TaskFilter, order: Order
) -> None:
    found, _ = await list_all(hasty, wanted, order, 5)
    assert found == select(tasks, wanted, order)
    counts = await hasty.counts(wanted)
    assert sum(counts.by_state.values()) <= len(found)
    assert counts.exact is (sum(counts.by_state.values()) == len(found)) or not counts.exact


@pytest.mark.parametrize("sort", ["id", "-state", "-updated", "key", "attempts"])
async def test_what_does_not_change_is_listed_once_while_others_do(
    search: TaskSearch, store: Store, tasks: Sequence[Task], sort: str
) -> None:
    order = Order.parse(sort)
    query, seen = PageQuery(order=order, limit=10), list[int]()
    changing = {task.id for task in tasks if task.state is TaskState.FAILED}
    while True:
        page = await search.page(query)
        seen += [row.id for row in page.rows]
        if page.next is None:
            break
        await store.retry(Filter(ids=sorted(changing), states=[TaskState.FAILED, TaskState.SKIPPED]))
        await store.skip(Filter(ids=sorted(changing)[::2]), "meanwhile")
        await search.follower.settle()
        query = PageQuery(order=order, limit=10, cursor=page.next)
    counted = Counter(seen)
    assert all(counted[task.id] == 1 for task in tasks if task.id not in changing)


async def test_a_cursor_is_of_its_query(search: TaskSearch) -> None:
    page = await search.page(PageQuery(limit=1))
    assert page.next
    for query in (
        PageQuery(limit=1, cursor=page.next, order=Order("key")),
        PageQuery(limit=1, cursor=page.next, filter=TaskFilter(key="k1")),
        PageQuery(cursor="nonsense"),
        PageQuery(cursor="é"),
    ):
        with pytest.raises(ConfigurationError, match="cursor"):
            await search.page(query)


async def test_all_that_fit_can_be_gone_through(search: TaskSearch, tasks: Sequence[Task]) -> None:
    wanted = TaskFilter(text="laptop")
    found = [row.id async for row in search.iterate(wanted)]
    assert found == select(tasks, wanted, Order("id"))


async def test_a_page_says_what_it_was_made_from(search: TaskSearch, store: Store) -> None:
    first = (await search.page(PageQuery())).searched
    assert (first.indexed, first.stored, first.documents, first.whole) == (90, 90, None, True)
    await search.page(PageQuery(filter=TaskFilter(text="laptop")))
    assert (await search.page(PageQuery())).searched.documents == 0.0
    await search.follower.settle()
    assert (await search.page(PageQuery())).searched.documents == 1.0


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("a.b[0]:x", ("a", "b", 0), "x"),
        ('["a.b"].c:', ("a.b", "c"), ""),
        ('a["x:y"]:1:2', ("a", "x:y"), "1:2"),
        ("[3]:null", (3,), "null"),
    ],
)
def test_a_field_is_a_path_and_a_value(text: str, path: tuple[str | int, ...], value: str) -> None:
    found = parse_field(text)
    assert (found.path, found.text) == (path, value)


@pytest.mark.parametrize("text", ["", ".", "a.", "a..b", "a[x]", "[", 'a["b]', "a]"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="place in a document"):
        parse_path(text)


async def test_a_settled_task_moves(search: TaskSearch, store: Store) -> None:
    [task] = await store.lease("a", 1)
    await store.commit(Change(settle=[Settlement(task=task.id, state=TaskState.FAILED, reason="flux")]))
    await search.follower.settle()
    page = await search.page(PageQuery(filter=TaskFilter(reason="flux")))
    assert [(row.id, row.state, row.reason) for row in page.rows] == [(task.id, TaskState.FAILED, "flux")]
