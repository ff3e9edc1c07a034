"""Calls of removed operations through the gateway: sent to their successors, answered in the shape of their time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector.catalogue import Catalogue
from connector.gateway.substitutes import AnswerRestorer
from connector.http import Client
from connector.model import InvalidRequest, Request
from connector.request.successors import Successors
from connector.sandbox import Sandbox
from tests.gateway.conftest import TOKEN

EDIT = {"model": "text-davinci-edit-001", "instruction": "Fix the spelling", "input": "Good mornign!"}
SUCCESSOR = {"on_removed": "successor"}


class Gateway:
    """A gateway, somebody who calls it, and what it calls."""

    def __init__(self, running: Any, box: Sandbox) -> None:
        self.box = box
        self._running = running
        self._headers = {"authorization": f"Bearer {TOKEN}"}

    async def post(self, path: str, payload: Any) -> Any:
        return await self._running.http.post(self._address(path), json=payload, headers=self._headers)

    async def get(self, path: str) -> Any:
        return await self._running.http.get(self._address(path), headers=self._headers)

    def sums(self) -> list[Any]:
        """Return what was counted, by model."""
        return [(model, found) for _, _, model, found in self._running.listening.gateway.counters.rows()]

    def _address(self, path: str) -> str:
        return f"{self._running.url}/openai/v1{path}"


@pytest.fixture
async def passing(start: Any) -> Any:
    """Starts a gateway in front of a sandbox, with a client that translates."""
    async with Sandbox(pace=0.02) as box:

        async def started(parameters: Any = SUCCESSOR, **more: Any) -> Any:
            return Gateway(await start(parameters={"base_uri": box.url, **parameters}, **more), box)

        yield started


async def test_an_edit_gets_its_old_shape_back_and_is_paid_for(passing: Any) -> None:
    gateway = await passing()
    answer = await gateway.post("/edits", EDIT)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["object"], body["choices"]) == ("edit", [{"text": "Good mornign!", "index": 0}])
    assert answer.headers["x-connector-successor"] == "chat completions create"
    assert int(answer.headers.get("content-length", len(answer.content))) == len(answer.content)
    ((model, sums),) = gateway.sums()
    assert (model, sums.requests, sums.estimated, sums.unpriced) == ("gpt-6-luna", 1, 0, 0)
    assert (sums.input_tokens, sums.output_tokens) == (
        body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]
    )  # fmt: skip
    assert sums.cost > 0
    (sent,) = gateway.box.requests
    assert (sent["operation"], sent["payload"]["model"]) == ("chat completions create", "gpt-6-luna")


async def test_an_engines_completion_streams_in_its_old_shape(passing: Any) -> None:
    gateway = await passing()
    payload = {"prompt": "Say hello", "max_tokens": 64, "stream": True}
    answer = await gateway.post("/engines/davinci/completions", payload)
    events = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    shown = [json.loads(event) for event in events[:-1]]
    assert {event["object"] for event in shown} == {"text_completion"}
    assert "".join(choice["text"] for event in shown for choice in event["choices"]) == "Say hello"
    ((_, sums),) = gateway.sums()
    assert sums.requests == 1
    assert sums.output_tokens > 0


async def test_reads_are_translated_too_and_their_paths_and_queries(passing: Any) -> None:
    gateway = await passing()
    engines = (await gateway.get("/engines")).json()
    assert {one["object"] for one in engines["data"]} == {"engine"}
    one = (await gateway.get("/engines/gpt-6-luna")).json()
    assert (one["id"], one["ready"]) == ("gpt-6-luna", True)
    jobs = (await gateway.get("/fine-tunes?limit=1")).json()
    assert jobs["object"] == "list"
    assert gateway.box.requests[-1]["query"]["limit"] in (1, "1")


async def test_a_budget_is_charged_for_the_successor(passing: Any) -> None:
    gateway = await passing(token={"budget": {"tokens": 40, "every": "day"}})
    first = await gateway.post("/edits", {**EDIT, "input": "Good mornign!"})
    statuses = [first.status_code]
    while statuses[-1] == 200 and len(statuses) < 5:
        statuses.append((await gateway.post("/edits", EDIT)).status_code)
    assert statuses[-1] == 429
    assert len(gateway.box.requests) == len(statuses) - 1


async def test_the_models_that_a_token_may_use_hold_for_what_is_called_in_their_place(passing: Any) -> None:
    gateway = await passing(token={"models": ["text-davinci-edit-001"]})
    refused = await gateway.post("/edits", EDIT)
    assert refused.status_code == 403
    assert "gpt-6-luna" in refused.text
    assert gateway.box.requests == []


@pytest.mark.parametrize(
    ("parameters", "path", "payload", "words"),
    [
        ({"on_removed": "refuse"}, "/edits", EDIT, "chat completions create takes its place"),
        (SUCCESSOR, "/answers", {"model": "curie", "question": "Why?"}, "it has no successor: give the documents"),
    ],
)
async def test_what_is_not_sent_says_what_takes_its_place(
    passing: Any, parameters: Any, path: str, payload: Any, words: str
) -> None:
    gateway = await passing(parameters)
    refused = await gateway.post(path, payload)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (410, "operation_removed")
    assert words in error["message"]
    assert gateway.box.requests == []


async def test_by_default_old_paths_pass_as_they_are(passing: Any) -> None:
    gateway = await passing({})
    answer = await gateway.post("/edits", EDIT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "endpoint_removed")
    assert "x-connector-successor" not in answer.headers


async def test_an_error_of_the_successor_is_passed_on_unchanged(passing: Any) -> None:
    gateway = await passing()
    gateway.box.faults.replace([], [{"operation": "chat completions create", "fault": 503}])
    answer = await gateway.post("/edits", EDIT)
    assert answer.status_code == 503
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_stream_is_restored_wherever_it_is_cut(size: int) -> None:
    catalogue = Catalogue.open()
    operation = catalogue.find("engine completions create")
    asked = Request(path={"engine_id": "davinci"}, payload={"prompt": "Hi", "stream": True})
    form = Successors(catalogue).translate(operation, asked).answer
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": [
        {"index": 0, "delta": {"content": "Grüße"}, "finish_reason": None}]}  # fmt: skip
    data = f": hello\ndata: {json.dumps(chunk, ensure_ascii=False)}\n\ndata: no json\n\ndata: [DONE]\n\n".encode()
    restorer = AnswerRestorer(form, is_stream=True)
    parts = [restorer.feed(data[start : start + size]) for start in range(0, len(data), size)]
    text = (b"".join(parts) + restorer.finish()).decode()
    lines = [line for line in text.split("\n") if line]
    assert (lines[0], lines[2:]) == (": hello", ["data: no json", "data: [DONE]"])
    shown = json.loads(lines[1].removeprefix("data: "))
    assert (shown["object"], shown["choices"][0]["text"]) == ("text_completion", "Grüße")


def test_a_path_is_sent_as_it_is_and_says_so_unless_it_is_refused() -> None:
    client = Client("openai", environ={}, token="any")
    (warning,) = client.prepare_raw("POST", "/v1/edits", json=EDIT).warnings
    assert str(warning) == (
        "operation edits create: removed from the API on 2024-01-04; a path is sent as it is, and the API may refuse"
        " it; chat completions create takes its place; `call edits create` with on_removed: successor is sent there"
    )
    (warning,) = client.prepare_raw("POST", "/answers", json={"question": "Why?"}).warnings
    assert "it has no successor: give the documents" in str(warning)
    refusing = Client("openai", environ={}, token="any", on_removed="refuse")
    with pytest.raises(InvalidRequest, match="chat completions create takes its place"):
        refusing.prepare_raw("POST", "/edits", json=EDIT)
    assert client.prepare_raw("GET", "/models").warnings == ()
