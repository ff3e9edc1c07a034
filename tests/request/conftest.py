"""What the tests of requests share: the catalogue that ships, and ways to prepare and to read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.model import InvalidRequest
from connector.request import Preparer, Wire
from connector.request.wire import Body

Prepare = Callable[..., Wire]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.open()


@pytest.fixture(scope="session")
def preparer(catalogue: Catalogue) -> Preparer:
    return Preparer(catalogue)


@pytest.fixture(scope="session")
def prepare(catalogue: Catalogue, preparer: Preparer) -> Prepare:
    def prepared(operation: str, request: Mapping[str, Any] | None = None, **options: Any) -> Wire:
        return preparer.prepare(catalogue.find(operation), request, **options)

    return prepared


@pytest.fixture(scope="session")
def faults_of(prepare: Prepare) -> Callable[..., list[str]]:
    """The faults of a request that is refused, as they read."""

    def faults(operation: str, request: Mapping[str, Any] | None = None, **options: Any) -> list[str]:
        with pytest.raises(InvalidRequest) as refused:
            prepare(operation, request, **options)
        return [str(fault) for fault in refused.value.faults]

    return faults


@pytest.fixture(scope="session")
def operation() -> Callable[..., Operation]:
    """An operation declared in a test."""

    def declared(**fields: Any) -> Operation:
        given = {"entity": "things", "action": "create", "area": "things", "method": "POST", "template": "/things"}
        return Operation(**(given | fields))

    return declared


@pytest.fixture(scope="session")
def read() -> Callable[[Body | None], Awaitable[bytes]]:
    """The bytes of one pass over a body."""

    async def read(body: Body | None) -> bytes:
        assert body is not None
        return b"".join([chunk async for chunk in body.chunks()])

    return read
