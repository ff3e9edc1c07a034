"""The source: the API's lists as resources, each with a state that covers exactly the rows before it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from datetime import date
from typing import Any, Literal

import dlt
from anyio.from_thread import start_blocking_portal
from dlt.common.schema.typing import TWriteDisposition
from dlt.common.typing import TSecretStrValue
from dlt.extract.resource import DltResource

from connector.aio.portal import iterate_in_portal
from connector.catalogue import Catalogue
from connector.errors import ConnectorError
from connector.hosts.dlt.columns import columns_of
from connector.hosts.dlt.errors import SourceFailed
from connector.hosts.streams.reader import Mark, Row
from connector.hosts.streams.settings import SourceSettings, read_settings
from connector.hosts.streams.source import open_reader, readable_streams
from connector.hosts.streams.stream import Stream
from connector.model import JSON
from connector.request.redaction import Redactor

__all__ = ["openai_source"]

PAGE = 500
"""Rows that dlt is given at a time."""
POSITION = "position"
"""The member of a resource's state that says how far the list was read."""


def _read_openai(
    api_key: TSecretStrValue | None = None,
    admin_api_key: TSecretStrValue | None = None,
    start_date: date | str | None = None,
    lookback_days: int = 3,
    bucket_width: Literal["1d", "1h", "1m"] = "1d",
    group_by: list[str] | None = None,
    organization: str | None = None,
    project: str | None = None,
    base_uri: str | None = None,
) -> Iterator[DltResource]:
    """Read what an OpenAI project or organization has: every list of the API is a resource.

    Args:
        api_key: a project's key: files, batches, models, vector stores and what else a project has.
        admin_api_key: an organization's admin key: usage, costs, audit logs, projects and users.
        start_date: nothing before this day is read; without it reports begin 30 days ago.
        lookback_days: a later run reads this many days again, for figures and states that change afterwards.
        bucket_width: the time span of a row of usage.
        group_by: fields by which usage is split; by default all that a report offers, [] for totals.
        organization: the organization that is asked.
        project: the project that is asked.
        base_uri: where the API is.
    """
    given: dict[str, Any] = {
        "api_key": api_key,
        "admin_api_key": admin_api_key,
        "start_date": start_date,
        "lookback_days": lookback_days,
        "bucket_width": bucket_width,
        "group_by": group_by,
        "organization": organization,
        "project": project,
        "base_uri": base_uri,
    }
    settings = read_settings(SourceSettings, {name: value for name, value in given.items() if value is not None})
    catalogue = Catalogue.open()
    for stream in readable_streams(settings, catalogue).values():
        yield _make_resource(stream, settings, catalogue)


openai_source = dlt.source(_read_openai, name="openai", section="openai")


def _make_resource(stream: Stream, settings: SourceSettings, catalogue: Catalogue) -> DltResource:
    """Return a stream as a resource: what can be read on is merged by its key, the rest is replaced."""

    def rows() -> Iterator[list[dict[str, JSON]]]:
        yield from _read(stream, settings, catalogue)

    disposition: TWriteDisposition = "merge" if stream.cursor and stream.primary_key else "replace"
    make = dlt.resource(
        rows,
        name=stream.name,
        primary_key=stream.primary_key,
        write_disposition=disposition,
        columns=columns_of(stream),
    )
    made: DltResource = make()
    return made


def _read(stream: Stream, settings: SourceSettings, catalogue: Catalogue) -> Iterator[list[dict[str, JSON]]]:
    """Yield a stream's rows, many at a time, and keep how far they go when dlt has taken them."""
    kept = dlt.current.resource_state()
    page: list[dict[str, JSON]] = []
    redact = Redactor()
    redact.learn(settings.secrets)
    try:
        with start_blocking_portal() as portal:
            for one in iterate_in_portal(portal, _found(stream, kept.get(POSITION), settings, catalogue)):
                if isinstance(one, Row):
                    page.append(one.data)
                if page and (isinstance(one, Mark) or len(page) == PAGE):
                    yield page
                    page = []
                if isinstance(one, Mark):
                    kept[POSITION] = one.state
        if page:
            yield page
    except ConnectorError as error:
        raise SourceFailed(redact(f"{stream.name}: {error}")) from None


async def _found(
    stream: Stream, position: JSON, settings: SourceSettings, catalogue: Catalogue
) -> AsyncGenerator[Row | Mark]:
    async with open_reader(settings, catalogue) as reader, aclosing(reader.read(stream, position)) as found:
        async for one in found:
            yield one
