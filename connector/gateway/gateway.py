"""A request is looked at, its caller known, its operation allowed, its limits counted; then it is passed on."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from aiohttp import web

from connector.errors import ConnectorError
from connector.gateway.access import Caller, Callers, presented
from connector.gateway.asked import Asked, as_it_comes, looked_at
from connector.gateway.bodies import beginning
from connector.gateway.calls import Call
from connector.gateway.contents import Room
from connector.gateway.journal import LOG, Journal
from connector.gateway.ledger import Ledger
from connector.gateway.metrics import Metrics
from connector.gateway.operations import Operations
from connector.gateway.pages import Pages
from connector.gateway.passing import Passing
from connector.gateway.refusals import Refused, refusal
from connector.gateway.replies import stays_open
from connector.gateway.requests import Hosts, check_form
from connector.gateway.routing import HOW, Route, divided, routed
from connector.gateway.visit import Visit
from connector.gateway.webhooks import Hooks
from connector.gateway.weighing import Scales, is_costly
from connector.http import Client

if TYPE_CHECKING:
    from connector.gateway.connection import Connection

__all__ = ["Gateway", "Rules"]

LEFT = 499
"""What nginx writes for a caller who did not wait for the answer."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every call."""

    hosts: Hosts
    body_bytes: int
    still: float
    """Seconds for the next 16 KB of a body."""
    headers: tuple[str, ...] = ()
    """Names of headers that go on beside the usual ones, in small letters."""


@dataclass(slots=True)
class Gateway:
    """Answers requests.

    Args:
        client: gives the client of a name.
        names: the clients that there are.
        operations: knows what a path means for a client.
        callers: whose tokens are in force.
        rules: what holds for every call.
        scales: weigh what calls use.
        journal: where each call leaves its line.
        clock: seconds that only go on.
        since: when it began, in seconds since 1970.
    """

    client: Callable[[str], Client]
    names: Collection[str]
    operations: Operations
    callers: Callers
    rules: Rules
    scales: Scales
    journal: Journal
    clock: Callable[[], float]
    since: float
    room: Room = field(default_factory=Room)
    ledger: Ledger = field(default_factory=Ledger)
    in_flight: int = 0
    draining: bool = False
    hooks: Hooks | None = None
    """Where webhooks are sent to."""
    on_spent: Callable[[], None] = lambda: None
    """Told when something was counted against a budget."""
    metrics: Metrics = field(init=False)
    _pages: Pages = field(init=False)
    _drained: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        gauges = {"in_flight": ("Calls under way.", lambda: float(self.in_flight))}
        self.metrics = Metrics(self.ledger, self.callers, gauges)
        self._pages = Pages(self.ledger, self.metrics, self.callers, since=self.since, ready=self._why_not_ready)

    def _why_not_ready(self) -> str:
        return "draining" if self.draining else ""

    async def drain(self, grace: float) -> None:
        """Takes no new calls and waits, so long, for those under way."""
        self.draining = True
        if self.in_flight:
            with suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await self._drained.wait()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request."""
        answer: web.StreamResponse | None
        visit = Visit(request.method, request.raw_path.partition("?")[0], self.clock())
        try:
            check_form(request)
            path, query = divided(request.raw_path)
            answer = await self._own(request, path)
        except Refused as refused:
            answer = self._refused(visit, refused, request)
        else:
            if answer is None:
                answer = await self._counted(request, path, query, visit)
        if not stays_open(request):
            answer.force_close()
        return answer

    async def _own(self, request: web.BaseRequest, path: str) -> web.Response | None:
        """The answer of the gateway itself, or None when the call goes through a client."""
        # A webhook comes under any name that leads here, and its signature says who sent it.
        hooked = await self.hooks.answer(request, path) if self.hooks is not None and not self.draining else None
        page = hooked or self._pages.open(request.method, path)
        if page is None:
            self.rules.hosts.check(request)
            page = self._pages.guarded(request, path, self._caller)
        return page

    async def _counted(self, request: web.BaseRequest, path: str, query: str, visit: Visit) -> web.StreamResponse:
        """A call through a client, noted whatever becomes of it."""
        self.in_flight += 1
        try:
            return await self._called(request, path, query, visit)
        except Refused as refused:
            return self._refused(visit, refused, request)
        except (asyncio.CancelledError, ConnectionError):
            visit.status, visit.code, visit.detail = LEFT, "caller_left", "the caller did not wait for the end"
            raise
        except Exception as error:  # noqa: BLE001  one call's fault is no other's, and its trace may hold a secret
            return self._fault(visit, error, request)
        finally:
            self.in_flight -= 1
            cast("Connection", request.protocol).seat.in_use = False
            self._note(visit)
            if self.draining and not self.in_flight:
                self._drained.set()

    async def _called(self, request: web.BaseRequest, path: str, query: str, visit: Visit) -> web.StreamResponse:
        if self.draining:
            headers = {"Retry-After": "5", "x-should-retry": "true"}
            raise Refused(503, "draining", "the gateway is stopping: call again", headers=headers, close=True)
        caller = self._caller(request)
        visit.caller = caller.name
        cast("Connection", request.protocol).seat.in_use = True
        route = routed(path)
        if route is None:
            raise Refused(404, "unknown_path", f"there is nothing here; {HOW}")
        client = self._client(caller, route, visit)
        below = route.below(client.base_uri)
        operation = self.operations.of(client, request.method, below)
        visit.operation = operation.name if operation is not None else ""
        caller.check(request.method, below, operation)
        caller.quota.admit()
        costly = is_costly(request.method, operation)
        call = Call(request, caller, client, below, query, operation, costly, self.rules.headers)
        most, still = self.rules.body_bytes, self.rules.still
        if not caller.looks_at(request.method, operation, costly=costly):
            return await self._passed(call, await as_it_comes(call, most, still), visit)
        with self.room.share() as share:
            return await self._passed(call, await looked_at(call, most, still, share), visit)

    async def _passed(self, call: Call, asked: Asked, visit: Visit) -> web.StreamResponse:
        weight = asked.weight
        visit.model = visit.model or (weight.models[0] if weight.models else "")
        if self.journal.bodies:
            visit.asked = beginning(asked.body)
        passing = Passing(call.request, call.client, call.onward(asked.body, asked.payload), visit)
        if not call.costly:
            try:
                return await passing.run()
            finally:
                self._spent(self.scales.read(visit))
        weighed = self.scales.admit(call.caller, weight)
        self._spent(weighed.hold.tokens > 0)
        try:
            return await passing.run()
        finally:
            self._spent(self.scales.settle(visit, weighed))

    def _spent(self, touched: bool) -> None:
        if touched:
            self.on_spent()

    def _caller(self, request: web.BaseRequest) -> Caller:
        return self.callers.find(presented(request.headers), request.remote)

    def _client(self, caller: Caller, route: Route, visit: Visit) -> Client:
        caller.check_client(route.client, self.names)
        visit.client = route.client
        try:
            return self.client(route.client)
        except ConnectorError as error:
            raise Refused(503, "client_not_ready", f"the client {route.client} cannot be made: {error}") from None

    def _refused(self, visit: Visit, refused: Refused, request: web.BaseRequest) -> web.StreamResponse:
        visit.status, visit.code, visit.detail = refused.status, refused.code, str(refused)
        if request.writer.output_size > 0:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionError("the answer has begun: no other can follow it")
        return refusal(refused)

    def _fault(self, visit: Visit, error: Exception, request: web.BaseRequest) -> web.StreamResponse:
        """A fault of ours: the trace is logged without what was being said."""
        trace = "".join(traceback.format_tb(error.__traceback__))
        LOG.error("%s", self.journal.hide(f"a call failed: {type(error).__name__}: {error}\n{trace}"))
        refused = Refused(500, "internal_error", "the gateway failed; its log says more", close=True)
        return self._refused(visit, refused, request)

    def _note(self, visit: Visit) -> None:
        visit.seconds = self.clock() - visit.started
        if visit.state:
            self.metrics.seconds.add((visit.client,), visit.seconds)
        self.ledger.add(visit)
        self.journal(visit)
