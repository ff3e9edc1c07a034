"""Routes: how they do, what needs a person, and what a run is told about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connector.engine import Change, Filter, Store
from connector.runtime.route_control import PAUSES, RUNNERS, RUNS, read_pauses
from connector.runtime.stalls import STALLS
from connector.studio.context import StudioContext
from tests.engine.engines import Clock
from tests.studio.kit import NOW

Bearer = Callable[[str], httpx.AsyncClient]


async def test_the_overview_says_first_what_needs_a_person(call: Any) -> None:
    seen = await call("GET", "/overview")
    assert [(one["kind"], one["link"]) for one in seen["attention"]] == [
        ("unknown", "/unknown"),
        ("runner", "/"),
        ("failed", "/tasks?route=tickets&state=failed"),
        ("failed", "/tasks?route=orders&state=failed"),
    ]
    assert seen["attention"][0]["text"] == "1 task has a call that may have taken effect: look before they are repeated"
    tickets, orders = seen["routes"]
    assert tickets["counts"] == {"finished": 1, "failed": 1, "unknown": 1, "skipped": 1, "waiting": 1, "new": 1}
    assert tickets["budget"]["limit"] == {"amount": 5.0, "currency": "USD", "why": ""}
    assert tickets["oldest"] == "2026-01-01T11:05:00.000Z"
    assert (orders["name"], orders["rate"], orders["paused"]) == ("orders", None, None)


async def test_the_graph_leads_from_incoming_to_outgoing(call: Any) -> None:
    graph = (await call("GET", "/overview"))["graph"]
    assert [(edge["from"], edge["to"]) for edge in graph["edges"]] == [
        ("incoming:tickets", "route:tickets"),
        ("route:tickets", "outgoing:reply"),
        ("incoming:orders", "route:orders"),
        ("route:orders", "outgoing:note"),
    ]
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert nodes["outgoing:reply"]["text"] == "openai: chat completions create"
    assert nodes["route:tickets"]["counts"]["waiting"] == 1


async def test_a_pause_is_kept_shown_recorded_and_ended(call: Any, store: Store) -> None:
    paused = await call("POST", "/routes/tickets/pause", json={"reason": "key sk-canary-0123456789 is being renewed"})
    assert paused["paused"]["by"] == "editor"
    assert paused["paused"]["since"] == "2026-01-01T12:00:00.000Z"
    assert "canary" not in paused["paused"]["reason"]
    assert (await read_pauses(store))["tickets"].since == NOW
    seen = await call("GET", "/overview")
    assert [one["text"] for one in seen["attention"] if one["kind"] == "paused"] == [
        f"Route tickets is paused by editor: {paused['paused']['reason']}"
    ]
    assert (await call("GET", "/session"))["attention"]["paused"] == 1
    resumed = await call("POST", "/routes/tickets/resume")
    assert resumed["paused"] is None
    assert await store.records(PAUSES) == {}
    entries = (await call("GET", "/audit"))["items"]
    assert [(one["action"], one["subject"], one["verdict"]) for one in entries] == [
        ("route resume", "route tickets", "done"),
        ("route pause", "route tickets", "done"),
    ]


async def test_what_stands_still_by_itself_is_shown_and_cannot_be_resumed(
    call: Any, bearer: Bearer, store: Store
) -> None:
    stall = {
        "route": "tickets",
        "tasks": 2,
        "reason": "401 invalid_api_key",
        "since": NOW,
        "who": "user",
        "whole": True,
    }
    await store.commit(Change(records={(STALLS, "tickets"): stall}))
    seen = await call("GET", "/routes/tickets")
    assert seen["paused"]["reason"] == "401 invalid_api_key"
    assert seen["paused"]["resumable"] is False
    refused = await bearer("editor").post("/api/v1/routes/tickets/resume")
    assert refused.status_code == 409


async def test_a_route_is_asked_for(call: Any, store: Store, clock: Clock) -> None:
    await call("POST", "/routes/orders/run")
    assert await store.records(RUNS) == {"orders": {"by": "editor", "at": NOW}}
    await store.commit(Change(records={(RUNNERS, "one"): {"since": NOW - 60, "seen": NOW - 5, "routes": []}}))
    assert (await call("GET", "/session"))["runner"] == {"alive": True, "since": "2026-01-01T11:59:00.000Z"}
    assert not [one for one in (await call("GET", "/overview"))["attention"] if one["kind"] == "runner"]
    clock.now += 60
    assert (await call("GET", "/session"))["runner"]["alive"] is False


async def test_the_rate_is_that_of_the_last_minute(call: Any, store: Store, clock: Clock) -> None:
    await call("GET", "/overview")
    await store.skip(Filter(ids=(7,)), "by hand")
    clock.now += 30
    routes = (await call("GET", "/overview"))["routes"]
    assert [route["rate"] for route in routes] == [2.0, 0.0]


@pytest.mark.parametrize("action", ["pause", "resume", "run"])
async def test_a_viewer_may_not_and_the_attempt_is_recorded(bearer: Bearer, call: Any, action: str) -> None:
    refused = await bearer("viewer").post(f"/api/v1/routes/tickets/{action}", json={})
    assert refused.status_code == 403
    assert refused.json()["detail"] == "viewer is a viewer, and this needs an operator"
    (entry,) = (await call("GET", "/audit"))["items"]
    assert entry["verdict"] == "refused"
    assert (entry["who"], entry["subject"]) == ("viewer", f"/api/v1/routes/tickets/{action}")


async def test_an_unknown_route_is_a_problem_with_a_suggestion(bearer: Bearer) -> None:
    answer = await bearer("editor").post("/api/v1/routes/tikets/pause", json={})
    assert answer.status_code == 404
    assert "did you mean 'tickets'" in answer.json()["detail"]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
async def test_on_postgresql(call: Any, context: StudioContext) -> None:
    await call("POST", "/routes/tickets/pause", json={"reason": "closed"})
    seen = await call("GET", "/overview")
    assert [one["kind"] for one in seen["attention"]] == ["unknown", "runner", "paused", "failed", "failed"]


async def test_a_model_that_stops_needs_a_person(call: Any, context: StudioContext) -> None:
    text = context.source.read_text(encoding="utf-8").replace("model: gpt-6-luna", "model: gpt-3.5-turbo-0301")
    context.source.write_text(text, encoding="utf-8")
    context.reload()
    concerns = [one for one in (await call("GET", "/overview"))["attention"] if one["kind"] == "model"]
    assert len(concerns) == 1
    assert concerns[0]["text"].startswith("Model gpt-3.5-turbo-0301 was shut down on ")
