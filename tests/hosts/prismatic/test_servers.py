"""The component before servers of ours: a gateway that keeps the key, and a studio that pays for repeats once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.config.models.gateway import hash_token
from connector.sandbox import Sandbox, in_thread
from tests.hosts.mcp.judges.serving import started
from tests.hosts.prismatic.rig import Step, export, perform
from tests.warm import command

GATEWAY_TOKEN = "gw-prismatic-that-nobody-else-has-0123456789"
STUDIO_TOKEN = "st-prismatic-that-nobody-else-has-0123456789"
KEY = "sk-canary-of-the-gateway-0123456789"
HI = '[{"role": "user", "content": "Hi"}]'


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with in_thread(Sandbox(seed=1, pace=0.05)) as running:
        yield running


def _configure(folder: Path, sandbox: Sandbox) -> dict[str, Any]:
    parameters = {"token": KEY, "base_uri": sandbox.url, "retry": {"max_retries": 0}}
    return {
        "clients": {"openai": {"prototype": "openai", "parameters": parameters}},
        "outgoing": {
            "greet": {
                "chain": [{"chat-prompt": {"model": "gpt-6-luna", "prompt": "Greet &{name}."}}],
                "publisher": {
                    "prototype": "openai",
                    "parameters": {"client": "openai", "entity": "chat completions", "action": "create"},
                },
                "answer": {"chain": ["answer-text"]},
            }
        },
    }


def _write(folder: Path, document: dict[str, Any]) -> None:
    (folder / "connector.yaml").write_text(json.dumps(document))


def test_a_gateway_keeps_the_key_and_says_what_a_step_may_call(tmp_path: Path, sandbox: Sandbox) -> None:
    tokens = {"prismatic": {"hash": hash_token(GATEWAY_TOKEN), "allow": ["chat completions create"]}}
    _write(tmp_path, {**_configure(tmp_path, sandbox), "gateway": {"tokens": tokens}})
    with started([*command(), "serve", "--port", "0"], stream="stderr", folder=tmp_path) as url:
        export(tmp_path / "component", server=f"{url.rstrip('/')}/v1/apis/http/openai/v1")
        before = len(sandbox.requests)
        connection = ("apiKey", {"apiKey": GATEWAY_TOKEN})
        wrong = ("apiKey", {"apiKey": f"{GATEWAY_TOKEN}-not"})
        found = perform(
            tmp_path / "component", Step("createChatCompletion", {"messages": HI}, connection),
            Step("createImage", {"prompt": "A cat"}, connection), Step("createChatCompletion", {"messages": HI}, wrong),
        )["results"]  # fmt: skip
    assert found[0]["result"]["data"]["choices"][0]["message"]["content"]
    assert [one["error"]["status"] for one in found[1:]] == [403, 401]
    [request] = sandbox.requests[before:]
    assert request["path"] == "/v1/chat/completions"
    assert GATEWAY_TOKEN not in json.dumps(request)


def test_a_repeated_step_is_paid_for_once(tmp_path: Path, sandbox: Sandbox) -> None:
    tokens = {"prismatic": {"hash": hash_token(STUDIO_TOKEN), "role": "operator"}}
    _write(tmp_path, {**_configure(tmp_path, sandbox), "studio": {"tokens": tokens}})
    export(tmp_path / "component")
    with started([*command(), "studio", "--port", "0", "--no-open"], stream="stdout", folder=tmp_path) as link:
        url = link.partition("/#")[0]
        connection = ("studio", {"token": STUDIO_TOKEN, "baseUrl": url})
        before = len(sandbox.requests)

        def step(execution: str, name: str = "Ada", loop: str = "", **more: str) -> Step:
            params = {"outgoing": "greet", "document": json.dumps({"name": name}), **more}
            context = {"executionId": execution, "stepId": "s", "executionFrame": {"loopPath": loop}}
            return Step("publishDocument", params, connection, context)

        results = perform(
            tmp_path / "component", step("e-1"), step("e-1"), step("e-2"), step("e-1", loop="1"), step("e-1", "Bob"),
            step("e-3", key="order-7"), step("e-4", key="order-7"), step("e-5", "Bob", key="order-7"),
        )["results"]  # fmt: skip
        answers = [one["result"]["data"] for one in results[:7]]
        assert [one["state"] for one in answers] == ["finished"] * 7
        assert [one["repeat"] for one in answers] == [False, True, False, False, False, False, True]
        assert answers[0]["documents"] == answers[1]["documents"]
        assert answers[0]["documents"][0]["text"]
        assert results[7]["error"]["status"] == 409
        assert len(sandbox.requests) == before + 5
        assert _pays_twice(tmp_path / "component", step("e-9")), "a component that forgets where it is would be found"
        before += 2

        wrong = perform(
            tmp_path / "component", Step("publishDocument", {"outgoing": "greet", "document": "{}"}, connection),
            Step("publishDocument", {"outgoing": "gret", "document": "{}"}, connection),
            Step("publishDocument", {"outgoing": "greet", "document": "{}"}, ("apiKey", {"apiKey": STUDIO_TOKEN})),
        )["results"]  # fmt: skip
    assert "failed" in wrong[0]["error"]["message"]
    assert wrong[1]["error"]["status"] == 404
    assert "Studio Token is expected" in wrong[2]["error"]["message"]
    assert len(sandbox.requests) == before + 5


def _pays_twice(package: Path, step: Step) -> bool:
    """Whether two performances of a step are two calls, in a component whose keys are of another kind."""
    script = package / "index.js"
    text = script.read_text()
    assert "const parts = [executionId, stepId," in text
    script.write_text(text.replace("const parts = [executionId, stepId,", "const parts = [Math.random(),"))
    found = perform(package, step, step)["results"]
    script.write_text(text)
    return [one["result"]["data"]["repeat"] for one in found] == [False, False]
