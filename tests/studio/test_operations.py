"""The catalogue, models and the sandbox, with a sandbox behind the configuration's client."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import pytest

from connector.sandbox import Sandbox
from connector.studio.context import StudioContext

Bearer = Callable[[str], httpx.AsyncClient]
CREATE = "/operations/chat%20completions/create"
REQUEST = {"payload": {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Good morning"}]}}


@pytest.fixture
async def sandbox(context: StudioContext) -> AsyncGenerator[Sandbox]:
    """A sandbox that the configuration's client calls."""
    async with Sandbox(port=0) as running:
        text = context.source.read_text(encoding="utf-8")
        context.source.write_text(text.replace("http://127.0.0.1:9/v1", running.url), encoding="utf-8")
        context.reload()
        yield running


async def test_operations_are_found_by_words_and_paged(call: Any) -> None:
    found = await call("GET", "/operations", params={"search": "chat completions create"})
    assert "chat completions create" in [one["name"] for one in found["items"]]
    everything, cursor, pages = list[str](), None, 0
    while pages == 0 or cursor:
        page = await call("GET", "/operations", params={"limit": 200, **({"cursor": cursor} if cursor else {})})
        everything += [one["name"] for one in page["items"]]
        cursor, pages = page["next"], pages + 1
    assert pages > 1
    assert len(set(everything)) == len(everything) > 200


async def test_an_operation_says_what_it_takes_and_what_a_repeat_does(call: Any) -> None:
    seen = await call("GET", CREATE)
    assert (seen["method"], seen["path"], seen["effect"]) == ("POST", "/chat/completions", "reconcilable")
    assert "not sent blindly" in seen["repeats"]
    assert "model" in str(seen["payload_schema"])
    assert seen["example"]["payload"]["model"]


async def test_a_request_is_explained_with_its_price_and_nothing_is_sent(call: Any) -> None:
    seen = await call("POST", f"{CREATE}/explain", json={"request": REQUEST})
    assert seen["request"]["url"] == "http://127.0.0.1:9/v1/chat/completions"
    assert "canary" not in str(seen)
    assert seen["effect"] == "opaque"
    assert 0 < seen["most"]["amount"] < 10
    assert seen["environment"] == "api", "nothing answers there"


async def test_faults_of_a_request_are_named_all_at_once(bearer: Bearer) -> None:
    wrong = {"payload": {"model": 7, "messages": "none"}}
    answer = await bearer("viewer").post(f"/api/v1{CREATE}/explain", json={"request": wrong})
    assert answer.status_code == 422
    assert {error["where"] for error in answer.json()["errors"]} >= {"payload.model", "payload.messages"}


async def test_a_request_is_sent_once_its_effect_is_confirmed(call: Any, bearer: Bearer, sandbox: Sandbox) -> None:
    client = bearer("operator")
    sent = {"request": REQUEST, "confirm": "none"}
    refused = await client.post(f"/api/v1{CREATE}/send", json=sent)
    assert refused.status_code == 409
    assert (await call("GET", "/sandbox/requests"))["total"] == 0
    headers = {"idempotency-key": "once"}
    for _ in range(2):
        answer = await client.post(f"/api/v1{CREATE}/send", json={**sent, "confirm": "opaque"}, headers=headers)
        assert answer.status_code == 200, answer.text
    seen = answer.json()
    assert (seen["state"], seen["sentence"]) == ("done", "done")
    assert seen["outcome"]["body"]["choices"][0]["message"]["content"]
    assert seen["cost"]["amount"] > 0
    arrived = await call("GET", "/sandbox/requests")
    assert [(one["operation"], one["status"]) for one in arrived["items"]] == [("chat completions create", 200)]
    assert (await call("GET", "/audit"))["items"][0]["action"] == "operation send"
    viewer = await bearer("viewer").post(f"/api/v1{CREATE}/send", json={**sent, "confirm": "opaque"})
    assert viewer.status_code == 403


async def test_models_are_those_of_the_registry_and_of_the_account(call: Any, sandbox: Sandbox) -> None:
    seen = await call("GET", "/models")
    assert seen["account"] == {"client": "openai", "asked": True, "why": ""}
    models = {one["id"]: one for one in seen["items"]}
    assert models["gpt-6-luna"]["available"] is True
    assert models["gpt-6-luna"]["used"] is True
    assert models["gpt-6-luna"]["input"] > 0
    assert any(one["life_cycle"] == "retired" and one["available"] is False for one in seen["items"])
    one = await call("GET", "/models/gpt-6-luna")
    assert one["described"]["prices"]["default"]["input"] == models["gpt-6-luna"]["input"]


async def test_without_an_answer_of_the_account_the_registry_says_so(call: Any, bearer: Bearer) -> None:
    seen = await call("GET", "/models")
    assert seen["account"]["asked"] is False
    assert seen["account"]["why"]
    assert {one["available"] for one in seen["items"]} == {None}
    unknown = await bearer("viewer").get("/api/v1/models/gpt-6-lunar")
    assert unknown.status_code == 404
    assert "gpt-6-luna" in unknown.json()["detail"]


async def test_faults_are_switched_and_recorded(call: Any, bearer: Bearer, sandbox: Sandbox) -> None:
    assert (await call("GET", "/session"))["environment"] == "sandbox"
    seen = await call("PUT", "/sandbox/faults", json={"rates": ["503:1"]})
    assert seen["rates"] == ["503:1"]
    assert "reset" in {one["name"] for one in seen["kinds"]}
    answer = await call("POST", f"{CREATE}/send", json={"request": REQUEST, "confirm": "opaque"})
    assert answer["state"] != "done"
    assert (await call("PUT", "/sandbox/faults", json={}))["rates"] == []
    wrong = await bearer("operator").put("/api/v1/sandbox/faults", json={"rates": ["rset:1"]})
    assert wrong.status_code == 422
    assert "did you mean" in wrong.json()["detail"]
    assert (await call("DELETE", "/sandbox/requests")) is None
    assert (await call("GET", "/sandbox/requests"))["items"] == []


async def test_without_a_sandbox_the_problem_says_how_to_start_one(bearer: Bearer) -> None:
    answer = await bearer("viewer").get("/api/v1/sandbox/faults")
    assert answer.status_code == 409
    assert "openai-connector sandbox" in answer.json()["next"]
