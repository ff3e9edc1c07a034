"""A call of a tool: checked, made or remembered, and told in the host's own way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from connector.catalogue.operation import Operation
from connector.errors import ConnectorError
from connector.hosts.direct import Guard, call_now
from connector.hosts.mcp.events import join_events, text_of
from connector.hosts.mcp.exchange import Exchange
from connector.hosts.mcp.protocol import INVALID_PARAMS, RpcError
from connector.hosts.mcp.results import Renderer, failure
from connector.hosts.mcp.tools import EXPLAIN, Tool
from connector.http.watch import watch_events
from connector.model import JSON, InvalidRequest, is_document, members

if TYPE_CHECKING:
    from connector.calls.host_calls import HostCalls
    from connector.delivery.attempt import RouteContext
    from connector.pipeline import Runtime

__all__ = ["Invoker"]

HEARTBEAT = 1.0
"""Seconds between two reports of a call that says nothing by itself."""
SHOWN_TEXT = 200


@dataclass(slots=True)
class Invoker:
    """Calls the tools of a configuration.

    Args:
        runtime: the opened configuration.
        tools: by their names.
        calls: returns what makes calls that are noted; it is opened when the first one is made.
        renderer: makes results.
    """

    runtime: Runtime
    tools: Mapping[str, Tool]
    calls: Callable[[], Awaitable[HostCalls]]
    renderer: Renderer
    _routes: dict[str, RouteContext] = field(default_factory=dict[str, "RouteContext"])

    @property
    def client(self) -> str:
        """The client that operations are called with."""
        configuration = self.runtime.configuration
        return configuration.mcp.client or next(iter(configuration.clients))

    def find(self, name: JSON) -> Tool:
        """Return the tool of a name; RpcError when there is none."""
        tool = self.tools.get(name) if isinstance(name, str) else None
        if tool is None:
            from connector.suggestions import closest, did_you_mean

            meant = did_you_mean(closest(str(name)[:100], self.tools))
            raise RpcError(INVALID_PARAMS, f"unknown tool {str(name)[:100]!r}; {meant or 'tools/list names them all'}")
        return tool

    async def call(self, tool: Tool, arguments: JSON, exchange: Exchange, guard: Guard) -> dict[str, JSON]:
        """Return the result of a tool; what fails is a result as well, so that a model sees it."""
        if not is_document(arguments):
            raise RpcError(INVALID_PARAMS, "arguments: an object is expected")
        heart = asyncio.create_task(_beat(exchange, tool.name))
        exchange.log("info", f"{tool.name}: called")
        try:
            with watch_events(partial(_tell, exchange)):
                result = await self._call(tool, arguments, exchange, guard)
        except InvalidRequest as error:
            faults = [{"where": one.where, "found": one.found, "allowed": one.allowed} for one in error.faults]
            result = failure(self.runtime.redact(str(error)), {"state": "not_sent", "faults": faults})
        except ConnectorError as error:
            result = failure(
                self.runtime.redact(str(error)), {"state": "not_sent", "reason": self.runtime.redact(str(error))}
            )
        finally:
            heart.cancel()
        is_wrong = bool(result.get("isError"))
        exchange.report("failed" if is_wrong else "done", is_last=True)
        exchange.log("warning" if is_wrong else "info", f"{tool.name}: {'failed' if is_wrong else 'done'}")
        return result

    async def _call(self, tool: Tool, arguments: dict[str, JSON], exchange: Exchange, guard: Guard) -> dict[str, JSON]:
        owner, operation = exchange.session.owner, tool.operation
        if tool.name == EXPLAIN:
            explained = await self._explain(self.find(arguments.get("tool")), arguments.get("arguments"))
            return self.renderer.documents(owner, [explained])
        if tool.kind == "operation" and operation is not None and operation.effect.repeatable:
            return await self._call_now(operation, arguments, owner, guard)
        from connector.calls.host_calls import HostCall

        calls = await self.calls()
        asked = HostCall(
            document=arguments,
            key=exchange.key or f"{exchange.session.id}/{exchange.id}",
            is_named=bool(exchange.key),
            owner=owner,
            guard=guard,
        )
        route = self._route(tool, calls)
        answer = await calls.call(route, asked, exchange.report)
        exchange.on_told = partial(calls.note_told, route.spec.name, asked)
        exchange.log(
            "debug", {"tool": tool.name, "task": answer.task, "state": answer.state, "repeat": answer.is_repeat}
        )
        if tool.kind == "operation":
            answer = replace(answer, documents=[join_events(one) for one in answer.documents])
        return self.renderer.answer(owner, answer)

    async def _call_now(
        self, operation: Operation, arguments: dict[str, JSON], owner: str, guard: Guard
    ) -> dict[str, JSON]:
        """Make a call that may be repeated freely: nobody has to remember it."""
        outcome = await call_now(self.runtime, self.client, operation, arguments, guard)
        return self.renderer.outcome(owner, outcome)

    async def _explain(self, tool: Tool, arguments: JSON) -> JSON:
        """Return what a tool would send; nothing is sent."""
        if tool.name == EXPLAIN or not is_document(arguments):
            raise RpcError(INVALID_PARAMS, "name a tool that sends something, and its arguments as an object")
        if tool.kind == "outgoing":
            from connector.pipeline import explain_outgoing

            return await explain_outgoing(self.runtime, tool.target, arguments)
        client = self.runtime.client(self.client)
        return client.explain(client.prepare(tool.target, arguments)).as_document()

    def _route(self, tool: Tool, calls: HostCalls) -> RouteContext:
        """Return the route of a tool, made when it is first called."""
        if tool.name not in self._routes:
            from connector.calls.routes import operation_route, outgoing_route
            from connector.hosts.mcp.journal import PREFIX

            name, attempts = f"{PREFIX}{tool.name}", self.runtime.configuration.mcp.attempts
            self._routes[tool.name] = (
                outgoing_route(calls.shared, name, tool.target, attempts)
                if tool.operation is None or tool.kind == "outgoing"
                else operation_route(calls.shared, name, self.client, tool.operation, attempts)
            )
        return self._routes[tool.name]


async def _beat(exchange: Exchange, name: str) -> None:
    """Report that a call is under way, so that its host does not give up."""
    seconds = 0
    exchange.report(f"{name}: begun")
    while True:
        await asyncio.sleep(HEARTBEAT)
        seconds += 1
        exchange.report(f"{name}: under way for {seconds} s")


def _tell(exchange: Exchange, event: JSON) -> None:
    """Report an event of a streamed answer, with the text that it brings."""
    exchange.report(text_of(event)[:SHOWN_TEXT] or str(members(event).get("type") or "an event of the answer"))
