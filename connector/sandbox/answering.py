"""A call is answered: by its handler, else by what the catalogue says; what goes wrong is an answer too."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from inspect import isawaitable
from urllib.parse import parse_qsl

from connector.documents import dump
from connector.model import JSON
from connector.sandbox import generic
from connector.sandbox.call import Answer, Call, Handler, Refused, World
from connector.sandbox.checking import Checker
from connector.sandbox.handlers import HANDLERS
from connector.sandbox.objects import LostCursor
from connector.sandbox.reading import read
from connector.sandbox.routing import Router, Target

__all__ = ["Answering"]

JSON_HEADERS = {"content-type": "application/json"}


class Answering:
    """Everything between a request that has been read and its answer."""

    def __init__(self, world: World, handlers: Mapping[str, Handler] = HANDLERS) -> None:
        self.world = world
        self.router = Router(world.catalogue)
        self._checker = Checker(world.catalogue)
        self._handlers = handlers

    def checked(self, target: Target, query: str, headers: Mapping[str, str], data: bytes) -> Call:
        """The call that a request makes; refused when it is not right."""
        operation = target.operation
        pairs = parse_qsl(query, keep_blank_values=True) if query else []
        values = self._checker.query(operation, pairs)
        body = read(operation, headers, data, self._checker)
        return Call(operation, target.path, values, body.payload, headers)

    async def answer(self, call: Call) -> Answer:
        """The answer; a refusal and a fault of the sandbox itself come in the API's form."""
        handler = self._handlers.get(call.operation.wire_name, generic.answer)
        try:
            answer = handler(call, self.world)
            return await answer if isawaitable(answer) else answer
        except Refused as refused:
            return refused.as_answer()
        except LostCursor as lost:
            message = f"No such cursor: {lost.name[:60]!r} is not in this list."
            return Refused(400, message, param="after", code="invalid_cursor").as_answer()
        except Exception as error:  # noqa: BLE001 - a fault of ours must not look like one of the network
            traceback.print_exc()
            message = f"The sandbox failed: {type(error).__name__}: {error}"
            return Refused(500, message, "server_error", code="sandbox_failed").as_answer()

    async def through(self, method: str, path: str, payload: JSON) -> Answer:
        """The answer to a call from within, as if it had come from outside."""
        try:
            target = self.router.find(method, path)
            data = b"" if payload is None else dump(payload)
            call = self.checked(target, path.partition("?")[2], JSON_HEADERS, data)
        except Refused as refused:
            return refused.as_answer()
        return await self.answer(call)
