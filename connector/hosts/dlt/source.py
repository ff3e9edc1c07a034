"""The source: the API's lists as resources, each with a state that covers exactly the rows before it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from datetime import date
from functools import partial
from typing import Any, Literal

import dlt
from dlt.common.schema.typing import TWriteDisposition
from dlt.common.typing import TSecretStrValue
from dlt.extract.resource import DltResource

from connector.catalogue import Catalogue
from connector.hosts.dlt.columns import columns_of
from connector.hosts.dlt.pages import read_pages
from connector.hosts.streams.reader import Mark, Row
from connector.hosts.streams.settings import SourceSettings, read_settings
from connector.hosts.streams.source import open_reader, readable_streams
from connector.hosts.streams.stream import Stream
from connector.model import JSON
from connector.request.redaction import Redactor

__all__ = ["openai_source"]


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

    def rows() -> Iterator[Any]:
        yield from read_pages(stream.name, partial(_read, stream, settings, catalogue), Redactor(settings.secrets))

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


async def _read(
    stream: Stream, settings: SourceSettings, catalogue: Catalogue, position: JSON
) -> AsyncGenerator[Row | Mark]:
    async with open_reader(settings, catalogue) as reader, aclosing(reader.read(stream, position)) as found:
        async for one in found:
            yield one
