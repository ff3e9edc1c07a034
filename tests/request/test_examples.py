"""The example of every operation passes the strictest check, and the official SDK sends it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest

from connector.catalogue import Catalogue, Operation
from connector.catalogue.examples import example_request
from connector.request import Wire
from connector.request.files import is_file
from connector.request.wire import BytesBody

CATALOGUE = Catalogue.open()
OPERATIONS = [operation for operation in CATALOGUE.operations() if not operation.removed]


def with_content(value: Any, made: Callable[[str], Any]) -> Any:
    """An example whose files are there."""
    if is_file(value):
        return made(value["$file"])
    if isinstance(value, dict):
        return {name: with_content(child, made) for name, child in value.items()}
    return [with_content(child, made) for child in value] if isinstance(value, list) else value


def as_content(name: str) -> dict[str, str]:
    return {"$content": "aGVsbG8=", "filename": name}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.wire_name)
def test_an_example_passes_the_strictest_check(operation: Operation, prepare: Callable[..., Wire]) -> None:
    example = example_request(operation, CATALOGUE)
    sent = with_content(example, as_content)
    found = prepare(operation.wire_name, sent, validate="strict").warnings
    assert [warning for warning in found if warning.found != "deprecated"] == []


def method_of(client: openai.OpenAI, operation: Operation) -> Callable[..., Any] | None:
    """The SDK's method for an operation, by the alias that is its name."""
    for alias in operation.aliases:
        found: Any = client
        for step in alias.split("."):
            found = getattr(found, step, None)
        if "." in alias and callable(found):
            method: Callable[..., Any] = found
            return method
    return None


SDK_ADDS = {"POST /embeddings": {"encoding_format": "base64"}}
"""What the SDK adds to payloads by itself, since it decodes the answer."""


def assert_same_on_the_wire(ours: Wire, theirs: httpx.Request) -> None:
    """Path, query, beta header, kind of body and JSON are equal."""
    headers = {name.lower(): value for name, value in ours.headers.items()}
    assert f"/v1{ours.path}" == theirs.url.path
    assert sorted(ours.query) == sorted(theirs.url.params.multi_items())
    assert headers.get("openai-beta") == theirs.headers.get("openai-beta")
    kind = theirs.headers.get("content-type", "").partition(";")[0]
    if kind == "application/json" and theirs.content not in (b"", b"{}"):
        assert isinstance(ours.body, BytesBody)
        added = SDK_ADDS.get(ours.operation.wire_name, {}) if ours.operation is not None else {}
        assert {**json.loads(ours.body.data), **added} == json.loads(theirs.content)
    else:
        assert headers.get("content-type", "").partition(";")[0] == kind


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_official_sdk_sends_every_example_as_we_do(prepare: Callable[..., Wire]) -> None:
    sent: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(400, json={})

    web = httpx.Client(transport=httpx.MockTransport(refuse))
    client = openai.OpenAI(api_key="sk-x", admin_api_key="sk-y", max_retries=0, http_client=web)
    calls = 0
    for operation in OPERATIONS:
        method = method_of(client, operation)
        if method is None:
            continue
        example = with_content(example_request(operation, CATALOGUE), lambda name: (name, b"hello"))
        payload = example.get("payload")
        given = {name.removesuffix("[]"): value for name, value in example.get("query", {}).items()}
        given |= payload if isinstance(payload, dict) else {}
        given = {name: value for name, value in given.items() if name not in operation.fixed_query}
        known = inspect.signature(inspect.unwrap(method)).parameters
        path = example.get("path", {})
        named = {name: value for name, value in path.items() if name in known}
        with pytest.raises(openai.BadRequestError):
            method(*[value for name, value in path.items() if name not in named], **named, **given)
        calls += 1
        assert sent[-1].method == operation.method
        ours = with_content(
            example_request(operation, CATALOGUE), lambda name: {"$content": "aGVsbG8=", "filename": name}
        )
        assert_same_on_the_wire(prepare(operation.wire_name, ours), sent[-1])
    assert calls == len(sent)
    assert calls > 350


@pytest.mark.parametrize(
    ("payload", "missing"),
    [({"name": "n"}, ["audio_sample", "consent"]), ({"name": "n", "prompt": "calm"}, ["type"])],
)
def test_a_voice_is_made_of_a_sample_or_a_description(
    payload: dict[str, Any], missing: list[str], faults_of: Callable[..., list[str]], prepare: Callable[..., Wire]
) -> None:
    faults = faults_of("POST /audio/voices", {"payload": payload})
    assert faults == [f"payload.{name}: missing; this field is required" for name in missing]
    prepare("POST /audio/voices", {"payload": {"name": "n", "prompt": "calm", "type": "prompt"}})
