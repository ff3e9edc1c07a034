"""What the studio asks: every order, every filter, and the hard ones of both."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

from bench.studio.fill import BEGAN, RARE_KEY, RARE_REASON, RARE_TEXT
from connector.engine import TaskState
from connector.engine.search import COLUMNS, Order, Page, PageQuery, TaskFilter, TaskSearch, parse_field

__all__ = ["ask_all", "questions"]

ROUNDS = 5
DEEP = 40


def questions(tasks: int) -> Iterator[tuple[str, TaskFilter, Order]]:
    """Yield a name, a filter and an order of each question."""
    newest = Order("updated", descending=True)
    for column in COLUMNS:
        yield f"all, by {column}", TaskFilter(), Order(column)
        yield f"all, by {column}, descending", TaskFilter(), Order(column, descending=True)
    end = BEGAN + tasks * 0.05
    filters = {
        "one route": TaskFilter(routes=["tickets"]),
        "an old route": TaskFilter(routes=["old"]),
        "failed": TaskFilter(states=[TaskState.FAILED]),
        "unknown": TaskFilter(states=[TaskState.UNKNOWN]),
        "a key": TaskFilter(key=RARE_KEY),
        "no such key": TaskFilter(key="nobody"),
        "a frequent reason": TaskFilter(reason="refused"),
        "a rare reason": TaskFilter(reason=RARE_REASON),
        "no such reason": TaskFilter(reason="zebra"),
        "created in the last minute": TaskFilter(created_from=end - 60),
        "created in the first half": TaskFilter(created_to=BEGAN + tasks * 0.025),
        "updated in a minute long ago": TaskFilter(updated_from=BEGAN + 600, updated_to=BEGAN + 660),
        "a frequent text": TaskFilter(text="laptop"),
        "a rare text": TaskFilter(text=RARE_TEXT),
        "no such text": TaskFilter(text="zebra crossing"),
        "no such text of frequent parts": TaskFilter(text="laptop refund invoice screen"),
        "text of two letters, nowhere": TaskFilter(text="Qq"),
        "a frequent field": TaskFilter(fields=[parse_field("customer.tier:pro")]),
        "a number in a field": TaskFilter(fields=[parse_field("priority:3")]),
        "a rare field": TaskFilter(fields=[parse_field("custom_id:T-0000777")]),
        "no such field": TaskFilter(fields=[parse_field("customer.tier:gold")]),
        "failed, a frequent field": TaskFilter(states=[TaskState.FAILED], fields=[parse_field("customer.tier:free")]),
    }
    for name, wanted in filters.items():
        yield f"{name}, newest first", wanted, newest
        yield f"{name}, by key", wanted, Order("key")


async def ask_all(search: TaskSearch, tasks: int) -> list[tuple[str, float, float, Page]]:
    """Return each question with the median and the worst of its seconds, and a page."""
    found: list[tuple[str, float, float, Page]] = []
    for name, wanted, order in questions(tasks):
        query = PageQuery(filter=wanted, order=order)
        seconds, page = [], None
        for _ in range(ROUNDS):
            began = time.perf_counter()
            page = await search.page(query)
            seconds.append(time.perf_counter() - began)
        assert page is not None
        found.append((name, median(seconds), max(seconds), page))
    query, worst, page = PageQuery(order=Order("reason", descending=True)), 0.0, None
    for _ in range(DEEP):
        began = time.perf_counter()
        page = await search.page(query)
        worst = max(worst, time.perf_counter() - began)
        query = PageQuery(order=query.order, cursor=page.next or "")
    assert page is not None
    found.append((f"all, by reason, {DEEP} pages deep", worst, worst, page))
    counted = {
        "all": TaskFilter(),
        "a frequent reason": TaskFilter(reason="refused"),
        "a rare text": TaskFilter(text=RARE_TEXT),
    }
    for name, wanted in counted.items():
        began = time.perf_counter()
        counts = await search.counts(wanted)
        taken = time.perf_counter() - began
        shown = Page(rows=(), next=None, searched=counts.searched)
        found.append(
            (
                f"counts: {name}, {'exact' if counts.exact else 'at least'} {sum(counts.by_state.values()):,}",
                taken,
                taken,
                shown,
            )
        )
    return found
