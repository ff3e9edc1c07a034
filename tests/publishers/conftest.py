"""Publishers of a kind, given documents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from connector.model import Outcome
from connector.publishers import Context, DocumentWriter, prototypes


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(folder=tmp_path)


@pytest.fixture
def publisher() -> Callable[..., DocumentWriter]:
    """Makes a publisher of a kind."""

    def make(kind: str, **parameters: Any) -> DocumentWriter:
        prototype = prototypes().find(kind)
        return prototype.build(prototype.parameters.model_validate(parameters))

    return make


@pytest.fixture
def write(publisher: Callable[..., DocumentWriter], context: Context) -> Callable[..., Awaitable[list[Outcome]]]:
    """Publishes documents one after the other, and finishes."""

    async def write(kind: str, documents: list[Any], **parameters: Any) -> list[Outcome]:
        writes = publisher(kind, **parameters)
        outcomes = [await writes.publish(document, context) for document in documents]
        await writes.finish()
        return outcomes

    return write
