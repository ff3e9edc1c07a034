"""The handler of operations that the API has removed: their successors' work, in the old form."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Iterable
from dataclasses import replace
from urllib.parse import urlencode

from connector.catalogue import Catalogue
from connector.model import JSON, InvalidRequest, items, members
from connector.model import Request as CatalogueRequest
from connector.request.path import Template, fill_template
from connector.request.successors import AnswerForm, Successors, Translation, has_successor
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, ApiError, Event, Request

__all__ = ["RemovedHandler"]

ENGINE = "GET /engines/{engine_id}"
SEARCH = "POST /engines/{engine_id}/search"
BEST_SCORE = 200


class RemovedHandler:
    """Answers removed operations as they did.

    Args:
        catalogue: the operations.
        otherwise: answers those that have no successor.
    """

    def __init__(self, catalogue: Catalogue, otherwise: Handler) -> None:
        self._catalogue = catalogue
        self._otherwise = otherwise

    def answer(self, request: Request, backend: Backend) -> Answer | Awaitable[Answer]:
        """Return the answer of a removed operation, in its old form."""
        if request.operation.wire_name == SEARCH:
            return Answer(_search(request))
        if not has_successor(request.operation):
            return self._otherwise(request, backend)
        return self._answer(request, backend)

    async def _answer(self, request: Request, backend: Backend) -> Answer:
        asked = CatalogueRequest(request.path, request.query, request.payload)
        try:
            translated = Successors(self._catalogue, backend.registry, backend.today).translate(
                request.operation, asked
            )
        except InvalidRequest as error:
            raise ApiError(400, str(error.faults[0]), param=error.faults[0].where) from None
        answer = await backend.call(translated.operation.method, _build_path(translated), translated.request.payload)
        if answer.status >= 300:
            return answer
        if answer.events is not None:
            return replace(answer, events=_restore_events(translated.answer, answer.events))
        body = translated.answer(answer.body)
        # The engine that is asked for was there then, by whatever model its work is done.
        named = {"id": request.path["engine_id"]} if request.operation.wire_name == ENGINE else {}
        return replace(answer, body={**body, **named} if named else body)


def _search(request: Request) -> dict[str, JSON]:
    """Return the documents with the share of the query's words that each of them has."""
    words = set(str(members(request.payload).get("query", "")).lower().split())
    documents = [set(str(text).lower().split()) for text in items(members(request.payload).get("documents"))]
    data: list[JSON] = [
        {"object": "search_result", "document": place, "score": BEST_SCORE * len(words & found) / max(len(words), 1)}
        for place, found in enumerate(documents)
    ]
    return {"object": "list", "data": data, "model": request.path["engine_id"]}


def _build_path(translated: Translation) -> str:
    path, _ = fill_template(Template.of(translated.operation.template), translated.request.path)
    query = urlencode(dict(translated.request.query))
    return f"{path}?{query}" if query else path


async def _restore_events(form: AnswerForm, events: Iterable[Event] | AsyncIterable[Event]) -> AsyncIterator[Event]:
    if isinstance(events, AsyncIterable):
        async for event in events:
            yield replace(event, data=form.restore_event(event.data))
    else:
        for event in events:
            yield replace(event, data=form.restore_event(event.data))
