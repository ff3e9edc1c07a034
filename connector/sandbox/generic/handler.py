"""The handler of every operation that has none of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from connector.catalogue import Catalogue
from connector.model import Request as CatalogueRequest
from connector.request.plan import find_plain_kind, is_streaming
from connector.sandbox.backend import Backend
from connector.sandbox.generic.lists import list_objects
from connector.sandbox.generic.locations import Locations
from connector.sandbox.generic.objects import change_object, create_object, delete_object, retrieve_object
from connector.sandbox.generic.reports import report_usage
from connector.sandbox.messages import Answer, Event, Request

__all__ = ["GenericHandler"]

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
