"""Handlers that answer from the script where it has an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from connector.model import JSON, is_document, is_list
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, ApiError, Reply, Request, Upload
from connector.sandbox.script import ScriptedAnswer

__all__ = ["with_scripted_body", "with_scripted_reply"]

ReplyHandler = Callable[[Request, Backend, Reply | None], Answer | Awaitable[Answer]]
"""Answers a request, with the script's reply or None."""
ScriptedHandler = Callable[[ScriptedAnswer, Request, Backend], Answer | Awaitable[Answer]]
"""Answers a request that the script has an answer for."""


def with_scripted_reply(speaker: ReplyHandler) -> Handler:
    """Return a handler whose reply the script may choose."""
    return _consult_script(speaker, lambda scripted, request, backend: speaker(request, backend, scripted.reply))


def with_scripted_body(handler: Handler) -> Handler:
    """Return a handler whose whole body the script may choose."""

    def handle(scripted: ScriptedAnswer, request: Request, backend: Backend) -> Answer | Awaitable[Answer]:
        return Answer(body=scripted.document) if scripted.is_document else handler(request, backend)

    return _consult_script(lambda request, backend, _: handler(request, backend), handle)


def _consult_script(speaker: ReplyHandler, handle: ScriptedHandler) -> Handler:
    def answer(request: Request, backend: Backend) -> Answer | Awaitable[Answer]:
        script = backend.script
        scripted = script.find_answer(_describe_request(request)) if script.rules else None
        if scripted is None:
            return speaker(request, backend, None)
        return _answer_from_script(scripted, handle, request, backend)

    return answer


async def _answer_from_script(
    scripted: ScriptedAnswer, handle: ScriptedHandler, request: Request, backend: Backend
) -> Answer:
    if scripted.delay:
        await asyncio.sleep(scripted.delay)
    if scripted.status is not None:
        error = scripted.error
        raise ApiError(scripted.status, error.message, error.type, error.param, error.code, scripted.headers)
    answer = handle(scripted, request, backend)
    return answer if isinstance(answer, Answer) else await answer


def _describe_request(request: Request) -> dict[str, JSON]:
    """Return the request as `when` sees it."""
    described: dict[str, JSON] = {"operation": request.operation.name, "method": request.operation.method}
    return {
        **described,
        "path": request.path,
        "query": request.query,
        "payload": _without_data(request.payload),
        "headers": request.headers,
    }


def _without_data(value: JSON) -> JSON:
    """Return a payload with its files by name and type."""
    if isinstance(value, Upload):
        return {"filename": value.filename, "content_type": value.content_type}
    if is_document(value):
        return {name: _without_data(part) for name, part in value.items()}
    return [_without_data(part) for part in value] if is_list(value) else value
