"""Handlers that ask the script first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from connector.model import JSON, is_document, is_list
from connector.sandbox.answers.lines import Line
from connector.sandbox.answers.reply import Reply
from connector.sandbox.call import Answer, Call, Handler, Refused, Upload, World

__all__ = ["silent", "spoken"]

Speaker = Callable[[Call, World, Reply | None], Answer | Awaitable[Answer]]
"""What answers a call, with what the script wants said."""
Told = Callable[[Line, Call, World], Answer | Awaitable[Answer]]
"""What answers a call that the script has a line for."""


def spoken(speaker: Speaker) -> Handler:
    """A handler whose words the script may choose."""
    return _scripted(speaker, lambda line, call, world: speaker(call, world, line.reply))


def silent(handler: Handler) -> Handler:
    """A handler that says nothing: a scripted document is its whole answer."""

    def told(line: Line, call: Call, world: World) -> Answer | Awaitable[Answer]:
        return Answer(body=line.document) if line.is_document else handler(call, world)

    return _scripted(lambda call, world, _: handler(call, world), told)


def _scripted(speaker: Speaker, told: Told) -> Handler:
    def answer(call: Call, world: World) -> Answer | Awaitable[Answer]:
        script = world.script
        line = script.line_for(_request(call)) if script.rules else None
        if line is None:
            return speaker(call, world, None)
        return _told(line, told, call, world)

    return answer


async def _told(line: Line, told: Told, call: Call, world: World) -> Answer:
    if line.delay:
        await asyncio.sleep(line.delay)
    if line.status is not None:
        error = line.error
        raise Refused(line.status, error.message, error.type, error.param, error.code, line.headers)
    answer = told(line, call, world)
    return answer if isinstance(answer, Answer) else await answer


def _request(call: Call) -> dict[str, JSON]:
    """A call as `when` sees it."""
    said: dict[str, JSON] = {"operation": call.operation.name, "method": call.operation.method}
    return {**said, "path": call.path, "query": call.query, "payload": _plain(call.payload), "headers": call.headers}


def _plain(value: JSON) -> JSON:
    """A payload with its files by name and type."""
    if isinstance(value, Upload):
        return {"filename": value.filename, "content_type": value.content_type}
    if is_document(value):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if is_list(value) else value
