"""The handler of every operation that has none of its own, and its pages of objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from connector.catalogue import Catalogue, Operation
from connector.model import JSON, is_document, is_list, is_object
from connector.model import Request as CatalogueRequest
from connector.request.plan import find_plain_kind, is_streaming
from connector.sandbox.answer_templates import AnswerTemplate
from connector.sandbox.backend import Backend
from connector.sandbox.generic.locations import Locations
from connector.sandbox.generic.objects import change_object, create_object, delete_object, retrieve_object, seed_objects
from connector.sandbox.generic.reports import report_usage
from connector.sandbox.messages import Answer, Event, Request
from connector.sandbox.object_store import Page

__all__ = ["GenericHandler", "list_objects"]

PAGING = frozenset({"after", "before", "limit", "order", "page", "order_by", "include", "metadata", "include_archived"})
DEFAULT_LIMIT, UNDECLARED_LIMIT = 20, 100
Filter = Callable[[Mapping[str, JSON]], bool]


def list_objects(request: Request, backend: Backend, locations: Locations) -> Answer:
    """Return the page of objects after the cursor."""
    location = locations.locate(request.operation, request.path)
    seed_objects(backend, location.kind, location.parent)
    query = request.query
    page = backend.objects.page(
        location.kind,
        location.parent,
        limit=_limit(request.operation, query),
        after=backend.resolve_cursor(location.kind, query.get("after") or query.get("page"), location.parent),
        before=backend.resolve_cursor(location.kind, query.get("before"), location.parent),
        order=_order(request.operation, query),
        where=_filter(request.operation, query),
    )
    return Answer(body=_build_page(backend.answer_builder.template(request.operation), page, backend, location.kind))


def _build_page(template: AnswerTemplate, page: Page, backend: Backend, kind: str) -> dict[str, JSON]:
    """Return the page in the envelope of its operation."""
    item = template.fields["data"].item
    data = [backend.answer_builder.fill(item, one, kind) for one in page.items]
    first, last = (page.items[0]["id"], page.items[-1]["id"]) if page.items else (None, None)
    following = last if page.has_more else None
    known = {"first_id": first, "last_id": last, "next": following, "next_page": following, "has_more": page.has_more}
    envelope = {name: _or_empty(template.fields[name], known[name]) for name in known if name in template.fields}
    named = {"object": "list"} if "object" in template.fields else {}
    return backend.answer_builder.fill(template, {**named, **envelope}, kind) | {"data": data}


def _or_empty(template: AnswerTemplate, value: JSON) -> JSON:
    return "" if value is None and not template.is_nullable else value


def _limit(operation: Operation, query: Mapping[str, JSON]) -> int:
    declared = operation.query.get("limit")
    default = declared.get("default", DEFAULT_LIMIT) if is_object(declared) else UNDECLARED_LIMIT
    limit = query.get("limit")
    return max(1, default if limit is None else int(limit))


def _order(operation: Operation, query: Mapping[str, JSON]) -> str:
    declared = operation.query.get("order")
    default = declared.get("default") if is_object(declared) else None
    return "asc" if str(query.get("order") or default or "desc").startswith("asc") else "desc"


def _filter(operation: Operation, query: Mapping[str, JSON]) -> Filter | None:
    """Return the filter of the query's remaining fields, or None without any."""
    wanted = {name.removesuffix("[]"): value for name, value in query.items() if name not in PAGING}
    metadata: JSON = query.get("metadata")
    hides = "include_archived" in operation.query and not query.get("include_archived")
    if not wanted and not metadata and not hides:
        return None

    def fits(one: Mapping[str, JSON]) -> bool:
        if hides and one.get("status") == "archived":
            return False
        return all(_matches_value(one, name, value) for name, value in wanted.items()) and _has_metadata(one, metadata)

    return fits


def _matches_value(one: Mapping[str, JSON], name: str, wanted: JSON) -> bool:
    """Return whether an object has a value; one without such a field matches."""
    if is_list(wanted):
        value = one.get(name, one.get(name.removesuffix("s")))
        return value is None or value in wanted
    value = one.get(name)
    return value is None or is_document(wanted) or value == wanted


def _has_metadata(one: Mapping[str, JSON], metadata: JSON) -> bool:
    own: JSON = one.get("metadata")
    return not is_document(metadata) or (is_document(own) and metadata.items() <= own.items())


Action = Callable[[Request, Backend, Locations], Answer]
ACTIONS: Mapping[str, Action] = {
    "list": list_objects,
    "retrieve": retrieve_object,
    "create": create_object,
    "delete": delete_object,
}


class GenericHandler:
    """Answers operations by what the catalogue says of them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    @cached_property
    def _locations(self) -> Locations:
        return Locations(self._catalogue)

    def answer(self, request: Request, backend: Backend) -> Answer:
        """Return the answer of an operation: a report, an event, or objects of the store."""
        locations, operation = self._locations, request.operation
        if "bucket_width" in operation.query:
            return report_usage(request, backend)
        if not backend.options.lenient:
            for kind, name, parent in locations.parents(operation, request.path):
                backend.require_object(kind, name, parent)
        if _is_stream(request):
            return Answer(events=[Event(backend.answer_builder.build_event(operation))])
        act = change_object if operation.on else ACTIONS[operation.action]
        return _as_declared(act(request, backend, locations), request)


def _is_stream(request: Request) -> bool:
    kinds = request.operation.answer
    asked = CatalogueRequest(query=request.query, payload=request.payload)
    return "events" in kinds and (len(kinds) == 1 or is_streaming(request.operation, asked))


def _as_declared(answer: Answer, request: Request) -> Answer:
    """Return the answer in the form that the operation declares."""
    kind = find_plain_kind(request.operation)
    if kind == "empty":
        return Answer(data=b"")
    return Answer(data=b"", content_type="text/plain") if kind == "text" else answer
