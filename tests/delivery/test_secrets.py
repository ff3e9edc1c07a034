"""A secret stands nowhere in what is kept, whatever echoes it."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import httpx
import pytest

CANARY = "sk-canary-0123456789"


def echoing(request: httpx.Request) -> httpx.Response:
    key = request.headers["authorization"].removeprefix("Bearer ")
    body = {"id": "c", "plain": key, "deep": [{"k": f"x{key}y"}], "b64": base64.b64encode(b"a" + key.encode()).decode()}
    headers = {"x-echo": key, "x-request-id": f"req-{key}"}
    return httpx.Response(200, json=body, headers=headers)


def echoing_no(request: httpx.Request) -> httpx.Response:
    key = request.headers["authorization"].removeprefix("Bearer ")
    return httpx.Response(
        400, json={"error": {"message": f"bad key {key}", "param": quote(key)}}, headers={"x-echo": key}
    )


def breaking(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError(f"reset while {request.headers['authorization']}", request=request)


def captive(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text=f"<html>{request.headers['authorization']}" + "x" * 9000)


def forms() -> list[bytes]:
    return [CANARY.encode(), CANARY.encode().hex().encode(), base64.b64encode(CANARY.encode())[:-4]]


@pytest.mark.parametrize("answer", [echoing, echoing_no, breaking, captive])
async def test_no_secret_is_in_the_store(bench: Any, answer: Any) -> None:
    ask = {
        "path": "/chat/completions",
        "query": {"trace": "@{variables.secret}"},
        "headers": {"X-Mine": "@{variables.secret}"},
        "payload": {"model": "m", "user": "@{variables.secret}", "messages": [{"role": "user", "content": "&{text}"}]},
    }
    publisher = {"prototype": "http", "parameters": {"client": "openai"}}
    read = {"subscriber": {"prototype": "route", "parameters": {"route": "r", "errors": True}}}
    sections = {
        "variables": {"secret": {"default": CANARY, "secret": True}},
        "incoming": {"all": read},
        "outgoing": {"last": {"publisher": {"prototype": "none"}}},
        "routes": {"next": {"incoming": "all", "outgoing": "last"}},
    }
    to = {"publisher": {"prototype": "file", "parameters": {"url": "out.jsonl", "content": "&{body}"}}}
    at = await bench(answer, out={"publisher": publisher, "request": ask, "answer": to}, sections=sections)
    [number] = await at.accept({"text": "hi"})
    await at.until_ended()
    await at.until_ended("next")
    assert at.upstream.requests[0].headers["x-mine"] == CANARY
    task = await at.task(number)
    assert task.calls
    assert "***" in str(task.calls[0].request)
    await at.lines()
    for call in task.calls:
        assert len(str((call.outcome or {}).get("evidence", ""))) <= 2048
    await at.store.close()
    kept = b"".join(file.read_bytes() for file in at.folder.iterdir() if file.is_file())
    assert b"gpt" in kept or b"messages" in kept
    assert not [form for form in forms() if form in kept]
    await at.crash()


async def test_a_chain_that_would_keep_a_secret_fails_its_document(bench: Any) -> None:
    keeps = [{"value-setter": {"configurations": [{"key": "s", "value": "@{variables.secret}"}]}}]
    to = {"prototype": "file", "parameters": {"url": "out.jsonl"}}
    sections = {"variables": {"secret": {"default": CANARY, "secret": True}}}
    at = await bench(out={"answer": {"chain": keeps, "publisher": to}}, sections=sections)
    [number] = await at.accept({"text": "hi"})
    await at.work()
    task = await at.task(number)
    assert task.state == "failed"
    assert "holds a secret" in task.reason
    assert await at.lines() == 0


async def test_a_call_whose_key_would_hold_a_secret_is_not_looked_for_by_it(bench: Any) -> None:
    containers = {"prototype": "openai", "parameters": {"client": "openai", "entity": "containers"}}
    sections = {"variables": {"secret": {"default": CANARY, "secret": True}}}
    at = await bench(
        breaking,
        out={"publisher": containers, "request": {"payload": {"name": "c @{variables.secret}"}}},
        sections=sections,
    )
    [number] = await at.accept({})
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, task.calls[0].lookup, task.calls[0].effect) == ("unknown", "", "opaque")
