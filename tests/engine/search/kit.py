"""What the answers of an index must be, said in plain Python over a list of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from hypothesis import strategies as st

from connector.engine import Task, TaskState
from connector.engine.search import COLUMNS, Order, PageQuery, Patience, TaskFilter, TaskSearch, parse_field

__all__ = ["ENDLESS", "FILTERS", "ORDERS", "list_all", "select"]

ENDLESS = Patience(sync=60.0, quick=3600.0, narrow=3600.0, whole=7200.0)
RANK = list(TaskState)
TIMES = st.none() | st.sampled_from([1_700_000_000.0, 1_700_000_001.5, 1_700_000_060.0, 1_700_000_130.0])
FIELDS = ("n:1", "n:2", "n:2.0", "n:true", "n:null", "tags[0]:Pro", 'tags[1]["a.b"]:5', 'tags[1]["a.b"]:x', "none:1",
          "text:über 9000\n", "tags[2]:Pro", 'tags:["Pro",{"a.b":5}]', "n:2.5")  # fmt: skip
FILTERS = st.builds(
    TaskFilter,
    routes=st.lists(st.sampled_from(["a", "b", "ß route", "nobody"]), max_size=2),
    states=st.lists(st.sampled_from(RANK), max_size=3),
    key=st.sampled_from(["", "", "", "k1", "k\\2", "no"]),
    reason=st.sampled_from(["", "", "", "luck", "100 %", '"q', "ü", "no such"]),
    text=st.sampled_from(["", "", "", "laptop", 'laptop "b', "BROKEN", "é", "9000\n", '"tags":', "zz", "zebra", "Ü"]),
    fields=st.lists(st.sampled_from(FIELDS).map(parse_field), max_size=2),
    created_from=TIMES,
    created_to=TIMES,
    updated_from=TIMES,
    updated_to=TIMES,
)
ORDERS = st.builds(Order, st.sampled_from(COLUMNS), st.booleans())


def select(tasks: Sequence[Task], wanted: TaskFilter, order: Order) -> list[int]:
    """The ids of the tasks that fit, in their order."""
    found = sorted((task for task in tasks if _fits(task, wanted)), key=lambda task: _place(task, order))
    return [task.id for task in (reversed(found) if order.descending else found)]


async def list_all(search: TaskSearch, wanted: TaskFilter, order: Order, limit: int) -> tuple[list[int], int]:
    """The ids of all pages, and how many pages there were."""
    ids, cursor, pages = list[int](), "", 0
    while True:
        page = await search.page(PageQuery(filter=wanted, order=order, limit=limit, cursor=cursor))
        ids += [row.id for row in page.rows]
        pages += 1
        assert len(page.rows) <= limit
        assert pages < 2000
        if page.next is None:
            assert page.searched.whole
            return ids, pages
        cursor = page.next


def _place(task: Task, order: Order) -> Any:
    value = RANK.index(task.state) if order.column == "state" else getattr(task, order.column)
    return value, task.id


def _fits(task: Task, wanted: TaskFilter) -> bool:
    return (
        (not wanted.routes or task.route in wanted.routes)
        and (not wanted.states or task.state in wanted.states)
        and (not wanted.key or task.key == wanted.key)
        and wanted.reason in task.reason
        and _has_text(task.document, wanted.text)
        and all(_has_value(task.document, one.path, one.text) for one in wanted.fields)
        and (wanted.created_from is None or task.created >= wanted.created_from)
        and (wanted.created_to is None or task.created < wanted.created_to)
        and (wanted.updated_from is None or task.updated >= wanted.updated_from)
        and (wanted.updated_to is None or task.updated < wanted.updated_to)
    )


def _has_text(document: Any, text: str) -> bool:
    """Whether a text stands in the JSON, as it is or as it is written in a string; A to Z in either case."""
    whole = _lower(orjson.dumps(document).decode())
    return _lower(text) in whole or _lower(orjson.dumps(text).decode()[1:-1]) in whole


def _lower(text: str) -> str:
    return "".join(each.lower() if "A" <= each <= "Z" else each for each in text)


def _has_value(document: Any, path: Sequence[str | int], text: str) -> bool:
    for part in path:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return False
    if isinstance(document, str):
        return document == text
    try:
        wanted = orjson.loads(text)
    except ValueError:
        return False
    return document == wanted and isinstance(document, bool) is isinstance(wanted, bool)
