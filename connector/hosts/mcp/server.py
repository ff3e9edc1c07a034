"""The server: each request of a client is answered by its method, whatever brought it here."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connector.hosts.direct import Guard
from connector.hosts.mcp.exchange import Exchange
from connector.hosts.mcp.invoke import Invoker
from connector.hosts.mcp.prompts import Prompts
from connector.hosts.mcp.protocol import (
    HANDSHAKE_VERSIONS,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    LEVELS,
    METHOD_NOT_FOUND,
    MODERN_VERSIONS,
    SERVER_INFO_KEY,
    Message,
    RpcError,
)
from connector.hosts.mcp.resources import Resources
from connector.hosts.mcp.tools import Tool
from connector.model import JSON, members
from connector.publishers import CallIntent
from connector.version import version

__all__ = ["Access", "McpServer"]

NAME = "openai-connector"
PAGE = 100
FRESH_MS = 60_000
"""For how long a list may be taken for current."""
MOST_COMPLETIONS = 100
CAPABILITIES: Mapping[str, JSON] = {
    "tools": {"listChanged": False},
    "resources": {"subscribe": False, "listChanged": False},
    "prompts": {"listChanged": False},
    "completions": {},
    "logging": {},
}
CURSOR = re.compile(r"\d{1,9}")
Handler = Callable[[Message, Exchange, "Access"], Awaitable[dict[str, JSON]]]

log = logging.getLogger(__name__)


def _as_it_is(intent: CallIntent) -> CallIntent:
    return intent


def _any_tool(tool: Tool) -> bool:
    del tool
    return True


@dataclass(frozen=True, slots=True)
class Access:
    """What the one who asks may do.

    Attributes:
        guard: returns a call as it may be made for them.
        offers: whether a tool is theirs to call.
        sees_all: whether they see the tasks of others.
    """

    guard: Guard = _as_it_is
    offers: Callable[[Tool], bool] = _any_tool
    sees_all: bool = True


@dataclass(slots=True)
class McpServer:
    """Answers the requests of MCP clients.

    Args:
        invoker: calls tools.
        resources: what can be read.
        prompts: opened when the first one is asked for.
        instructions: what a model should know before it uses the tools.
    """

    invoker: Invoker
    resources: Resources
    prompts: Callable[[], Prompts]
    instructions: str = ""
    _handlers: Mapping[str, Handler] = field(init=False)

    def __post_init__(self) -> None:
        self._handlers = {
            "initialize": self._initialize,
            "server/discover": self._discover,
            "ping": self._ping,
            "tools/list": self._list_tools,
            "tools/call": self._call_tool,
            "resources/list": self._list_resources,
            "resources/templates/list": self._list_templates,
            "resources/read": self._read_resource,
            "prompts/list": self._list_prompts,
            "prompts/get": self._get_prompt,
            "completion/complete": self._complete,
            "logging/setLevel": self._set_level,
        }

    async def answer(self, message: Message, exchange: Exchange, access: Access) -> dict[str, JSON]:
        """Return the result of a request; RpcError when it is none that can be answered."""
        handler = self._handlers.get(message.method)
        if handler is None or (exchange.is_modern and message.method in ("initialize", "logging/setLevel")):
            raise RpcError(METHOD_NOT_FOUND, f"unknown method {message.method[:100]!r}")
        try:
            result = await handler(message, exchange, access)
        except (RpcError, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("%s failed", message.method)
            raise RpcError(INTERNAL_ERROR, f"the server failed ({type(error).__name__}); its log says more") from None
        return _as_modern(message.method, result) if exchange.is_modern else result

    async def _initialize(self, message: Message, exchange: Exchange, access: Access) -> dict[str, JSON]:
        del access
        asked = message.params.get("protocolVersion")
        agreed = asked if isinstance(asked, str) and asked in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1]
        exchange.session.version = agreed
        shown: dict[str, JSON] = {"protocolVersion": agreed, "capabilities": CAPABILITIES, "serverInfo": _server_info()}
        return {**shown, "instructions": self.instructions} if self.instructions else shown

    async def _discover(self, message: Message, exchange: Exchange, access: Access) -> dict[str, JSON]:
        del message, exchange, access
        shown: dict[str, JSON] = {
            "supportedVersions": [*MODERN_VERSIONS],
            "capabilities": {name: one for name, one in CAPABILITIES.items() if name != "logging"},
        }
        return {**shown, "instructions": self.instructions} if self.instructions else shown

    async def _ping(self, message: Message, exchange: Exchange, access: Access) -> dict[str, JSON]:
        del message, exchange, access
        return {}

    async def _list_tools(self, message: Message, exchange: Exchange, access: Access) -> dict[str, JSON]:
        del exchange
        tools = [tool.as_document() for tool in self.invoker.tools.values() if access.offers(tool)]
        return _page("tools", tools, message.params.get("cursor"))

    async def _call_tool(self, message: Message, exchange: Exchange, access: Access) -> dict[str, JSON]:
        tool = self.invoker.find(message.params.get("name"))
        arguments = message.params.get("arguments")
        return await self.invoker.call(tool, {} if arguments is None else arguments, exchange, access.guard)

    async def _list_resources(self, message: Message, exchange: Exchange, access: Access) -> dict[str, JSON]:
        del exchange, access
        return _page("resources", self.resources.entries(), message.params.get("cursor"))

    async def _list_templates(self, message: Message, exchange: Exchange, access: Access) -> dict[str, JSON]:
        del exchange, access
        return _page("resourceTemplates", self.resources.templates(), message.params.get("cursor"))

    async def _read_resource(self, message: Message, exchange: Exchange, access: Access) -> dict[str, JSON]:
        uri = message.params.get("uri")
        if not isinstance(uri, str):
            raise RpcError(INVALID_PARAMS, "uri: a text is expected")
        return await self.resources.read(uri, exchange.session.owner, sees_all=access.sees_all)

    async def _list_prompts(self, message: Message, exchange: Exchange, access: Access) -> dict[str, JSON]:
        del exchange, access
        return _page("prompts", self.prompts().entries(), message.params.get("cursor"))

    async def _get_prompt(self, message: Message, exchange: Exchange, access: Access) -> dict[str, JSON]:
        del exchange, access
        return await self.prompts().get(message.params.get("name"), message.params.get("arguments"))

    async def _complete(self, message: Message, exchange: Exchange, access: Access) -> dict[str, JSON]:
        del exchange, access
        reference, argument = members(message.params.get("ref")), members(message.params.get("argument"))
        values = self.resources.complete(str(reference.get("uri", "")), str(argument.get("value", "")))
        shown = values[:MOST_COMPLETIONS]
        return {"completion": {"values": shown, "total": len(values), "hasMore": len(values) > len(shown)}}

    async def _set_level(self, message: Message, exchange: Exchange, access: Access) -> dict[str, JSON]:
        del access
        level = message.params.get("level")
        if level not in LEVELS:
            raise RpcError(INVALID_PARAMS, f"level: one of {', '.join(LEVELS)} is expected")
        exchange.session.level = str(level)
        return {}


def _page(name: str, found: Sequence[JSON], cursor: JSON) -> dict[str, JSON]:
    """Return the part of a list that begins at a cursor."""
    if cursor is None:
        start = 0
    elif isinstance(cursor, str) and CURSOR.fullmatch(cursor) and int(cursor) <= len(found):
        start = int(cursor)
    else:
        raise RpcError(INVALID_PARAMS, "cursor: this is no cursor of an earlier answer")
    shown: dict[str, JSON] = {name: list(found[start : start + PAGE])}
    return {**shown, "nextCursor": str(start + PAGE)} if start + PAGE < len(found) else shown


def _server_info() -> dict[str, JSON]:
    return {"name": NAME, "title": "OpenAI connector", "version": version()}


CACHED = (
    "server/discover",
    "tools/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "prompts/list",
)


def _as_modern(method: str, result: dict[str, JSON]) -> dict[str, JSON]:
    """Return a result as it is since 2026-07-28: complete, signed, and with how long it may be kept."""
    meta = {**members(result.get("_meta")), SERVER_INFO_KEY: _server_info()}
    made: dict[str, JSON] = {**result, "resultType": "complete", "_meta": meta}
    if method in CACHED:
        # Who may see what depends on the one who asks.
        made |= {"ttlMs": 0 if method == "resources/read" else FRESH_MS, "cacheScope": "private"}
    return made
