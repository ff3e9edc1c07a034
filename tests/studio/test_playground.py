"""The playground: what each step makes of a document, while the chain is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

Bearer = Callable[[str], httpx.AsyncClient]
PLACE = "/playground/run"


async def test_documents_pass_are_dropped_or_fail_by_themselves(call: Any) -> None:
    text = "- expression: {expression: '{name: name, size: length(name)}'}\n- breakpoint-logger\n"
    given = {"text": text, "documents": [{"name": "Ada", "more": 1}, {"name": 7}]}
    found = await call("POST", PLACE, json=given)
    assert found["faults"] == []
    first, second = found["samples"]
    assert first["outputs"] == [{"name": "Ada", "size": 3}]
    assert [(one["where"], one["step"]) for one in first["steps"]] == [
        ("chain[0]", "expression"),
        ("chain[1]", "breakpoint-logger"),
    ]
    assert first["steps"][0]["document"] == {"name": "Ada", "size": 3}
    assert second["outputs"] == []
    assert second["failed"].startswith("chain[0]: ")


@pytest.mark.parametrize(
    "text", ["- [", "- nothing-of-the-kind: {}", "- expression: {expression: '{name: '}", "just text", "a: 1"]
)
async def test_what_is_half_typed_is_a_fault_and_no_error(call: Any, text: str) -> None:
    found = await call("POST", PLACE, json={"text": text, "documents": [{}]})
    assert found["samples"] == []
    assert all(fault["found"] for fault in found["faults"])
    assert found["faults"]


async def test_nothing_is_called_and_no_secret_is_shown(call: Any, source: Path) -> None:
    text = "- openai: {client: openai, entity: models, action: list}\n"
    found = await call("POST", PLACE, json={"text": text, "documents": [{"key": "sk-canary-0123456789"}]})
    assert "canary" not in json.dumps(found)
    (sample,) = found["samples"]
    assert "nothing is sent here" in sample["failed"]


async def test_a_named_chain_runs_and_an_unknown_one_is_suggested(call: Any, bearer: Bearer) -> None:
    found = await call("POST", PLACE, json={"chain": "chat-prmpt", "documents": [{}]})
    assert "chat-prompt" in str(found["faults"])
    answer = await bearer("operator").post(f"/api/v1{PLACE}", json={"documents": [1]})
    assert answer.status_code == 422
    assert (await bearer("viewer").post(f"/api/v1{PLACE}", json={"text": "[]", "documents": [1]})).status_code == 403


async def test_an_expression_has_the_budget_of_production(call: Any) -> None:
    document = {"a": [{"b": [{"c": list(range(100))} for _ in range(100)]} for _ in range(200)]}
    text = "- expression: {expression: 'a[].b[].c[] | [?contains(@.x || [`1`], @)]'}\n"
    found = await call("POST", PLACE, json={"text": text, "documents": [document]})
    (sample,) = found["samples"]
    assert "budget" in sample["failed"]


async def test_a_chain_of_ten_steps_is_answered_while_it_is_typed(call: Any) -> None:
    text = "- expression: {expression: '{lines: lines, size: length(lines)}'}\n" * 10
    document = {"lines": [{"sku": f"A-{number}", "note": "x" * 30} for number in range(200)]}
    found = await call("POST", PLACE, json={"text": text, "documents": [document]})
    (sample,) = found["samples"]
    assert sample["outputs"][0]["size"] == 200
    assert len(sample["steps"]) == 10
    assert sample["milliseconds"] < 100
