"""Mistakes in the publishing of rows, which destinations and targets of every host could have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any
from uuid import uuid4

from tests.crash.mutants import put

__all__ = ["change_keys", "row_mutants"]


def row_mutants(module: str) -> dict[str, Callable[[], None]]:
    """The mistakes by their names, for the host whose rows a module takes."""
    return {
        "discards everything": _publish(lambda _: False),
        "publishes every second": _publish(lambda number: number % 2 == 0),
        "states before rows": _settle_at_once,
        "keys forgotten": change_keys(module, lambda known: lambda *given: f"{known(*given)} {uuid4()}"),
    }


def change_keys(module: str, make: Callable[[Any], Any]) -> Callable[[], None]:
    """A mistake in what a row is."""

    def plant() -> None:
        host: Any = import_module(module)
        put(host, key_of=make(host.key_of))

    return plant


def _publish(is_published: Callable[[int], bool]) -> Callable[[], None]:
    """A mistake in what is published: only the rows whose number passes."""

    def plant() -> None:
        publisher: Any = import_module("connector.hosts.rows.publisher")
        known, numbers = publisher.RowPublisher.publish, iter(range(10**9))

        async def some(self: Any, key: str, row: Any) -> None:
            if is_published(next(numbers)):
                await known(self, key, row)

        put(publisher.RowPublisher, publish=some)

    return plant


def _settle_at_once() -> None:
    publisher: Any = import_module("connector.hosts.rows.publisher")

    async def nothing(_: Any) -> Sequence[Any]:
        return ()

    put(publisher.RowPublisher, settle=nothing)
