"""Tasks as the studio shows them: rows of lists, and everything that is known of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from connector.delivery.batch.lines import is_batch_line
from connector.delivery.call_history import transport_of_call
from connector.delivery.deadlines.choice import MOVED_UP
from connector.delivery.deadlines.ladder import BATCH_NAME, STANDARD
from connector.delivery.deadlines.needed import NeededBy
from connector.engine import CallRecord, Task
from connector.engine.feed import TaskRow
from connector.engine.search import MISSING, Path, Searched, find_value
from connector.model import JSON, is_document, members
from connector.studio.call_prices import price_calls, price_kept_call, show_usage
from connector.studio.context import StudioContext
from connector.studio.schemas.base import as_time
from connector.studio.schemas.tasks import AttemptView, CallView, SearchedView, TaskSummary, TaskView
from connector.studio.shortener import Shortener
from connector.telemetry.costs import Prices, read_usage

__all__ = ["find_prices", "show_call", "show_rows", "show_searched", "show_task"]

LARGEST_COLUMN = 2_000
"""Bytes of a document's value in a list."""
PREFIX = "/api/v1"


def find_prices(context: StudioContext) -> Prices:
    """Return the prices of the configuration."""
    own = context.configuration
    return Prices.over_registry(own.prices, own.currency, own.catalogue_folder)


async def show_rows(context: StudioContext, rows: Sequence[TaskRow], columns: Mapping[str, Path]) -> list[TaskSummary]:
    """Return rows as a list shows them, with places of their documents and the cost of their calls."""
    from connector.documents import parse

    ids = [row.id for row in rows]
    calls = await context.store.feed.calls(ids)
    documents = await context.store.feed.documents(ids if columns else [])
    prices = find_prices(context)
    found: list[TaskSummary] = []
    for row in rows:
        document = parse(documents[row.id], where=f"task {row.id}") if row.id in documents else None
        picked = {name: _pick(document, path) for name, path in columns.items()}
        texts: Any = context.redact({"key": row.key, "reason": row.reason, "columns": picked})
        found.append(
            TaskSummary(
                id=row.id,
                route=row.route,
                state=row.state,
                attempts=row.attempts,
                created=as_time(row.created),
                updated=as_time(row.updated),
                due=as_time(row.due),
                cost=price_calls(prices, calls.get(row.id, ())),
                **texts,
            )
        )
    return found


def _pick(document: JSON, path: Path) -> JSON:
    value: Any = find_value(document, path)
    if value is MISSING:
        return None
    shortener = Shortener("", most=LARGEST_COLUMN)
    return shortener.shorten(value, "", "")


def show_searched(searched: Searched) -> SearchedView:
    """Return how far a search went."""
    return SearchedView(
        complete=searched.whole,
        count=searched.indexed,
        stored=searched.stored,
        documents=searched.documents,
        lag=round(max(searched.lag, 0.0), 3) if searched.lag < float("inf") else 0.0,
    )


def show_task(context: StudioContext, task: Task) -> TaskView:
    """Return everything that is known of a task, without secrets; large values are shortened."""
    shortener, prices = Shortener(f"{PREFIX}/tasks/{task.id}"), find_prices(context)
    texts: Any = context.redact({"key": task.key, "reason": task.reason, "order": task.order})
    return TaskView(
        id=task.id,
        route=task.route,
        state=task.state,
        version=task.version,
        attempts=task.attempts,
        created=as_time(task.created),
        updated=as_time(task.updated),
        due=as_time(task.due),
        needed=_find_deadline(context, task),
        cost=price_calls(prices, task.calls),
        source=task.source or None,
        carrier=task.carrier or None,
        trace=task.trace,
        document=shortener.shorten(context.redact(task.document), "document", "document"),
        timeline=list(_show_attempts(context, task, shortener, prices)),
        cut=shortener.cut,
        **texts,
    )


def _show_attempts(context: StudioContext, task: Task, shortener: Shortener, prices: Prices) -> Iterator[AttemptView]:
    """Yield the attempts with calls; numbers start anew when a person retries, so their order is that of the calls."""
    before = 0.0
    placed = list(enumerate(task.calls))
    for (_, number), group in groupby(placed, lambda one: (one[0] < task.retried, one[1].attempt)):
        calls = list(group)
        started, ended = calls[0][1].started, max(call.ended for _, call in calls)
        yield AttemptView(
            number=number,
            started=as_time(started),
            ended=as_time(ended),
            waited=round(started - before, 3) if before else None,
            calls=[
                show_call(context, call, shortener, prices, settled=place < task.retried, among=task.calls)
                for place, call in calls
            ],
        )
        before = max(ended, started)


def show_call(
    context: StudioContext, call: CallRecord, shortener: Shortener, prices: Prices, *, settled: bool,
    among: Sequence[CallRecord] = (),
) -> CallView:  # fmt: skip
    """Return a call with everything that is known of it, alone or among the others of its task."""
    outcome, place = members(call.outcome), f"calls/{call.attempt}/{call.number}"
    where = f"call {call.number} of attempt {call.attempt}"
    return CallView(
        number=call.number,
        attempt=call.attempt,
        operation=call.operation,
        target=call.target,
        effect=call.effect,
        state=call.state,
        started=as_time(call.started),
        ended=as_time(call.ended),
        settled=settled,
        request=shortener.shorten(context.redact(call.request), f"the request of {where}", f"{place}/request"),
        answer=shortener.shorten(context.redact(outcome.get("body")), f"the answer of {where}", f"{place}/answer"),
        evidence=_show_evidence(context, call, outcome),
        usage=show_usage(read_usage(outcome.get("body"))),
        cost=price_kept_call(prices, call, among),
        transport=_find_transport(call),
        moved_up=_find_move(outcome),
    )


def _find_deadline(context: StudioContext, task: Task) -> datetime | None:
    settings = context.configuration.routes.get(task.route)
    needed = NeededBy.of(settings) if settings is not None else None
    return None if needed is None else as_time(needed.deadline(task.created))


def _find_transport(call: CallRecord) -> str | None:
    transport = BATCH_NAME if is_batch_line(call) else transport_of_call(call)
    return None if transport == STANDARD else transport


def _find_move(outcome: Mapping[str, JSON]) -> str | None:
    """Return when and why a line moved up, in the words that were kept of it."""
    said = outcome.get("reason")
    _, found, words = str(said).rpartition(f"; {MOVED_UP} at ")
    return f"{MOVED_UP} at {words}" if found else None


def _show_evidence(context: StudioContext, call: CallRecord, outcome: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return what is known of a call beside its request and answer, and where its effect was looked for."""
    shown = {name: value for name, value in outcome.items() if name != "body" and value not in (None, "", [], {})}
    if call.lookup:
        shown["looked_for"] = _show_lookup(call.lookup)
    found = context.redact(shown)
    return dict(found) if is_document(found) else {}


def _show_lookup(lookup: str) -> JSON:
    from connector.documents import parse
    from connector.errors import ConnectorError

    try:
        kept = members(parse(lookup.encode(), where="lookup"))
    except ConnectorError:
        return lookup
    return {
        "list": kept.get("entity"),
        "path": kept.get("path"),
        "field": ".".join(str(each) for each in kept.get("field") or ()),
        "value": kept.get("value"),
        "only_this_call_can_have_it": kept.get("own"),
    }
