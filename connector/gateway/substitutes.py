"""Calls of operations that the API has removed: what is sent in their place, and answers in the shape of their time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

import orjson

from connector.catalogue.operation import Operation
from connector.gateway.refusals import Refusal
from connector.http import Client
from connector.model import JSON, InvalidRequest, Request, is_list
from connector.request.path import Template, fill_template
from connector.request.successors import AnswerForm
from connector.request.wire import BytesBody

__all__ = ["AnswerRestorer", "Substitute", "find_substitute", "is_substituted"]

DATA = b"data:"


@dataclass(frozen=True, slots=True)
class Substitute:
    """What is sent in the place of a removed operation's request."""

    operation: Operation
    path: str
    query: str
    payload: JSON
    body: BytesBody | None
    form: AnswerForm
    """Gives its answers the old shape."""


def is_substituted(client: Client, operation: Operation | None, method: str) -> bool:
    """Whether a client sends something else in the place of an operation, or nothing at all."""
    if operation is None or not operation.removed or method == "HEAD":
        return False
    return client.parameters.on_removed != "warn"


def find_substitute(client: Client, operation: Operation, path: str, query: str, payload: JSON) -> Substitute:
    """Return what is sent for a removed operation; Refusal where nothing does its work, or nothing can take it."""
    matched = client.catalogue.match(operation.method, path)
    asked = Request(
        path=matched[1] if matched is not None else {}, query=_read_query(query), payload=payload or None, headers={}
    )
    try:
        translated = client.translate(operation, asked)
    except InvalidRequest as error:
        raise Refusal(410, "operation_removed", "; ".join(str(fault) for fault in error.faults)) from None
    request = translated.request
    target, faults = fill_template(Template.of(translated.operation.template), request.path)
    if faults:
        raise Refusal(400, "invalid_request", str(faults[0]))
    data = None if request.payload is None else orjson.dumps(request.payload)
    return Substitute(
        translated.operation,
        target,
        urlencode(dict(request.query), doseq=True),
        request.payload,
        None if data is None else BytesBody("application/json", data),
        translated.answer,
    )


def _read_query(query: str) -> Mapping[str, JSON]:
    return {name: values[0] if len(values) == 1 else list(values) for name, values in parse_qs(query).items()}


class AnswerRestorer:
    """Give an answer the shape of the removed operation's while its chunks pass by.

    Args:
        form: of the old answer.
        is_stream: whether the answer is a stream of events; else it is one JSON value, which is given back at the end.
    """

    def __init__(self, form: AnswerForm, *, is_stream: bool) -> None:
        self._form = form
        self._is_stream = is_stream
        self._rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return what can be passed on now that a chunk has come."""
        self._rest += chunk
        if not self._is_stream:
            return b""
        *lines, self._rest = self._rest.split(b"\n")
        return b"".join(self._restore_line(line) + b"\n" for line in lines)

    def finish(self) -> bytes:
        """Return the rest."""
        rest, self._rest = self._rest, b""
        if self._is_stream:
            return self._restore_line(rest)
        try:
            body = orjson.loads(rest)
        except orjson.JSONDecodeError:
            return rest
        return orjson.dumps(self._form(body)) if not is_list(body) else rest

    def _restore_line(self, line: bytes) -> bytes:
        if not line.startswith(DATA):
            return line
        try:
            datum = orjson.loads(line[len(DATA) :])
        except orjson.JSONDecodeError:
            return line
        return DATA + b" " + orjson.dumps(self._form.restore_event(datum))
