"""The gateway: callers, limits, spending, latency, refusals."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from fastapi import APIRouter

from connector.config.models import GatewayToken
from connector.config.models.gateway import SPENDING_FILE
from connector.model import JSON, members
from connector.studio.access import Context, Viewer
from connector.studio.context import StudioContext
from connector.studio.gateway_counts import GatewayCounts, read_counts
from connector.studio.schemas.base import Price
from connector.studio.schemas.gateway import (
    CallerRow,
    GatewayBudget,
    GatewayOverview,
    LatencyRow,
    ModelUse,
    RefusalRow,
)
from connector.telemetry.costs import find_period

__all__ = ["router"]

router = APIRouter(tags=["gateway"])


@router.get("/gateway", summary="See the gateway and its callers")
async def read_gateway(context: Context, _: Viewer) -> GatewayOverview:
    """Return who may call through the gateway, what they spent, and how it went since the gateway started.

    Budgets are kept over restarts; calls, tokens, refusals and latency are counted since the gateway started.
    """
    counts, settings = await read_counts(context), context.configuration.gateway
    saved = _read_budgets(context)
    callers = [_caller(context, name, token, counts, saved) for name, token in settings.tokens.items()]
    refusals = [
        RefusalRow(token=labels["token"], code=labels["code"], number=int(value))
        for labels, value in counts.of("refusals_total")
    ]
    return GatewayOverview(
        listen=settings.listen,
        running=not counts.why,
        why=counts.why,
        in_flight=next((int(value) for _, value in counts.of("in_flight")), None),
        callers=callers,
        refusals=sorted(refusals, key=lambda row: -row.number),
        latency=_latencies(counts),
    )


def _caller(
    context: StudioContext, name: str, token: GatewayToken, counts: GatewayCounts, saved: Mapping[str, JSON]
) -> CallerRow:
    calls: dict[str, int] = {}
    for labels, value in counts.of("calls_total", token=name):
        calls[labels["status"]] = calls.get(labels["status"], 0) + int(value)
    refused = sum(int(value) for _, value in counts.of("refusals_total", token=name))
    return CallerRow(
        name=name,
        description=token.description,
        disabled=token.disabled,
        clients=_listed(token.clients),
        allow=_listed(token.allow),
        models=_listed(token.models),
        requests_per_minute=token.requests_per_minute,
        tokens_per_minute=token.tokens_per_minute,
        budget=_budget(context, name, token, counts, saved),
        calls=None if counts.why else calls,
        refused=None if counts.why else refused,
        used=_uses(context, name, counts),
    )


def _uses(context: StudioContext, name: str, counts: GatewayCounts) -> list[ModelUse]:
    currency, found = context.configuration.currency, list[ModelUse]()
    for labels, cost in counts.of("cost_total", token=name):
        client, model = labels["client"], labels["model"]
        kinds = {
            each["kind"]: int(value)
            for each, value in counts.of("tokens_total", token=name, client=client, model=model)
        }
        unpriced = sum(value for _, value in counts.of("unpriced_total", token=name, client=client, model=model))
        why = f"{int(unpriced)} calls used a model without a price" if unpriced else ""
        found.append(
            ModelUse(
                client=client,
                model=model,
                input=kinds.get("input", 0),
                cached=kinds.get("cached_input", 0),
                output=kinds.get("output", 0),
                cost=Price(amount=round(cost, 9), currency=currency, why=why),
            )
        )
    return found


def _budget(
    context: StudioContext, name: str, token: GatewayToken, counts: GatewayCounts, saved: Mapping[str, JSON]
) -> GatewayBudget | None:
    """Return a token's budget; what it spent is the gateway's own figure, or else what it has saved."""
    budget = token.budget
    if budget is None:
        return None
    currency = context.configuration.currency
    spent: dict[str, float] = {labels["unit"]: value for labels, value in counts.of("budget_spent", token=name)}
    if not spent:
        kept = members(saved.get(name))
        is_current = float(kept.get("begun") or 0.0) >= find_period(budget.every, context.clock())[0]
        spent = (
            {"money": float(kept.get("amount") or 0.0), "tokens": float(kept.get("tokens") or 0)} if is_current else {}
        )
    return GatewayBudget(
        period=budget.every,
        spent=Price(amount=round(spent.get("money", 0.0), 9), currency=currency),
        limit=None if budget.amount is None else Price(amount=budget.amount, currency=currency),
        tokens=int(spent.get("tokens", 0)),
        token_limit=budget.tokens,
    )


def _read_budgets(context: StudioContext) -> Mapping[str, JSON]:
    try:
        return members(orjson.loads((context.configuration.folder / SPENDING_FILE).read_bytes()))
    except (OSError, orjson.JSONDecodeError):
        return {}


def _latencies(counts: GatewayCounts) -> list[LatencyRow]:
    rows: list[LatencyRow] = []
    for labels, total in counts.of("seconds_count"):
        client = labels["client"]
        buckets = sorted((float(each["le"]), value) for each, value in counts.of("seconds_bucket", client=client))
        seconds = next((value for _, value in counts.of("seconds_sum", client=client)), 0.0)
        rows.append(
            LatencyRow(
                client=client,
                calls=int(total),
                mean=round(seconds / total, 6) if total else None,
                p50=_bound(buckets, total * 0.5),
                p95=_bound(buckets, total * 0.95),
            )
        )
    return rows


def _bound(buckets: list[tuple[float, float]], number: float) -> float | None:
    """Return the bound of the first bucket that holds so many calls; None when only an endless one does."""
    found = next((bound for bound, value in buckets if value >= number > 0), float("inf"))
    return None if found == float("inf") else found


def _listed(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)
