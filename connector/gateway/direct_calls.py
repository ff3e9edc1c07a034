"""Calls that need no task: a whole request comes, goes out over an open connection, and its whole answer comes back.

What depends on the head alone is found once for all requests with that head: they differ in their bodies, and in the
length of those. Everything else, from limits to the log, is done for each call, by what does it for all others. A
request that may be refused, must wait or is in any way unusual is left to `Gateway.handle` before anything is counted;
an answer that is no plain success is handed over to it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from aiohttp import web
from aiohttp.http import HttpRequestParser, RawRequestMessage, StreamWriter
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD

from connector.errors import ConnectorError
from connector.gateway.access import read_token
from connector.gateway.body_inspection import inspect
from connector.gateway.call import CallBody, GatewayCall
from connector.gateway.forward import allows_another_request
from connector.gateway.headers import find_returned
from connector.gateway.page_tokens import PATH as PAGE_TOKENS
from connector.gateway.page_tokens import is_page_token
from connector.gateway.pages import PAGES
from connector.gateway.refusals import Refusal
from connector.gateway.request_frame import MOST_BODY, find_length, is_canonical
from connector.gateway.request_record import RequestRecord
from connector.gateway.routing import check_form, is_preflight, split_target
from connector.gateway.substitutes import is_substituted
from connector.gateway.usage import UsageEstimate
from connector.gateway.usage_accounting import Admission
from connector.gateway.usage_reader import UsageReader
from connector.http import BegunCall, DirectForward
from connector.model import State
from connector.request.wire import BytesBody

if TYPE_CHECKING:
    from connector.gateway.connection import Connection
    from connector.gateway.handler import Gateway
    from connector.http.transports.direct_exchange import PlainAnswer

__all__ = ["DirectCall", "DirectCalls"]

PLANS = 512
LOOKED_AT = (b"x-request-id", b"content-type")
PHRASES = defaultdict(bytes, {status.value: status.phrase.encode() for status in HTTPStatus})
DONE = State.DONE.value


@dataclass(slots=True)
class CallPlan:
    """What is known of all requests with the same head."""

    call: GatewayCall
    record: RequestRecord
    message: RawRequestMessage
    """aiohttp's reading of the head."""
    content_type: str
    forward: DirectForward
    for_page: bytes
    """Headers that are added to the answer."""


class DirectCalls:
    """Begins calls of a gateway that need no task.

    Args:
        gateway: whose rules and counts hold.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._most_body = min(gateway.rules.body_bytes, MOST_BODY)
        self._plans: dict[bytes, CallPlan] = {}

    def begin(self, connection: Connection, data: bytes) -> DirectCall | None:
        """Return the call of a request, which is on its way; None when `Gateway.handle` must have the request.

        Args:
            connection: where it comes from; nothing else is under way on it.
            data: all that has come.
        """
        if self.gateway.is_draining:
            return None
        found = find_length(data)
        if found is None:
            return None
        end, length = found
        if len(data) - end > self._most_body:
            return None
        key = sha256(data[: length.start(1)] + data[length.end(1) : end]).digest()
        plan = self._plans.get(key) or self._add_plan(key, connection, data[:end])
        return self._begin(plan, connection, data[end:]) if plan is not None else None

    def _begin(self, plan: CallPlan, connection: Connection, body: bytes) -> DirectCall | None:
        gateway, call = self.gateway, plan.call
        quota = call.caller.quota
        try:
            content = inspect(call, BytesBody(plan.content_type, body))
            quota.admit()
        except Refusal:
            return None
        begun = plan.record
        record = RequestRecord(
            begun.method, begun.path, gateway.clock(), begun.caller, begun.origin, "", begun.client, begun.operation
        )
        made = DirectCall(gateway, plan, connection, content, record)
        try:
            made.admission = gateway.admit(call, content, record)
        except Refusal:
            quota.take_back()
            return None
        try:
            forwarded = plan.forward.begin(body, made.finish, made.hand_over)
        except ConnectorError:  # the client's credentials are gone, for now
            forwarded = None
        if forwarded is None:
            quota.take_back()
            if made.admission is not None:
                quota.settle(made.admission.reservation, 0, 0.0)
            return None
        made.begun = forwarded
        gateway.in_flight += 1
        connection.slot.is_busy = True
        return made

    def _add_plan(self, key: bytes, connection: Connection, head: bytes) -> CallPlan | None:
        if len(self._plans) >= PLANS:
            self._plans.clear()
        try:
            plan = self._plan(connection, head)
        except (Refusal, ConnectorError):
            plan = None
        if plan is not None:
            self._plans[key] = plan
        return plan

    def _plan(self, connection: Connection, head: bytes) -> CallPlan | None:
        """Return the plan of a head; None when its requests are handled in the usual way."""
        gateway, message = self.gateway, _parse(connection, head)
        if message is None:
            return None
        request = _make_request(message, connection, None)
        check_form(request)
        path, query = split_target(request.raw_path)
        content_type = request.headers.get("content-type", "")
        if "json" not in content_type.lower() or "expect" in request.headers or self._is_local(request, path):
            return None
        if gateway.page_tokens is not None and is_page_token(read_token(request.headers)):
            return None  # such a token ends
        record = RequestRecord(request.method, path, 0.0)
        call = gateway.find_call(request, path, query, record)
        if call.caller.is_administrator or call.operation is None or gateway.access_log.has_bodies:
            return None
        if not call.is_costly or is_substituted(call.client, call.operation, request.method):
            return None
        content = CallBody(BytesBody(content_type, b""), None, UsageEstimate())
        forward = call.client.plan_forward(gateway.onward(call, content))
        if forward is None or not allows_another_request(request):
            return None
        for_page = gateway.rules.origins.answer_headers(request)
        lines = "".join(f"{name}: {value}\r\n" for name, value in for_page.items())
        call = replace(call, request=_make_request(message, cast("Connection", NOBODY), None))
        return CallPlan(call, record, message, content_type, forward, lines.encode())

    def _is_local(self, request: web.BaseRequest, path: str) -> bool:
        gateway = self.gateway
        if gateway.webhooks is not None and gateway.webhooks.receives(path):
            return True
        if path == PAGE_TOKENS or path in PAGES:
            return True
        gateway.rules.hosts.check(request)
        return is_preflight(request)


class DirectCall:
    """One call that is under way, without a task until its answer turns out to be unusual.

    Args:
        gateway: which forwards it.
        plan: what is known from its head.
        connection: of the caller.
        content: its body.
        record: its record.
    """

    __slots__ = ("_connection", "_content", "_gateway", "_plan", "_record", "_task", "admission", "begun")

    def __init__(
        self, gateway: Gateway, plan: CallPlan, connection: Connection, content: CallBody, record: RequestRecord
    ) -> None:
        self._gateway = gateway
        self._plan = plan
        self._connection = connection
        self._content = content
        self._record = record
        self._task: asyncio.Task[None] | None = None
        self.admission: Admission | None = None
        self.begun: BegunCall

    def finish(self, answer: PlainAnswer) -> None:
        """Pass the answer on, and record the call."""
        plan, record, connection = self._plan, self._record, self._connection
        lines, known = _returned_lines(answer.lines)
        transport = connection.transport
        if transport is not None:
            head = b"HTTP/1.1 %d %b\r\n%b%b\r\n" % (answer.status, PHRASES[answer.status], lines, plan.for_page)
            transport.write(head + answer.body)
        record.status, record.state, record.is_sent = answer.status, DONE, True
        record.request_id = known.get(b"x-request-id", "")
        usage = UsageReader(known.get(b"content-type", "").lower())
        usage.feed(answer.body)
        try:
            self._gateway.settle(plan.call, record, self.admission, usage)
        except Exception as error:  # noqa: BLE001  one call's fault is no other's
            self._gateway.log_fault(error)
        finally:
            self._gateway.end(connection, record)
            connection.end_direct(may_go_on=True)

    def hand_over(self) -> None:
        """Let `Gateway` read the answer, or find out why there is none."""
        self._task = asyncio.get_running_loop().create_task(self._go_on())

    def abandon(self) -> None:
        """End the call, whose caller has left."""
        if self._task is not None:
            self._task.cancel()
            return
        self.begun.abandon()
        self._gateway.note_caller_left(self._record)
        self._record.is_sent, self._record.state = True, State.UNKNOWN.value
        self._gateway.settle(self._plan.call, self._record, self.admission, None)
        self._gateway.end(self._connection, self._record)

    async def _go_on(self) -> None:
        gateway, connection = self._gateway, self._connection
        request = _make_request(self._plan.message, connection, self._task)
        call = replace(self._plan.call, request=request)
        forwarded = gateway.forward_admitted(call, self._content, self._record, self.admission, self.begun)
        may_go_on = False
        try:
            response = await gateway.conclude(forwarded, request, self._record)
            gateway.complete(response, request)
            await response.prepare(request)
            await response.write_eof()
            may_go_on = bool(response.keep_alive) and allows_another_request(request)
        except ConnectionError:
            pass
        finally:
            connection.end_direct(may_go_on=may_go_on)


class Nobody:
    """The connection of a request that was only looked at."""

    ssl_context = peername = sockname = transport = None


NOBODY = Nobody()


def _parse(connection: Connection, head: bytes) -> RawRequestMessage | None:
    """Return aiohttp's reading of a head; None for one that could be read in two ways, or announces no body."""
    if not is_canonical(head):
        return None
    loop = asyncio.get_running_loop()
    parser = HttpRequestParser(connection, loop, MOST_BODY, **connection.parsing)
    try:
        messages, is_upgraded, _ = parser.feed_data(head)
    except HttpProcessingError:
        return None
    return messages[0][0] if len(messages) == 1 and not is_upgraded else None


def _make_request(
    message: RawRequestMessage, connection: Connection, task: asyncio.Task[None] | None
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    writer = StreamWriter(connection, loop)
    return web.BaseRequest(message, EMPTY_PAYLOAD, connection, writer, cast("asyncio.Task[None]", task), loop)


def _returned_lines(lines: bytes) -> tuple[bytes, dict[bytes, str]]:
    """Return the header lines of an answer that go back to the caller, and the values of those that are looked at."""
    kept: list[bytes] = []
    known: dict[bytes, str] = {}
    for line in lines[2:].split(b"\r\n"):
        name, _, value = line.partition(b": ")
        key = find_returned(name)
        if key is not None:
            kept.append(line)
            if key in LOOKED_AT:
                known[key] = value.decode()
    kept.append(b"")
    return b"\r\n".join(kept), known
