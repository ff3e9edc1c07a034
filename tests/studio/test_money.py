"""Money and the gateway: what is known of costs, and honest words for what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connector.config.models.gateway import SPENDING_FILE
from connector.studio.context import StudioContext
from tests.studio.kit import NOW

METRICS = b"""\
connector_gateway_calls_total{client="openai",operation="chat completions create",status="200",token="atlas"} 8.0
connector_gateway_calls_total{client="openai",operation="chat completions create",status="429",token="atlas"} 1.0
connector_gateway_refusals_total{code="budget_used_up",token="atlas"} 3.0
connector_gateway_refusals_total{code="unknown_token",token=""} 5.0
connector_gateway_tokens_total{client="openai",kind="input",model="gpt-6-luna",token="atlas"} 100.0
connector_gateway_tokens_total{client="openai",kind="output",model="gpt-6-luna",token="atlas"} 50.0
connector_gateway_cost_total{client="openai",model="gpt-6-luna",token="atlas"} 0.25
connector_gateway_unpriced_total{client="openai",model="gpt-6-luna",token="atlas"} 2.0
connector_gateway_seconds_bucket{client="openai",le="0.1"} 1.0
connector_gateway_seconds_bucket{client="openai",le="1.0"} 9.0
connector_gateway_seconds_bucket{client="openai",le="+Inf"} 10.0
connector_gateway_seconds_count{client="openai"} 10.0
connector_gateway_seconds_sum{client="openai"} 6.0
connector_gateway_in_flight 2.0
"""
GATEWAY = """
gateway:
  tokens:
    atlas: {hash: "sha256:%s", budget: {amount: 10, every: month}, requests_per_minute: 60}
""" % ("a" * 64)


@pytest.fixture
def gateway(context: StudioContext) -> StudioContext:
    context.source.write_text(context.source.read_text(encoding="utf-8") + GATEWAY, encoding="utf-8")
    context.reload()
    return context


async def test_costs_are_those_of_the_answers(call: Any) -> None:
    report = await call("GET", "/money", params={"by": "model"})
    (row,) = report["rows"]
    assert (row["name"], row["calls"], row["input"], row["output"]) == ("gpt-6-luna", 1, 1000, 100)
    assert row["cost"]["amount"] > 0
    assert report["complete"] is True
    assert report["total"]["cost"] == row["cost"]
    by_route = await call("GET", "/money")
    assert [one["name"] for one in by_route["rows"]] == ["tickets"]
    by_day = await call("GET", "/money", params={"by": "day"})
    assert [one["name"] for one in by_day["rows"]] == ["2026-01-01"]


async def test_a_time_without_calls_costs_nothing(call: Any) -> None:
    report = await call("GET", "/money", params={"to": "2025-12-01T00:00:00Z"})
    assert report["rows"] == []
    assert report["total"]["cost"]["amount"] == 0
    assert report["to"] == "2025-12-01T00:00:00.000Z"


async def test_in_a_time_that_ends_before_it_begins_nothing_was_spent(call: Any) -> None:
    times = {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    assert (await call("GET", "/money", params=times))["total"]["calls"] == 0


async def test_a_number_is_no_time(bearer: Callable[[str], httpx.AsyncClient]) -> None:
    assert (await bearer("viewer").get("/api/v1/money", params={"to": "0.5"})).status_code == 422


async def test_more_tasks_than_are_looked_at_are_told(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.studio.ledger.WINDOW", 2)
    monkeypatch.setattr("connector.studio.ledger.MOST", 4)
    report = await call("GET", "/money")
    assert report["complete"] is False
    assert "choose a shorter time" in report["source"]


async def test_the_gateway_tells_its_callers_refusals_and_latency(call: Any, gateway: StudioContext) -> None:
    gateway.gateway_metrics = lambda: METRICS
    seen = await call("GET", "/gateway")
    assert (seen["running"], seen["in_flight"]) == (True, 2)
    (atlas,) = seen["callers"]
    assert atlas["calls"] == {"200": 8, "429": 1}
    assert atlas["refused"] == 3
    assert atlas["used"][0] == {
        "client": "openai", "model": "gpt-6-luna", "input": 100, "cached": 0, "output": 50,
        "cost": {"amount": 0.25, "currency": "USD", "why": "2 calls used a model without a price"},
    }  # fmt: skip
    assert [(row["token"], row["code"], row["number"]) for row in seen["refusals"]] == [
        ("", "unknown_token", 5),
        ("atlas", "budget_used_up", 3),
    ]
    assert seen["latency"] == [{"client": "openai", "calls": 10, "mean": 0.6, "p50": 1.0, "p95": None}]
    report = await call("GET", "/money", params={"by": "token"})
    assert [(row["name"], row["calls"], row["cost"]["amount"]) for row in report["rows"]] == [("atlas", 9, 0.25)]


async def test_without_the_gateway_its_budgets_are_read_and_the_rest_is_not_known(
    call: Any, gateway: StudioContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_CONNECTOR_GATEWAY_TOKEN", raising=False)
    spent = {"atlas": {"begun": NOW, "amount": 2.5, "tokens": 70}}
    gateway.configuration.folder.joinpath(SPENDING_FILE).write_text(json.dumps(spent))
    seen = await call("GET", "/gateway")
    assert seen["running"] is False
    assert "OPENAI_CONNECTOR_GATEWAY_TOKEN" in seen["why"]
    (atlas,) = seen["callers"]
    assert atlas["calls"] is None
    assert atlas["budget"]["spent"]["amount"] == 2.5
    monkeypatch.setenv("OPENAI_CONNECTOR_GATEWAY_TOKEN", "gw-wrong")
    assert (await call("GET", "/gateway"))["running"] is False
    assert (await call("GET", "/money", params={"by": "token"}))["total"]["cost"]["amount"] is None


async def test_a_route_is_foretold_and_nothing_moves(context: StudioContext, call: Any) -> None:
    lines = [json.dumps({"custom_id": f"n{number}"}) for number in range(4)]
    (context.source.parent / "tickets.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found = await call("GET", "/routes/tickets/forecast")
    assert (found["documents"]["read"], found["documents"]["waiting"]) == (4, 2)
    assert found["requests"] == {"gpt-6-luna": 6}
    own = found["ways"][0]
    assert own["chosen"]
    assert 0 < own["money"]["p50"] < own["money"]["p95"]
    assert found["history"] == 1
    assert await context.store.cursor("tickets") is None


async def test_what_is_reserved_of_a_budget_is_shown(call: Any) -> None:
    found = await call("GET", "/routes/tickets")
    assert found["budget"]["reserved"]["amount"] == 0
    assert found["budget"]["stopped"] is None
