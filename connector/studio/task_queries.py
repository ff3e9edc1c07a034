"""What a request asks of the tasks: its parameters as a filter, an order and columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query

from connector.engine import TaskState
from connector.engine.search import Path, TaskFilter, parse_field, parse_path
from connector.errors import ConfigurationError
from connector.studio.problems import Detail, Refused
from connector.studio.schemas.base import Moment
from connector.studio.schemas.tasks import FilterBody

__all__ = ["Wanted", "make_filter", "parse_columns"]

MOST_COLUMNS = 20


def read_filter(
    route: Annotated[list[str] | None, Query(max_length=500, description="One of these routes.")] = None,
    state: Annotated[list[TaskState] | None, Query(description="One of these states.")] = None,
    key: Annotated[str, Query(max_length=2000, description="The key of the document.")] = "",
    reason: Annotated[str, Query(max_length=2000, description="A part of the reason.")] = "",
    text: Annotated[str, Query(max_length=2000, description="A part of the document as JSON; A is a.")] = "",
    field: Annotated[
        list[str] | None,
        Query(max_length=20, description="A value in a place of the document, such as `customer.tags[0]:vip`."),
    ] = None,
    created_from: Annotated[Moment | None, Query(description="Accepted at this time or later.")] = None,
    created_to: Annotated[Moment | None, Query(description="Accepted before this time.")] = None,
    updated_from: Annotated[Moment | None, Query(description="Changed at this time or later.")] = None,
    updated_to: Annotated[Moment | None, Query(description="Changed before this time.")] = None,
) -> TaskFilter:
    """Return the filter of a query."""
    given = FilterBody(
        route=route or [],
        state=state or [],
        key=key,
        reason=reason,
        text=text,
        field=field or [],
        created_from=created_from,
        created_to=created_to,
        updated_from=updated_from,
        updated_to=updated_to,
    )
    return make_filter(given, "query")


Wanted = Annotated[TaskFilter, Depends(read_filter)]


def make_filter(given: FilterBody, place: str) -> TaskFilter:
    """Return what a filter means; raise Refused for a field that is none.

    Args:
        place: where it stands in the request.
    """
    try:
        fields = [parse_field(one) for one in given.field]
    except ConfigurationError as error:
        raise _refuse(str(error), f"{place}.field") from None
    return TaskFilter(
        routes=given.route,
        states=given.state,
        key=given.key,
        reason=given.reason,
        text=given.text,
        fields=fields,
        created_from=_seconds(given.created_from),
        created_to=_seconds(given.created_to),
        updated_from=_seconds(given.updated_from),
        updated_to=_seconds(given.updated_to),
    )


def parse_columns(text: str) -> Mapping[str, Path]:
    """Return places of the document by how they are written."""
    names = [name for each in text.split(",") if (name := each.strip())]
    if len(names) > MOST_COLUMNS:
        raise _refuse(f"{len(names)} columns are asked for; {MOST_COLUMNS} are allowed", "query.columns")
    try:
        return {name: parse_path(name) for name in names}
    except ConfigurationError as error:
        raise _refuse(str(error), "query.columns") from None


def _refuse(text: str, where: str) -> Refused:
    wrong = Detail(where=where, found="no place of a document", allowed="a.b[0], and for a filter a.b[0]:VALUE")
    return Refused(422, text, "mend what `errors` names", errors=[wrong])


def _seconds(moment: datetime | None) -> float | None:
    """Return a time in seconds since 1970; one without a zone is in UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
