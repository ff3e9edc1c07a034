"""What is read as dlt takes it: rows, many at a time, and the position that covers them when it has taken them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import dlt
from anyio.from_thread import start_blocking_portal

from connector.aio.portal import iterate_in_portal
from connector.errors import ConnectorError
from connector.hosts.dlt.errors import SourceFailed
from connector.hosts.streams.reader import Mark, Row
from connector.model import JSON
from connector.request.redaction import Redactor

__all__ = ["Lost", "read_pages"]

PAGE = 500
"""Rows that dlt is given at a time."""
POSITION = "position"
"""The member of a resource's state that says how far it was read."""

FAILED = "_failed"
"""The end of the name of the table of what cannot be a row."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What was read and is no row, with the reason."""

    data: dict[str, JSON]


Read = Callable[[JSON], AsyncGenerator[Row | Lost | Mark]]


def read_pages(name: str, read: Read, redact: Redactor) -> Iterator[Any]:
    """Yield rows, and keep how far they go in the state of the resource that asks.

    Args:
        name: what is read.
        read: reads on from a position.
        redact: hides secrets in errors.
    """
    kept = dlt.current.resource_state()
    page: list[dict[str, JSON]] = []
    try:
        with start_blocking_portal() as portal:
            for one in iterate_in_portal(portal, read(kept.get(POSITION))):
                if isinstance(one, Row):
                    page.append(one.data)
                if page and (not isinstance(one, Row) or len(page) == PAGE):
                    yield page
                    page = []
                if isinstance(one, Lost):
                    yield dlt.mark.with_table_name(one.data, f"{name}{FAILED}")
                if isinstance(one, Mark):
                    kept[POSITION] = one.state
        if page:
            yield page
    except ConnectorError as error:
        raise SourceFailed(redact(f"{name}: {error}")) from None
