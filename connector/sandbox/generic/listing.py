"""A page of what there is, in the style in which the operation pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from connector.catalogue import Operation
from connector.model import JSON, is_document, is_list, is_object
from connector.sandbox.forms import Form
from connector.sandbox.generic.seeding import seed
from connector.sandbox.messages import Answer, Call
from connector.sandbox.objects import Page

if TYPE_CHECKING:
    from connector.sandbox.generic.places import Places
    from connector.sandbox.world import World

__all__ = ["listed"]

PAGING = frozenset({"after", "before", "limit", "order", "page", "order_by", "include", "metadata", "include_archived"})
USUAL, MOST = 20, 100
Filter = Callable[[Mapping[str, JSON]], bool]


def listed(call: Call, world: World, places: Places) -> Answer:
    """The objects that follow the cursor, and where the next ones are."""
    place = places.of(call.operation, call.path)
    seed(world, place.kind, place.parent)
    query = call.query
    page = world.objects.page(
        place.kind,
        place.parent,
        limit=_limit(call.operation, query),
        after=world.cursor(place.kind, query.get("after") or query.get("page"), place.parent),
        before=world.cursor(place.kind, query.get("before"), place.parent),
        order=_order(call.operation, query),
        where=_filter(call.operation, query),
    )
    return Answer(body=_enveloped(world.shaper.form(call.operation), page, world, place.kind))


def _enveloped(form: Form, page: Page, world: World, kind: str) -> dict[str, JSON]:
    """The page with whatever its operation says around it."""
    item = form.fields["data"].item
    data = [world.shaper.filled(item, one, kind) for one in page.items]
    first, last = (page.items[0]["id"], page.items[-1]["id"]) if page.items else (None, None)
    following = last if page.has_more else None
    known = {"first_id": first, "last_id": last, "next": following, "next_page": following, "has_more": page.has_more}
    envelope = {name: _or_empty(form.fields[name], known[name]) for name in known if name in form.fields}
    named = {"object": "list"} if "object" in form.fields else {}
    return world.shaper.filled(form, {**named, **envelope}, kind) | {"data": data}


def _or_empty(form: Form, value: JSON) -> JSON:
    return "" if value is None and not form.nullable else value


def _limit(operation: Operation, query: Mapping[str, JSON]) -> int:
    declared = operation.query.get("limit")
    usual = declared.get("default", USUAL) if is_object(declared) else MOST
    asked = query.get("limit")
    return max(1, usual if asked is None else int(asked))


def _order(operation: Operation, query: Mapping[str, JSON]) -> str:
    declared = operation.query.get("order")
    usual = declared.get("default") if is_object(declared) else None
    return "asc" if str(query.get("order") or usual or "desc").startswith("asc") else "desc"


def _filter(operation: Operation, query: Mapping[str, JSON]) -> Filter | None:
    """What the rest of the query asks of an object; nothing when it asks nothing."""
    wanted = {name.removesuffix("[]"): value for name, value in query.items() if name not in PAGING}
    metadata: JSON = query.get("metadata")
    hides = "include_archived" in operation.query and not query.get("include_archived")
    if not wanted and not metadata and not hides:
        return None

    def fits(one: Mapping[str, JSON]) -> bool:
        if hides and one.get("status") == "archived":
            return False
        return all(_agrees(one, name, value) for name, value in wanted.items()) and _is_marked(one, metadata)

    return fits


def _agrees(one: Mapping[str, JSON], name: str, wanted: JSON) -> bool:
    """Whether an object has a wanted value; one that has no such field is not judged by it."""
    if is_list(wanted):
        value = one.get(name, one.get(name.removesuffix("s")))
        return value is None or value in wanted
    value = one.get(name)
    return value is None or is_document(wanted) or value == wanted


def _is_marked(one: Mapping[str, JSON], metadata: JSON) -> bool:
    own: JSON = one.get("metadata")
    return not is_document(metadata) or (is_document(own) and metadata.items() <= own.items())
