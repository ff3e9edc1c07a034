"""Incoming connections of a configuration as resources: what they read, through their chains."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import dlt
from dlt.common.schema.typing import TWriteDisposition
from dlt.common.typing import TSecretStrValue
from dlt.extract.resource import DltResource

from connector.config import Configuration
from connector.delivery.route_spec import incoming_chain, input_chain
from connector.documents import dump
from connector.errors import ConfigurationError
from connector.hosts.dlt.pages import Lost, read_pages
from connector.hosts.rows.settings import load_given, read_variables
from connector.hosts.streams.reader import Mark, Row
from connector.intake.cursor import max_watermark, step_back
from connector.model import JSON, is_document, members
from connector.pipeline import IncomingRun, Runtime
from connector.pipeline.reader import ReadResult
from connector.subscribers import Bookmark
from connector.transform import compile_template

if TYPE_CHECKING:
    from connector.config.models import Incoming
    from connector.transform import Template

__all__ = ["incoming_source"]

GROWING = ("file", "folder")
"""Subscribers whose bookmarks last, so that a later reading begins where the last one ended."""


def _read_connections(
    configuration: str = dlt.config.value,
    names: list[str] | None = None,
    variables: TSecretStrValue | None = None,
) -> Iterator[DltResource]:
    """Read incoming connections: each is a resource, and its rows are what its chain makes.

    Args:
        configuration: a connector.yaml: its text, or its path.
        names: the connections; all that are not disabled unless given.
        variables: what the configuration calls `${NAME}`: lines of `NAME=value`.
    """
    loaded = load_given(configuration, read_variables(variables or ""))
    offered = [name for name, one in loaded.incoming.items() if not one.disabled]
    for name in offered if names is None else names:
        yield _make_resource(loaded, name)


incoming_source = dlt.source(_read_connections, name="incoming", section="incoming")


def _make_resource(configuration: Configuration, name: str) -> DltResource:
    """Return a connection as a resource: what is read on is appended, what is read whole is replaced."""
    declared: Any = configuration.find("incoming", name)
    is_growing = declared.cursor is not None or declared.subscriber.prototype in GROWING
    disposition: TWriteDisposition = "append" if declared.mode == "incremental" and is_growing else "replace"

    def documents() -> Iterator[Any]:
        yield from read_pages(name, partial(_read, configuration, declared, name), configuration.redactor())

    make = dlt.resource(documents, name=name, write_disposition=disposition)
    made: DltResource = make()
    return made


@dataclass(slots=True)
class _Progress:
    """How far a connection was read.

    Attributes:
        cursor: the highest value of all readings that came to their end.
        parts: where the next reading of each part begins.
    """

    cursor: JSON
    parts: dict[str, JSON] = field(default_factory=dict[str, JSON])

    def find(self, part: str) -> Bookmark:
        kept = members(self.parts.get(part))
        count = kept.get("count")
        return Bookmark(part, kept.get("place"), count if isinstance(count, int) else 0, lasting=bool(kept))

    def mark(self) -> Mark:
        reached: dict[str, JSON] = {} if self.cursor is None else {"cursor": self.cursor}
        return Mark({**reached, **({"parts": dict(self.parts)} if self.parts else {})})


async def _read(
    configuration: Configuration, declared: Incoming, name: str, position: JSON
) -> AsyncGenerator[Row | Lost | Mark]:
    """Yield documents, and what cannot be one, with marks behind what they cover."""
    known = members(position)
    progress = _Progress(known.get("cursor"), dict(members(known.get("parts"))))
    highest = progress.cursor
    async with Runtime(configuration) as runtime:
        _check(runtime, name)
        value_of = _cursor_field(declared, name)
        run = IncomingRun(runtime, name, state=_template_state(declared, progress.cursor))
        async with aclosing(run.read(progress.find)) as found:
            async for one in found:
                if isinstance(one, ReadResult):
                    for read in one.reads:
                        if value_of is not None and read.is_fit:
                            highest = max_watermark(highest, value_of.resolve(read.document, runtime.scope))
                    for row in _rows_of(one):
                        yield row
                elif one.lasting and _is_fit(one, runtime):
                    progress.parts[one.part] = {"place": one.place, "count": one.count}
                    yield progress.mark()
    progress.cursor = highest
    if highest is not None:
        yield progress.mark()


def _rows_of(result: ReadResult) -> Iterator[Row | Lost]:
    """Yield what the chain made, or that it failed and why."""
    for document in result.made:
        yield Row(document if is_document(document) else {"value": document})
    if result.failed:
        for read in result.reads:
            yield Lost({"document": read.document, "part": read.part, "place": read.position, "reason": result.failed})


def _is_fit(mark: Bookmark, runtime: Runtime) -> bool:
    """Return whether a bookmark may be kept: not one that holds a secret."""
    text = dump([mark.part, mark.place]).decode()
    return runtime.redact(text) == text


def _cursor_field(declared: Incoming, name: str) -> Template | None:
    """Return what gives a document's value of the cursor."""
    if declared.cursor is None:
        return None
    return compile_template(f"?{{{declared.cursor.field}}}", where=f"incoming.{name}.cursor.field")


def _template_state(declared: Incoming, reached: JSON) -> Mapping[str, JSON]:
    """Return what templates of the request see."""
    cursor = declared.cursor
    if cursor is None:
        return {}
    return {"cursor": cursor.start if reached is None else step_back(reached, cursor.overlap)}


def _check(runtime: Runtime, name: str) -> None:
    """Raise ConfigurationError for a connection of which a repeat would pay, or would leave something out."""
    if incoming_chain(runtime, name).calls or input_chain(runtime, name).calls:
        raise ConfigurationError(
            f"the chain of incoming {name!r} makes calls, and dlt repeats a reading: make them in an outgoing"
            " connection, and publish the rows with publish_rows"
        )
    if runtime.configuration.storages:
        raise ConfigurationError(
            "the configuration has storages, which keep what dlt may drop again; read by one without them"
        )
