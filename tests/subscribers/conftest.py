"""Subscribers of a kind, read to their end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.http import Client
from connector.subscribers import Context, Lost, prototypes


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Awaitable[tuple[list[Any], list[Lost]]]]:
    """Reads everything that a kind of subscriber gives with some parameters; below a folder of the test's own."""

    async def read(kind: str, context: Context | None = None, **parameters: Any) -> tuple[list[Any], list[Lost]]:
        prototype = prototypes().find(kind)
        lost: list[Lost] = []
        reader = prototype.build(prototype.parameters.model_validate(parameters))
        given = context or Context(folder=tmp_path, lost=lost.append)
        async with aclosing(reader.documents(given)) as documents:
            return [document async for document in documents], lost

    return read


@pytest.fixture
def over() -> Callable[..., tuple[Context, list[Lost]]]:
    """A context whose only client answers by a handler."""

    def make(handler: Any, prototype: str = "openai", **options: Any) -> tuple[Context, list[Lost]]:
        from connector.connections.calls import called

        options = {"token": "sk-test-12345678"} | options if prototype == "openai" else options
        client = Client(
            prototype, transport=httpx.MockTransport(handler), environ={}, retry={"max_retries": 0}, **options
        )
        lost: list[Lost] = []

        async def call(_: str, kind: Any, request: Any) -> Any:
            return await called(client, kind, request)

        return Context(client=lambda _: client, call=call, lost=lost.append), lost

    return make
