"""From a request to its operation and the handler that answers it."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from inspect import isawaitable
from typing import NamedTuple
from urllib.parse import parse_qsl

from connector.catalogue import Catalogue, Operation
from connector.documents import dump
from connector.model import JSON, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.bill.meter import REPORTS
from connector.sandbox.bill.payers import Payer, paying, read_payer
from connector.sandbox.generic.handler import GenericHandler
from connector.sandbox.generic.removed import RemovedHandler
from connector.sandbox.http.request_body import read_body
from connector.sandbox.http.request_validator import RequestValidator
from connector.sandbox.messages import Answer, ApiError, Request
from connector.sandbox.models.life_cycle import check_model
from connector.sandbox.object_store import CursorNotFound

__all__ = ["Dispatcher", "Route"]

METHODS = ("GET", "POST", "DELETE")
MOST_CACHED = 512
JSON_HEADERS = {"content-type": "application/json"}


class Route(NamedTuple):
    """An operation with the values of its path."""

    operation: Operation
    path: Mapping[str, str]


class Router:
    """Finds operations by method and path, with the version in front or without."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._cache: dict[tuple[str, str], Route] = {}

    def find(self, method: str, path: str) -> Route:
        """Return the operation of a path with its query; raise 404, or 405 where it has other methods."""
        known = self._cache.get((method, path))
        if known is not None:
            return known
        found = self._catalogue.match(method, path)
        if found is None:
            raise self._build_error(method, path)
        route = Route(*found)
        if not route.path and "?" not in path and len(self._cache) < MOST_CACHED:
            self._cache[method, path] = route
        return route

    def _build_error(self, method: str, path: str) -> ApiError:
        bare = path.partition("?")[0]
        allowed = [other for other in METHODS if self._catalogue.match(other, path)]
        if not allowed:
            return ApiError(404, f"Invalid URL ({method} {bare})")
        message = f"Not allowed to {method} on {bare}. (HINT: {' and '.join(allowed)} would be.)"
        return ApiError(405, message, code="method_not_supported", headers={"Allow": ", ".join(allowed)})


class Dispatcher:
    """Routes, validates and answers requests with the handlers of a catalogue's operations."""

    def __init__(self, catalogue: Catalogue, handlers: Mapping[str, Handler]) -> None:
        self._router = Router(catalogue)
        self._validator = RequestValidator(catalogue)
        self._handlers = handlers
        self._generic = GenericHandler(catalogue)
        self._removed = RemovedHandler(catalogue, self._generic.answer)

    def find(self, method: str, path: str) -> Route:
        """Return the operation of a path with its query; raise 404 or 405 where there is none."""
        return self._router.find(method, path)

    def read(self, route: Route, query: str, headers: Mapping[str, str], data: bytes) -> Request:
        """Return the validated request; raise ApiError where it is invalid."""
        operation = route.operation
        pairs = parse_qsl(query, keep_blank_values=True) if query else []
        values = self._validator.validate_query(operation, pairs)
        body = read_body(operation, headers, data, self._validator)
        return Request(operation, route.path, values, body.payload, headers)

    async def answer(self, request: Request, backend: Backend) -> Answer:
        """Return the answer of the operation's handler; errors come in the API's form."""
        handler = self._find_handler(request.operation)
        try:
            check_model(request, backend)
            payer = read_payer(request.headers)
            with paying(payer, batch=payer.batch):
                made = handler(request, backend)
                answer = await made if isawaitable(made) else made
            _note_use(request, answer, payer, backend)
        except ApiError as error:
            return error.as_answer()
        except CursorNotFound as lost:
            message = f"No such cursor: {lost.name[:60]!r} is not in this list."
            return ApiError(400, message, param="after", code="invalid_cursor").as_answer()
        except Exception as error:  # noqa: BLE001 - a fault of ours must not look like one of the network
            traceback.print_exc()
            message = f"The sandbox failed: {type(error).__name__}: {error}"
            return ApiError(500, message, "server_error", code="sandbox_failed").as_answer()
        return answer

    def _find_handler(self, operation: Operation) -> Handler:
        if operation.removed:
            return self._removed.answer
        return self._handlers.get(operation.wire_name, self._generic.answer)

    async def call(self, backend: Backend, method: str, path: str, payload: JSON) -> Answer:
        """Return the answer to a call from within, as if it came from outside."""
        try:
            route = self.find(method, path)
            data = b"" if payload is None else dump(payload)
            request = self.read(route, path.partition("?")[2], JSON_HEADERS, data)
        except ApiError as error:
            return error.as_answer()
        return await self.answer(request, backend)


def _note_use(request: Request, answer: Answer, payer: Payer, backend: Backend) -> None:
    """Note what an answer used; a removed operation's is that of the one that does its work."""
    operation = request.operation
    if answer.status < 300 and operation.wire_name in REPORTS and not operation.removed:
        backend.ledger.record(operation.wire_name, members(request.payload), answer.body, payer, answer.used)
