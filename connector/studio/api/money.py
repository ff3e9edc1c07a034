"""Money: what calls cost, by route, model, token of the gateway, and day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from connector.studio.access import Context, Viewer
from connector.studio.context import StudioContext
from connector.studio.gateway_counts import read_counts
from connector.studio.ledger import MOST, Spent, Sum, read_spent
from connector.studio.schemas.base import Moment, Price, as_time
from connector.studio.schemas.money import MoneyReport, MoneyRow

__all__ = ["router"]

router = APIRouter(tags=["money"])
MONTH = 30 * 86_400.0
By = Literal["route", "model", "token", "day"]
From = Annotated[Moment | None, Query(alias="from", description="From when; by default 30 days before the end.")]
To = Annotated[Moment | None, Query(alias="to", description="Until when; by default now.")]
NAMES: dict[str, Callable[[Spent], str]] = {
    "route": lambda spent: spent.route,
    "model": lambda spent: spent.model,
    "day": lambda spent: datetime.fromtimestamp(spent.at, UTC).date().isoformat(),
}
FROM_TASKS = (
    "The answers of tasks that are still kept, at the prices of today's configuration. Calls of `call`, of the"
    " playground and of purged tasks are not in it."
)
PARTLY = f" Only {MOST:,} tasks were looked at: choose a shorter time for all of them."


@router.get("/money", summary="See what calls cost")
async def read_money(
    context: Context,
    _: Viewer,
    by: Annotated[By, Query(description="By what calls are summed up.")] = "route",
    since: From = None,
    until: To = None,
) -> MoneyReport:
    """Return calls, tokens and cost in a time; `source` and `why` say what is not known.

    By route, model and day the figures come from the answers of tasks. By token they are the gateway's, since it
    started.
    """
    end = _seconds(until) or context.clock()
    start = _seconds(since) or end - MONTH
    if by == "token":
        return await _by_token(context, start, end)
    spent, complete = await read_spent(context, start, end)
    sums: dict[str, Sum] = {}
    total = Sum()
    for one in spent:
        sums.setdefault(NAMES[by](one), Sum()).add(one)
        total.add(one)
    rows = [_row(context, name, each) for name, each in sums.items()]
    ordered = sorted(rows, key=lambda row: row.name) if by == "day" else _most_expensive_first(rows)
    return MoneyReport(
        by=by,
        since=as_time(start),
        until=as_time(end),
        rows=ordered,
        total=_row(context, "", total),
        complete=complete,
        source=FROM_TASKS + ("" if complete else PARTLY),
    )


async def _by_token(context: StudioContext, start: float, end: float) -> MoneyReport:
    counts, currency = await read_counts(context), context.configuration.currency
    sums: dict[str, list[float]] = {}
    for labels, cost in counts.of("cost_total"):
        sums.setdefault(labels["token"], [0.0, 0.0, 0.0, 0.0])[3] += cost
    for labels, tokens in counts.of("tokens_total"):
        place = {"input": 1, "output": 2}.get(labels["kind"])
        if place is not None:
            sums.setdefault(labels["token"], [0.0, 0.0, 0.0, 0.0])[place] += tokens
    for labels, number in counts.of("calls_total"):
        sums.setdefault(labels["token"], [0.0, 0.0, 0.0, 0.0])[0] += number
    rows = [
        MoneyRow(
            name=name,
            calls=int(calls),
            input=int(sent),
            output=int(received),
            cost=Price(amount=round(cost, 9), currency=currency),
        )
        for name, (calls, sent, received, cost) in sums.items()
    ]
    total = MoneyRow(
        name="",
        calls=sum(row.calls for row in rows),
        input=sum(row.input for row in rows),
        output=sum(row.output for row in rows),
        cost=Price(
            amount=None if counts.why else round(sum(row.cost.amount or 0.0 for row in rows), 9),
            currency=currency,
            why=counts.why,
        ),
    )
    return MoneyReport(
        by="token",
        since=as_time(start),
        until=as_time(end),
        rows=_most_expensive_first(rows),
        total=total,
        complete=not counts.why,
        source=counts.why or "The gateway's counts since it started, whatever time was asked for.",
    )


def _row(context: StudioContext, name: str, found: Sum) -> MoneyRow:
    why = f"{found.unpriced} calls used a model without a price" if found.unpriced else ""
    return MoneyRow(
        name=name,
        calls=found.calls,
        input=found.usage.input,
        output=found.usage.output,
        cost=Price(amount=round(found.amount, 9), currency=context.configuration.currency, why=why),
    )


def _most_expensive_first(rows: Iterable[MoneyRow]) -> list[MoneyRow]:
    return sorted(rows, key=lambda row: (-(row.cost.amount or 0.0), row.name))


def _seconds(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
