"""The way of one request: authenticated, validated, answered, written, logged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl

from aiohttp.web import BaseRequest, HTTPRequestEntityTooLarge, StreamResponse

from connector.catalogue import Operation
from connector.sandbox.backend import Backend
from connector.sandbox.fault_plan import FaultPlan
from connector.sandbox.faults import Fault
from connector.sandbox.http.answer_writer import BREAKS, AnswerHeaders, build_html_page, reset_connection, send_answer
from connector.sandbox.http.control import PREFIX, Control, check_origin
from connector.sandbox.http.dispatcher import Dispatcher
from connector.sandbox.http.request_body import MOST_BYTES, parse_if_json
from connector.sandbox.http.request_log import RequestLog, RequestRecord
from connector.sandbox.http.token_exchange import TOKEN_PATH, exchange_token
from connector.sandbox.ids import TOUCHED_IDS
from connector.sandbox.messages import Answer, ApiError, Request

__all__ = ["App"]


class App:
    """A sandbox without its sockets."""

    def __init__(self, backend: Backend, dispatcher: Dispatcher, faults: FaultPlan) -> None:
        self.request_log = RequestLog()
        self.faults = faults
        self._backend = backend
        self._dispatcher = dispatcher
        self._control = Control(backend, self.request_log, faults)
        self._headers = AnswerHeaders(backend.now, backend.options.seed)
        self._latency = backend.options.latency / 1000

    def reset(self) -> None:
        """Delete everything, and begin again as if just started."""
        self._control.reset()
        self._headers.reset()

    async def handle(self, request: BaseRequest) -> StreamResponse:
        """Answer one request of a connection."""
        began = time.perf_counter()
        target = request.raw_path
        if target.startswith(PREFIX):
            return await self._handle_control(request, target)
        path, _, query = target.partition("?")
        if path == TOKEN_PATH:
            # Not logged: such a request holds a token.
            return await send_answer(
                request, exchange_token(request.method, await request.read(), self._backend), {}, None
            )
        touched: list[str] = []
        TOUCHED_IDS.set(touched)
        record = RequestRecord(self._backend.now(), request.method, path)
        self.request_log.add(record)
        answer, faults = await self._answer(request, path, query, record)
        record.effects = tuple(touched)
        record.fault = ", ".join(map(str, faults))
        if self._latency:
            await asyncio.sleep(self._latency)
        return await self._write(request, answer, faults, record, began)

    async def _answer(
        self, request: BaseRequest, path: str, query: str, record: RequestRecord
    ) -> tuple[Answer, tuple[Fault, ...]]:
        """Return the answer, and the faults that the request meets."""
        try:
            accepted = await self._accept(request, path, query, record)
        except ApiError as error:
            return error.as_answer(), ()
        except HTTPRequestEntityTooLarge:
            message = f"The body is too large; at most {MOST_BYTES} bytes are allowed."
            return ApiError(413, message, code="request_too_large").as_answer(), ()
        faults, canned = self.faults.draw(accepted, path.removeprefix("/v1"))
        return await self._answer_with_faults(accepted, faults, canned), faults

    async def _accept(self, request: BaseRequest, path: str, query: str, record: RequestRecord) -> Request:
        """Return the authenticated and validated request, and fill in its record."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        data = await _read_data(request, headers)
        record.key, record.size = _read_key(headers), len(data)
        route = self._dispatcher.find(request.method, f"{path}?{query}" if query else path)
        record.operation = route.operation.name
        _authenticate(route.operation, headers, lenient=self._backend.options.lenient)
        if route.operation.removed and not self._backend.options.removed:
            raise _build_removed_error(route.operation)
        try:
            accepted = self._dispatcher.read(route, query, headers, data)
        except ApiError:
            record.query, record.payload = dict(parse_qsl(query)), parse_if_json(data)
            raise
        record.query, record.payload = accepted.query, accepted.payload
        return accepted

    async def _answer_with_faults(self, request: Request, faults: tuple[Fault, ...], canned: Answer | None) -> Answer:
        """Return the answer under the faults; those that come before the effect prevent it."""
        for fault in faults:
            if fault.kind == "delay":
                await asyncio.sleep(fault.number)
            elif fault.is_error:
                return fault.as_error().as_answer()
            elif fault.kind == "html":
                return build_html_page(int(fault.number))
            elif fault.kind == "reset":
                return Answer()
        return await self._dispatcher.answer(request, self._backend) if canned is None else canned

    async def _write(
        self, request: BaseRequest, answer: Answer, faults: tuple[Fault, ...], record: RequestRecord, began: float
    ) -> StreamResponse:
        kinds = {fault.kind for fault in faults}
        if kinds & {"reset", "drop-after"}:
            return reset_connection(request)
        record.status = answer.status
        broken = next((fault for fault in faults if fault.kind in BREAKS), None)
        try:
            return await send_answer(request, answer, self._headers.build(answer, began), broken)
        except ConnectionResetError:
            # The client has closed the connection: no one reads an answer.
            return reset_connection(request)

    async def _handle_control(self, request: BaseRequest, target: str) -> StreamResponse:
        try:
            check_origin(request.headers)
            answer = self._control.answer(request.method, target, await request.read())
        except ApiError as error:
            answer = error.as_answer()
        return await send_answer(request, answer, {}, None)


def _read_key(headers: Mapping[str, str]) -> str:
    """Return the key of a request; empty when there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("api-key", "")


def _authenticate(operation: Operation, headers: Mapping[str, str], *, lenient: bool) -> None:
    """Raise ApiError for a request without a key, or without the beta header that its operation needs."""
    if not _read_key(headers):
        raise ApiError(
            401, "You didn't provide an API key: send it as `Authorization: Bearer KEY`; any key will do here."
        )
    if operation.beta and not lenient and operation.beta not in headers.get("openai-beta", ""):
        wanted = f"OpenAI-Beta: {operation.beta}"
        raise ApiError(400, f"You must provide the 'OpenAI-Beta' header here: '{wanted}'.", code="invalid_beta")


def _build_removed_error(operation: Operation) -> ApiError:
    message = f"{operation.method} {operation.template} was removed from the API on {operation.removed}."
    return ApiError(404, message, code="endpoint_removed")


async def _read_data(request: BaseRequest, headers: Mapping[str, str]) -> bytes:
    if headers.get("expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return await request.read()
