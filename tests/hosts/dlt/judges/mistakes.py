"""Mistakes that somebody could make in the source and in the destination, put into the process that has them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any
from uuid import uuid4

from tests.crash.mutants import put

__all__ = ["DESTINATIONS", "SOURCES", "plant_destination", "plant_source"]


def _drops_rows() -> None:
    """Every second row of a page is missing."""
    source: Any = import_module("connector.hosts.dlt.source")
    read = source.read_pages

    def some(*arguments: Any) -> Any:
        for page in read(*arguments):
            yield page[::2]

    put(source, read_pages=some)


def _tells_states_too_early() -> None:
    """The state covers everything before the first page is given."""
    source: Any = import_module("connector.hosts.dlt.source")
    read = source.read_pages

    def hasty(*arguments: Any) -> Any:
        yield from list(read(*arguments))

    put(source, read_pages=hasty)


def _forgets_keys() -> None:
    source: Any = import_module("connector.hosts.dlt.source")
    resource = source.dlt.resource
    put(source.dlt, resource=lambda rows, **hints: resource(rows, **{**hints, "primary_key": ()}))


SOURCES: dict[str, Callable[[], None]] = {
    "drops rows": _drops_rows,
    "states too early": _tells_states_too_early,
    "keys forgotten": _forgets_keys,
}


def plant_source(name: str) -> None:
    """Makes a mistake in this process; none without a name."""
    if name:
        SOURCES[name]()


def _forgets_rows() -> None:
    table: Any = import_module("connector.hosts.dlt.load_table")
    key_of = table.LoadTable.key_of
    put(table.LoadTable, key_of=lambda self, *given: f"{key_of(self, *given)} {uuid4()}")


def _tells_unknown_as_done() -> None:
    destination: Any = import_module("connector.hosts.dlt.destination")
    publish = destination._publish

    async def content(*given: Any) -> Any:
        return [one for one in await publish(*given) if one.cause != "config"]

    put(destination, _publish=content)


def _tells_unknown_as_passing() -> None:
    """dlt tries it again by itself, and nobody looks."""
    errors: Any = import_module("connector.hosts.dlt.errors")
    fail = errors._fail
    put(errors, _fail=lambda message, *, is_final: fail(message, is_final=False))


def _takes_replace_for_append() -> None:
    table: Any = import_module("connector.hosts.dlt.load_table")
    put(table, TAKEN=("append", "merge", "replace"))


DESTINATIONS: dict[str, Callable[[], None]] = {
    "rows forgotten": _forgets_rows,
    "unknown told as done": _tells_unknown_as_done,
    "unknown told as passing": _tells_unknown_as_passing,
    "replace taken for append": _takes_replace_for_append,
}


def plant_destination(name: str) -> None:
    """Makes a mistake in this process; none without a name."""
    if name:
        DESTINATIONS[name]()
