"""Streams: every list of the catalogue that can be read, with its parents, its key and what it is ordered by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.hosts.streams.row_schema import item_schema, plain_schema, result_schema, row_schema, types_of
from connector.model import JSON, items, members

__all__ = ["Stream", "make_streams"]

CURSORS = ("created_at", "effective_at", "created")
"""Fields by which lists can be read on, the best first: when an entity was made."""
BUCKET = ("id", "start_time", "end_time")
"""What every row of a report has beside its figures."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A list of the API as rows.

    Attributes:
        operation: reads the list.
        schema: of a row.
        primary_key: the fields that tell rows apart; none where the API names none.
        cursor: the field of a time by which only new rows can be asked for.
        parent: whose rows' keys fill the path of the list.
        is_report: whether its entities are time spans, and its rows their results.
    """

    name: str
    operation: Operation
    schema: Mapping[str, JSON]
    primary_key: tuple[str, ...]
    cursor: str | None
    parent: Stream | None = None
    is_report: bool = False

    @property
    def needs_admin(self) -> bool:
        """Whether only an admin key may read it."""
        return self.operation.key == "admin"

    @property
    def group_by(self) -> tuple[str, ...]:
        """The fields by which a report can be split."""
        choices = members(members(self.operation.query.get("group_by")).get("items")).get("enum")
        return tuple(str(one) for one in items(choices))


def make_streams(catalogue: Catalogue) -> dict[str, Stream]:
    """Return the streams of a catalogue by name, parents before their children."""
    lists = {one.template: one for one in catalogue.operations() if _is_readable(one)}
    made: dict[str, Stream] = {}

    def make(operation: Operation) -> Stream | None:
        name = operation.entity.replace(" ", "_").replace("-", "_")
        if name in made:
            return made[name]
        parent = None
        if operation.parameters:
            above = next((lists[path] for path in _paths_above(operation.template) if path in lists), None)
            parent = make(above) if above is not None else None
            if parent is None or len(parent.operation.parameters) != len(operation.parameters) - 1:
                return None
            if not parent.primary_key:
                return None
        stream = _make(catalogue, name, operation, parent)
        if stream is not None:
            made[name] = stream
        return stream

    for operation in lists.values():
        make(operation)
    return made


def _is_readable(operation: Operation) -> bool:
    return (
        operation.method == "GET"
        and operation.action == "list"
        and operation.removed is None
        and operation.hands_out is None
        and "json" in operation.answer
    )


def _paths_above(template: str) -> Iterator[str]:
    """Yield the paths at which the parents of a list may be listed."""
    above = template[: template.rindex("/{")]
    yield above
    if not above.startswith("/organization/"):
        yield f"/organization{above}"  # where projects and their groups are listed


def _make(catalogue: Catalogue, name: str, operation: Operation, parent: Stream | None) -> Stream | None:
    item = item_schema(catalogue, operation)
    if operation.required_query == ("start_time",):
        schema = row_schema(plain_schema(result_schema(operation, item)), BUCKET)
        schema["properties"] = {**members(schema["properties"]), **{name: {"type": "integer"} for name in BUCKET[1:]}}
        return Stream(name, operation, schema, ("id",), "start_time", is_report=True)
    plain = plain_schema(item)
    known = members(plain.get("properties"))
    if operation.required_query or not known:
        return None
    own = _own_key(catalogue, operation, known)
    key = (*operation.parameters, own) if own is not None else ()
    schema = row_schema(plain, [*operation.parameters, *((own,) if own else ())])
    return Stream(name, operation, schema, key, _cursor(operation, plain), parent)


def _cursor(operation: Operation, plain: Mapping[str, JSON]) -> str | None:
    """Return the field by which only new rows can be asked for, if any can be trusted.

    What an organization's parts have was mostly made elsewhere and assigned later, and models were made long before
    they were offered: the time of such an entity does not say since when it is in the list.
    """
    if operation.pages is None or (operation.key == "admin" and operation.parameters):
        return None
    known, required = members(plain.get("properties")), items(plain.get("required"))
    return next((one for one in CURSORS if one in required and "integer" in types_of(known.get(one))), None)


def _own_key(catalogue: Catalogue, operation: Operation, known: Mapping[str, JSON]) -> str | None:
    """Return the field that names an entity in its list: its id, or what the path to one of them calls it."""
    if "string" in types_of(known.get("id")):
        return "id"
    paths = (one.template for one in catalogue.operations() if one.template.startswith(f"{operation.template}/{{"))
    names = (path.removeprefix(operation.template + "/").partition("/")[0].strip("{}") for path in paths)
    return next((name for name in names if "string" in types_of(known.get(name))), None)
