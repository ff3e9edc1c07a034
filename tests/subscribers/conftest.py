"""Subscribers of a kind, read to their end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.http import Client
from connector.subscribers import Context, UnreadableDocument, prototypes


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Awaitable[tuple[list[Any], list[UnreadableDocument]]]]:
    """Reads everything that a kind of subscriber gives with some parameters; below a folder of the test's own."""

    async def read(
        kind: str, context: Context | None = None, **parameters: Any
    ) -> tuple[list[Any], list[UnreadableDocument]]:
        prototype = prototypes().find(kind)
        lost: list[UnreadableDocument] = []
        reader = prototype.build(prototype.parameters.model_validate(parameters))
        given = context or Context(folder=tmp_path, on_unreadable=lost.append)
        async with aclosing(reader.documents(given)) as documents:
            return [document async for document in documents], lost

    return read


@pytest.fixture
def over() -> Callable[..., tuple[Context, list[UnreadableDocument]]]:
    """A context whose only client answers by a handler."""

    def make(handler: Any, prototype: str = "openai", **options: Any) -> tuple[Context, list[UnreadableDocument]]:
        from connector.pipeline.runtime import call_client

        options = {"token": "sk-test-12345678"} | options if prototype == "openai" else options
        client = Client(
            prototype, transport=httpx.MockTransport(handler), environ={}, retry={"max_retries": 0}, **options
        )
        lost: list[UnreadableDocument] = []

        async def call(_: str, kind: Any, request: Any) -> Any:
            return await call_client(client, kind, request)

        return Context(client=lambda _: client, call=call, on_unreadable=lost.append), lost

    return make
