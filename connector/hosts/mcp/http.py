"""The server over HTTP: the streamable transport at /mcp, for callers with tokens of the gateway."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import cast
from urllib.parse import urlsplit

from aiohttp import web

from connector.gateway.access import Caller, Callers, read_token
from connector.gateway.body_reader import BodyMemory, read_whole_body
from connector.gateway.connection import Connection
from connector.gateway.forward import allows_another_request
from connector.gateway.refusals import Refusal, render_page, render_refusal
from connector.gateway.routing import HostNames, check_form, split_target
from connector.gateway.usage_accounting import UsageAccounting
from connector.hosts.limits import CallerGuard
from connector.hosts.mcp.exchange import Exchange
from connector.hosts.mcp.headers import VERSION, check_headers
from connector.hosts.mcp.protocol import (
    HANDSHAKE_VERSIONS,
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    MODERN_VERSIONS,
    PARSE_ERROR,
    UNSUPPORTED_VERSION,
    Message,
    RequestId,
    RpcError,
    dump,
    error_message,
    key_of,
    parse_message,
    result_message,
)
from connector.hosts.mcp.server import Access, McpServer
from connector.hosts.mcp.sessions import HttpSession, Sessions
from connector.hosts.mcp.streams import EVENTS, AnswerStream
from connector.hosts.mcp.tools import Tool
from connector.model import JSON

__all__ = ["PATH", "McpHandler"]

PATH = "/mcp"
HEALTH = "/healthz"
MOST_BODY = 16 * 1024 * 1024
SESSION, KEY = "mcp-session-id", "idempotency-key"
STATUS = {
    PARSE_ERROR: 400, INVALID_REQUEST: 400, INVALID_PARAMS: 400, HEADER_MISMATCH: 400, UNSUPPORTED_VERSION: 400,
    METHOD_NOT_FOUND: 404,
}  # fmt: skip
"""The status of an error since 2026-07-28; before, an error is an answer as any other."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class McpHandler:
    """Answers every request over HTTP.

    Args:
        server: answers what clients ask.
        hosts: the names by which it may be called.
        callers: whose tokens are active.
        accounting: charges calls.
        idle: seconds for the next 16 KB of a body.
    """

    server: McpServer
    hosts: HostNames
    callers: Callers
    accounting: UsageAccounting
    idle: float
    sessions: Sessions = field(default_factory=lambda: Sessions(time.monotonic))
    memory: BodyMemory = field(default_factory=BodyMemory)
    under_way: set[asyncio.Task[tuple[int, JSON]]] = field(default_factory=set["asyncio.Task[tuple[int, JSON]]"])
    is_draining: bool = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return the response to a request."""
        try:
            response = await self._handle(request)
        except Refusal as refusal:
            response = render_refusal(refusal)
        except RpcError as error:
            body = dump(error_message(None, error))
            response = web.Response(status=400, body=body, content_type="application/json")
        if not allows_another_request(request):
            response.force_close()
        return response

    async def drain(self, grace: float) -> int:
        """Take nothing new, and wait for what is under way; return how much did not end."""
        self.is_draining = True
        if self.under_way:
            _, late = await asyncio.wait(set(self.under_way), timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            return len(late)
        return 0

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        check_form(request)
        path, _ = split_target(request.raw_path)
        if path == HEALTH and request.method in ("GET", "HEAD"):
            return render_page(b'{"status":"ok"}', status=503 if self.is_draining else 200)
        self._check_origin(request)
        if path != PATH:
            raise Refusal(404, "unknown_path", f"there is nothing here; MCP is at {PATH}")
        caller = self.callers.authenticate(read_token(request.headers), request.remote)
        cast("Connection", request.protocol).slot.is_busy = True
        if self.is_draining:
            raise Refusal(503, "draining", "the server is stopping: call again", headers={"Retry-After": "5"})
        if request.method == "POST":
            return await self._post(request, caller)
        if request.method == "DELETE":
            self.sessions.end(self._session(request, caller))
            return web.Response(status=204)
        # Nothing is ever sent but on the request that it belongs to, so there is no stream to listen to.
        raise Refusal(
            405, "method_not_allowed", "POST a message, or DELETE a session", headers={"Allow": "POST, DELETE"}
        )

    def _check_origin(self, request: web.BaseRequest) -> None:
        """Refuse another host, and pages of another origin: a browser may have been led here."""
        self.hosts.check(request)
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() not in self.hosts.allowed:
            raise Refusal(403, "origin", "pages of another origin may not call here")

    async def _post(self, request: web.BaseRequest, caller: Caller) -> web.StreamResponse:
        if not request.headers.get("content-type", "").lower().startswith("application/json"):
            raise Refusal(415, "content_type", "a message is application/json")
        accept = request.headers.get("accept", "*/*").lower()
        if not any(kind in accept for kind in ("application/json", EVENTS, "*/*", "application/*")):
            raise Refusal(406, "not_acceptable", f"answers are application/json or {EVENTS}")
        with self.memory.share() as share:
            body = await read_whole_body(request, MOST_BODY, self.idle, share)
            message = parse_message(body.data if body is not None else b"")
        version = request.headers.get(VERSION, "")
        if message.modern_version is not None or version in MODERN_VERSIONS:
            return await self._post_modern(request, message, caller, takes_events=EVENTS in accept)
        if version and version not in HANDSHAKE_VERSIONS:
            data: JSON = {"supported": [*HANDSHAKE_VERSIONS, *MODERN_VERSIONS], "requested": version[:20]}
            raise RpcError(UNSUPPORTED_VERSION, "this version of the protocol is not spoken here", data)
        return await self._post_in_session(request, message, caller, takes_events=EVENTS in accept)

    async def _post_modern(
        self, request: web.BaseRequest, message: Message, caller: Caller, *, takes_events: bool
    ) -> web.StreamResponse:
        """Answer a request that stands by itself; when its client leaves, it is cancelled."""
        if message.kind != "request" or message.id is None:
            return web.Response(status=202)
        session = HttpSession("", caller.name, level=None)
        stream = AnswerStream(request, {}, takes_events=takes_events)
        try:
            check_headers(request.headers, message)
            exchange = self._exchange(request, message, message.id, session, stream, is_modern=True)
        except RpcError as error:
            return _error(message.id, error)
        work = self._start(message, message.id, exchange, caller)
        try:
            response = await stream.follow(work)
        except (asyncio.CancelledError, ConnectionError):
            work.cancel()
            raise
        await exchange.told()
        return response

    async def _post_in_session(
        self, request: web.BaseRequest, message: Message, caller: Caller, *, takes_events: bool
    ) -> web.StreamResponse:
        """Answer a request of a session; it goes on when its connection is lost."""
        headers: dict[str, str] = {}
        if message.method == "initialize":
            session = self.sessions.begin(caller.name)
            headers["Mcp-Session-Id"] = session.id
        else:
            session = await self._session_of(request, message, caller)
        if message.kind != "request" or message.id is None:
            self._take_notification(message, session)
            return web.Response(status=202)
        if message.id in session.under_way:
            raise RpcError(INVALID_REQUEST, "a request of this id is under way")
        stream = AnswerStream(request, headers, takes_events=takes_events)
        exchange = self._exchange(request, message, message.id, session, stream, is_modern=False)
        work = self._start(message, message.id, exchange, caller)
        session.under_way[message.id] = work
        number = message.id
        work.add_done_callback(lambda _: session.under_way.pop(number, None))
        response = await stream.follow(work)
        await exchange.told()
        return response

    def _take_notification(self, message: Message, session: HttpSession) -> None:
        task = session.under_way.get(message.params.get("requestId", ""))
        if message.method == "notifications/cancelled" and task is not None:
            task.cancel()

    def _exchange(
        self,
        request: web.BaseRequest,
        message: Message,
        number: RequestId,
        session: HttpSession,
        stream: AnswerStream,
        *,
        is_modern: bool,
    ) -> Exchange:
        key = key_of(message, request.headers.get(KEY, ""))
        if is_modern and not key:
            # Ids of requests begin anew with each client, so only a key tells a repeat from another call.
            session.id = token_urlsafe(12)
        token = message.meta.get("progressToken")
        return Exchange(session=session, id=number, send=stream.send, key=key, token=token, is_modern=is_modern)

    def _start(
        self, message: Message, number: RequestId, exchange: Exchange, caller: Caller
    ) -> asyncio.Task[tuple[int, JSON]]:
        work = asyncio.create_task(self._answer(message, number, exchange, caller))
        self.under_way.add(work)
        work.add_done_callback(self.under_way.discard)
        return work

    async def _answer(
        self, message: Message, number: RequestId, exchange: Exchange, caller: Caller
    ) -> tuple[int, JSON]:
        """Return the status and the answer of a request; None for one that was cancelled."""
        began = time.monotonic()
        try:
            result = await self.server.answer(message, exchange, self._access(caller))
        except RpcError as error:
            return STATUS.get(error.code, 200) if exchange.is_modern else 200, error_message(number, error)
        except asyncio.CancelledError:
            return 202, None
        finally:
            extra = {"token": caller.name, "operation": message.method, "seconds": time.monotonic() - began}
            log.info("%s", message.method, extra=extra)
        return 200, result_message(number, result)

    def _access(self, caller: Caller) -> Access:
        invoker = self.server.invoker
        clients = tuple(invoker.runtime.configuration.clients)

        def offers(tool: Tool) -> bool:
            if tool.kind != "operation" or tool.operation is None:
                return True
            try:
                caller.check_client(invoker.client, clients)
                caller.check(tool.operation.method, tool.operation.template, tool.operation)
            except Refusal:
                return False
            return True

        guard = CallerGuard(caller, clients, self.accounting, time.monotonic)
        return Access(guard, offers, sees_all=caller.is_administrator)

    def _session(self, request: web.BaseRequest, caller: Caller) -> HttpSession:
        number = request.headers.get(SESSION, "")
        if not number:
            raise Refusal(400, "no_session", "name the session in Mcp-Session-Id; `initialize` begins one")
        session = self.sessions.find(number, caller.name)
        if session is None:
            raise Refusal(404, "unknown_session", "this session has ended: begin another one with `initialize`")
        return session

    async def _session_of(self, request: web.BaseRequest, message: Message, caller: Caller) -> HttpSession:
        """Return the session of a request; one that is gone still finds what came of its calls."""
        try:
            return self._session(request, caller)
        except Refusal:
            number = request.headers.get(SESSION, "")
            if message.method == "tools/call" and await self._is_noted(message, caller, f"{number}/{message.id}"):
                return HttpSession(number, caller.name)
            raise

    async def _is_noted(self, message: Message, caller: Caller, key: str) -> bool:
        invoker = self.server.invoker
        if invoker.runtime.configuration.mcp_engine_url is None:
            return False
        from connector.hosts.mcp.journal import PREFIX

        tool = invoker.find(message.params.get("name"))
        return await (await invoker.calls()).is_known(f"{PREFIX}{tool.name}", caller.name, key)


def _error(number: RequestId, error: RpcError) -> web.Response:
    body = dump(error_message(number, error))
    return web.Response(status=STATUS.get(error.code, 200), body=body, content_type="application/json")
