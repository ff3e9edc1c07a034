"""Forms of other platforms in the API: listed, read, and turned into values for the configuration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

Call = Callable[..., Awaitable[Any]]


async def test_forms_are_listed_and_read(call: Call) -> None:
    rows = await call("GET", "/forms")
    assert {row["vendor"] for row in rows} == {"Alumio", "DronaHQ", "Prismatic", "Camunda"}
    form = await call("GET", "/forms/prismatic-create-image")
    assert form["schema"]["properties"]["size"]["default"] == "1024x1024"
    drona = await call("GET", "/forms/dronahq-CreateChatCompletion")
    assert "CreateChatCompletionRequest" in drona["schema"]["$defs"]


async def test_a_filled_form_becomes_edits_that_lint_likes(call: Call) -> None:
    given = {"entry": "pictures", "client": "openai", "values": {"prompt": "A &{color} chair"}}
    made = await call("POST", "/forms/prismatic-create-image", json=given)
    assert made["notes"] == []
    assert "pictures:" in made["text"]
    edits = [{"op": "set", "path": one["path"], "value": one["value"]} for one in made["values"]]
    edited = await call("POST", "/config/edit", json={"file": "connector.yaml", "edits": edits})
    assert [fault for fault in edited["faults"] if fault["severity"] == "error"] == []
    payload = edited["values"]["outgoing"]["pictures"]["request"]["payload"]
    assert payload == {"prompt": "A &{color} chair", "n": 1, "size": "1024x1024"}


async def test_what_is_wrong_with_a_form_is_said(bearer: Callable[[str], httpx.AsyncClient]) -> None:
    viewer = bearer("viewer")
    unknown = await viewer.get("/api/v1/forms/prismatic-create-imag")
    assert (unknown.status_code, "prismatic-create-image" in unknown.text) == (404, True)
    wrong = await viewer.post("/api/v1/forms/prismatic-create-image", json={"entry": "a", "values": {"promt": "x"}})
    assert wrong.status_code == 422
    assert "there is prompt, n, size" in wrong.json()["detail"]
