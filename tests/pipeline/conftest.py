"""Configurations at work over scripted answers."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.config import parse
from connector.pipeline import OutgoingRun, Result, Runtime, kinds

CLIENTS = {
    "openai": {"prototype": "openai", "parameters": {"token": "${KEY}", "retry": {"max_retries": 0}}},
    "api": {"prototype": "http", "parameters": {"base_uri": "https://api.example/v1", "retry": {"max_retries": 0}}},
}
CANARY = "sk-canary-0123456789"


def chat(request: httpx.Request) -> httpx.Response:
    """Says back what was said to it."""
    said = json.loads(request.content)["messages"][-1]["content"]
    body = {"id": "c", "choices": [{"message": {"content": f"re: {said}"}}]}
    return httpx.Response(200, json=body | {"usage": {"prompt_tokens": 3, "completion_tokens": 2}})


@pytest.fixture
def runtime(tmp_path: Path) -> Callable[..., Runtime]:
    """Makes a runtime of a configuration's sections; all its clients answer by a handler."""

    def make(handler: Any = chat, **sections: Any) -> Runtime:
        document = {"clients": CLIENTS, **sections}
        configuration = parse(document, folder=tmp_path, environ={"KEY": CANARY}, kinds=kinds())
        return Runtime(configuration, lambda _: {"transport": httpx.MockTransport(handler)})

    return make


@pytest.fixture
def publish(runtime: Callable[..., Runtime]) -> Callable[..., Any]:
    """Sends documents through an outgoing connection; gives the results and the run."""

    async def publish(
        documents: list[Any], outgoing: Any, handler: Any = chat, *, sections: Any = None, **options: Any
    ) -> tuple[list[Result], OutgoingRun]:
        async with runtime(handler, outgoing={"out": outgoing}, **(sections or {})) as at_work:
            run = OutgoingRun(at_work, "out", **options)
            async with aclosing(run.results(given(documents))) as results:
                return [result async for result in results], run

    return publish


async def given(documents: list[Any]) -> AsyncGenerator[Any, None]:
    """Documents, one at a time."""
    for document in documents:
        yield document
