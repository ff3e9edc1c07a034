"""Handle a request: check it, authenticate its caller, route it, count its limits, and forward it."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import cast

import orjson
from aiohttp import web

from connector.catalogue.operation import Operation
from connector.errors import ConnectorError
from connector.gateway.access import Caller, Callers, read_token
from connector.gateway.access_log import LOG, AccessLog
from connector.gateway.body_inspection import check_models_in_path, inspect_whole, look_at
from connector.gateway.body_parser import ParsedBody, parse_body
from connector.gateway.body_reader import BodyMemory, MemoryShare, beginning_of, read_body, read_whole_body
from connector.gateway.call import CallBody, GatewayCall
from connector.gateway.connection import Connection
from connector.gateway.forward import Forwarding, allows_another_request
from connector.gateway.headers import request_headers
from connector.gateway.metrics import Metrics
from connector.gateway.origins import Origins
from connector.gateway.page_tokens import MOST_BODY, PageTokens, is_page_token
from connector.gateway.page_tokens import PATH as PAGE_TOKENS
from connector.gateway.pages import PAGES, Pages, check_method
from connector.gateway.refusals import Refusal, render_page, render_refusal
from connector.gateway.request_record import RequestRecord
from connector.gateway.routing import (
    PATH_HELP,
    HostNames,
    OperationFinder,
    check_form,
    find_route,
    is_preflight,
    split_target,
)
from connector.gateway.shared_counters import SharedCounters
from connector.gateway.substitutes import find_substitute, is_substituted
from connector.gateway.usage import UsageEstimate, estimate_usage
from connector.gateway.usage_accounting import Admission, UsageAccounting, is_costly
from connector.gateway.usage_counters import UsageCounters
from connector.gateway.usage_log import UsageLog
from connector.gateway.usage_reader import UsageReader
from connector.gateway.webhooks import Webhooks
from connector.http import BegunForward, Client, ForwardRequest
from connector.model import members

__all__ = ["Gateway", "RequestRules"]

CLIENT_CLOSED_REQUEST = 499
"""nginx's status for a caller who did not wait for the response."""


@dataclass(frozen=True, slots=True)
class RequestRules:
    """What holds for every request."""

    hosts: HostNames
    origins: Origins
    body_bytes: int
    idle: float
    """Seconds for the next 16 KB of a body."""
    headers: tuple[str, ...] = ()
    """Names of headers that are forwarded beside the usual ones, in lower case."""


@dataclass(slots=True)
class Gateway:
    """The handler of all requests.

    Args:
        find_client: returns the client of a name.
        client_names: the names of all clients.
        operations: finds the operation that a path means.
        callers: whose tokens are active.
        page_tokens: the tokens of pages; None where no page may call.
        rules: what holds for every request.
        accounting: charges requests.
        access_log: has a line for each request.
        counters: of requests, tokens and costs.
        usage_log: has who used what in which minute.
        webhooks: the paths that receive webhooks.
        clock: monotonic seconds.
        started_at: seconds since 1970.
        shared: the counters of other processes of this gateway, if there are any.
    """

    find_client: Callable[[str], Client]
    client_names: Collection[str]
    operations: OperationFinder
    callers: Callers
    page_tokens: PageTokens | None
    rules: RequestRules
    accounting: UsageAccounting
    access_log: AccessLog
    counters: UsageCounters
    usage_log: UsageLog
    webhooks: Webhooks | None
    clock: Callable[[], float]
    started_at: float
    shared: SharedCounters | None = None
    body_memory: BodyMemory = field(default_factory=BodyMemory)
    in_flight: int = 0
    is_draining: bool = False
    _drained: asyncio.Event = field(default_factory=asyncio.Event)
    _clients: dict[str, Client] = field(default_factory=dict[str, Client])
    _pages: Pages = field(init=False)

    def __post_init__(self) -> None:
        metrics = Metrics(self._count_all, self.callers, self._count_in_flight)
        self._pages = Pages(self._count_all, metrics, self.callers, started_at=self.started_at)

    def _count_all(self) -> UsageCounters:
        return self.counters if self.shared is None else self.shared.merge(self.counters)

    def _count_in_flight(self) -> int:
        return self.in_flight + (self.shared.others_in_flight() if self.shared is not None else 0)

    def render_metrics(self) -> bytes:
        """Return the metrics page, for whatever shows it in this process."""
        return self._pages.render_metrics()

    async def drain(self, grace: float) -> None:
        """Take no new calls, and wait for those under way."""
        self.is_draining = True
        if self.in_flight:
            with suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await self._drained.wait()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return the response to a request."""
        response: web.StreamResponse | None
        record = RequestRecord(request.method, request.raw_path.partition("?")[0], self.clock())
        try:
            check_form(request)
            path, query = split_target(request.raw_path)
            response = await self._handle_locally(request, path)
        except Refusal as refusal:
            response = self._refuse(record, refusal, request)
        else:
            if response is None:
                response = await self._handle_call(request, path, query, record)
        self.complete(response, request)
        return response

    def complete(self, response: web.StreamResponse, request: web.BaseRequest) -> None:
        """Add to a response what every response has."""
        if isinstance(response, web.Response):  # any other is on its way, with these headers
            response.headers.extend(self.rules.origins.answer_headers(request))
        if not allows_another_request(request):
            response.force_close()

    async def _handle_locally(self, request: web.BaseRequest, path: str) -> web.Response | None:
        """Return the gateway's own response, or None when the request goes through a client."""
        # A webhook comes under any Host, and its signature says who sent it.
        if self.webhooks is not None and not self.is_draining:
            answered = await self.webhooks.answer(request, path)
            if answered is not None:
                return answered
        if path == PAGE_TOKENS and self.page_tokens is not None:
            return await self._issue_page_token(request, self.page_tokens)
        if path not in PAGES:
            self.rules.hosts.check(request)
            return self.rules.origins.answer_preflight(request) if is_preflight(request) else None
        page = self._pages.public(request.method, path, is_draining=self.is_draining)
        if page is not None:
            return page
        self._check_program(request)
        check_method(request.method)
        return self._pages.guarded(path, self._authenticate(request))

    def _check_program(self, request: web.BaseRequest) -> None:
        """Refuse a request for another host, and any page."""
        self.rules.hosts.check(request)
        self.rules.origins.refuse_pages(request)

    async def _issue_page_token(self, request: web.BaseRequest, tokens: PageTokens) -> web.Response:
        self._check_program(request)
        if request.method != "POST":
            message = "tokens of pages are asked for by POST"
            raise Refusal(405, "method_not_allowed", message, headers={"Allow": "POST"}, close=True)
        caller = self._authenticate(request)
        body = await read_body(request, MOST_BODY, self.rules.idle)
        data = b"".join([chunk async for chunk in body.chunks()]) if body is not None else b""
        return render_page(orjson.dumps(tokens.issue(caller, data)), status=201)

    async def _handle_call(
        self, request: web.BaseRequest, path: str, query: str, record: RequestRecord
    ) -> web.StreamResponse:
        """Handle a request that goes through a client, and always record its end."""
        self.in_flight += 1
        return await self.conclude(self._serve(request, path, query, record), request, record)

    async def _serve(
        self, request: web.BaseRequest, path: str, query: str, record: RequestRecord
    ) -> web.StreamResponse:
        call = self._authorise(request, path, query, record)
        if is_substituted(call.client, call.operation, request.method):
            with self.body_memory.share() as share:
                return await self._forward(*await self._substitute(call, share), record)
        if not call.caller.needs_body(request.method, call.operation, is_costly=call.is_costly):
            return await self._forward(call, await self._read_body(call), record)
        with self.body_memory.share() as share:
            return await self._forward(call, await self._inspect_body(call, share), record)

    async def conclude(
        self, serving: Awaitable[web.StreamResponse], request: web.BaseRequest, record: RequestRecord
    ) -> web.StreamResponse:
        """Return the response to a call that is counted as under way, and record its end."""
        try:
            return await serving
        except Refusal as refusal:
            return self._refuse(record, refusal, request)
        except (asyncio.CancelledError, ConnectionError):
            self.note_caller_left(record)
            raise
        except Exception as error:  # noqa: BLE001  one request's fault is no other's, and its trace may hold a secret
            return self._fail(record, error, request)
        finally:
            self.end(cast(Connection, request.protocol), record)

    @staticmethod
    def note_caller_left(record: RequestRecord) -> None:
        """Record that nobody waited for the response."""
        record.status, record.code = CLIENT_CLOSED_REQUEST, "caller_left"
        record.detail = "the caller did not wait for the end"

    def end(self, connection: Connection, record: RequestRecord) -> None:
        """Record the end of a call that was counted as under way."""
        self.in_flight -= 1
        connection.slot.is_busy = False
        self._record(record)
        if self.is_draining and not self.in_flight:
            self._drained.set()

    def _authorise(self, request: web.BaseRequest, path: str, query: str, record: RequestRecord) -> GatewayCall:
        if self.is_draining:
            headers = {"Retry-After": "5", "x-should-retry": "true"}
            raise Refusal(503, "draining", "the gateway is stopping: call again", headers=headers, close=True)
        call = self.find_call(request, path, query, record)
        call.caller.quota.admit()
        return call

    def find_call(self, request: web.BaseRequest, path: str, query: str, record: RequestRecord) -> GatewayCall:
        """Return the call that a request's head asks for; Refusal when its caller may not make it."""
        record.origin = self.rules.origins.find(request)
        caller = self._authenticate(request, record.origin)
        record.caller = caller.name
        cast(Connection, request.protocol).slot.is_busy = True
        route = find_route(path)
        if route is None:
            raise Refusal(404, "unknown_path", f"there is nothing here; {PATH_HELP}")
        caller.check_client(route.client, self.client_names)
        record.client = route.client
        client = self._client(route.client)
        below = route.path_below(client.base_uri)
        operation = self.operations.find(client, request.method, below)
        record.operation = operation.name if operation is not None else ""
        caller.check(request.method, below, operation)
        return GatewayCall(request, caller, client, below, query, operation, is_costly(request.method, operation))

    def _authenticate(self, request: web.BaseRequest, origin: str = "") -> Caller:
        token = read_token(request.headers)
        if self.page_tokens is not None and is_page_token(token):
            return self.page_tokens.identify(token, origin)
        caller = self.callers.authenticate(token, request.remote)
        if origin:
            message = (
                f"this is the token of a program, and whoever opens the page can read it: revoke"
                f" that of {caller.name}, and let a server get tokens of pages by POST {PAGE_TOKENS}"
            )
            raise Refusal(403, "token_not_for_pages", message)
        return caller

    def _client(self, name: str) -> Client:
        client = self._clients.get(name)
        if client is None:
            try:
                client = self._clients[name] = self.find_client(name)
            except ConnectorError as error:
                raise Refusal(503, "client_not_ready", f"the client {name} cannot be made: {error}") from None
        return client

    async def _read_body(self, call: GatewayCall) -> CallBody:
        """Return the body of a call that no limit looks at: a large one is forwarded while it comes."""
        models = check_models_in_path(call)
        body = await read_body(call.request, self.rules.body_bytes, self.rules.idle)
        return look_at(call, body, models) if body is not None else CallBody(None, None, UsageEstimate(models))

    async def _inspect_body(self, call: GatewayCall, share: MemoryShare) -> CallBody:
        """Return the whole body of a call that counts against a limit or a list of models."""
        return inspect_whole(call, await read_whole_body(call.request, self.rules.body_bytes, self.rules.idle, share))

    async def _substitute(self, call: GatewayCall, share: MemoryShare) -> tuple[GatewayCall, CallBody]:
        """Return the call of what does the work of a removed operation, with its body."""
        body = await read_whole_body(call.request, self.rules.body_bytes, self.rules.idle, share)
        parsed = parse_body(call.request, body, is_strict=True)
        operation = cast(Operation, call.operation)
        made = find_substitute(call.client, operation, call.path, call.query, parsed.payload)
        size = made.body.length if made.body is not None else 0
        estimate = estimate_usage(ParsedBody(members(made.payload), size), made.operation, made.path, made.query)
        is_paid = is_costly(made.operation.method, made.operation)
        call.caller.check_models(estimate.models, is_model_needed=is_paid)
        onward = replace(
            call, path=made.path, query=made.query, operation=made.operation, is_costly=is_paid, form=made.form
        )
        return onward, CallBody(made.body, made.payload, estimate)

    async def _forward(self, call: GatewayCall, content: CallBody, record: RequestRecord) -> web.StreamResponse:
        return await self.forward_admitted(call, content, record, self.admit(call, content, record))

    def admit(self, call: GatewayCall, content: CallBody, record: RequestRecord) -> Admission | None:
        """Reserve what a call may use; Refusal when it may not be made."""
        estimate = content.estimate
        record.model = record.model or (estimate.models[0] if estimate.models else "")
        if self.access_log.has_bodies:
            record.request_body = beginning_of(content.body)
        if not call.is_costly:
            return None
        return self.accounting.admit(call.caller, estimate, regional=bool(call.client.region))

    def settle(
        self, call: GatewayCall, record: RequestRecord, admission: Admission | None, usage: UsageReader | None
    ) -> None:
        """Charge for a call that has ended."""
        if admission is not None:
            self.accounting.settle(record, admission, usage)
        else:
            self.accounting.settle_pending(record, usage, regional=bool(call.client.region))

    async def forward_admitted(
        self,
        call: GatewayCall,
        content: CallBody,
        record: RequestRecord,
        admission: Admission | None,
        begun: BegunForward | None = None,
    ) -> web.StreamResponse:
        """Return the response to a call for which a reservation was made, and which may be on its way already."""
        onward, for_page = self.onward(call, content), self.rules.origins.answer_headers(call.request)
        forwarding = Forwarding(call.request, call.client, onward, record, call.form, for_page, begun)
        try:
            return await forwarding.run()
        finally:
            self.settle(call, record, admission, forwarding.usage)
            if self.access_log.has_bodies and forwarding.usage is not None:
                record.response_body = forwarding.usage.beginning

    def onward(self, call: GatewayCall, content: CallBody) -> ForwardRequest:
        """Return what is sent of a call."""
        request = call.request
        # The usage of an encoded answer could not be read on its way.
        is_read = call.is_costly or call.form is not None
        headers = request_headers(request.headers, self.rules.headers, but="accept-encoding" if is_read else "")
        if is_read:
            headers.append(("Accept-Encoding", "identity"))
        if call.form is not None:
            headers = [(name, value) for name, value in headers if name.lower() != "content-type"]
            headers += [("Content-Type", content.body.content_type)] if content.body is not None else []
        return ForwardRequest(
            method=call.method,
            path=call.path,
            query=call.query,
            headers=headers,
            body=content.body,
            operation=call.operation,
            payload=content.payload,
        )

    def _refuse(self, record: RequestRecord, refusal: Refusal, request: web.BaseRequest) -> web.StreamResponse:
        record.status, record.code, record.detail = refusal.status, refusal.code, str(refusal)
        if request.writer.output_size > 0:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionError("the answer has begun: no other can follow it")
        return render_refusal(refusal)

    def _fail(self, record: RequestRecord, error: Exception, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a fault of the gateway."""
        self.log_fault(error)
        refusal = Refusal(500, "internal_error", "the gateway failed; its log says more", close=True)
        return self._refuse(record, refusal, request)

    def log_fault(self, error: Exception) -> None:
        """Log the trace of a fault of the gateway, without the data in it."""
        trace = "".join(traceback.format_tb(error.__traceback__))
        LOG.error("%s", self.access_log.redact(f"a call failed: {type(error).__name__}: {error}\n{trace}"))

    def _record(self, record: RequestRecord) -> None:
        record.seconds = self.clock() - record.started
        self.counters.add(record)
        self.usage_log.add(record)
        self.access_log.write(record)
