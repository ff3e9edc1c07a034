"""A source before a scripted API that keeps lists, in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from connector.catalogue import Catalogue
from connector.hosts.streams.reader import Mark, Row, StreamReader
from connector.hosts.streams.settings import SourceSettings
from connector.hosts.streams.source import Source
from connector.hosts.streams.stream import make_streams
from connector.http import Client

__all__ = ["DAY", "NOW", "Api", "Lists", "drain", "entities", "source"]

DAY = 86_400
NOW = 1_790_000_000
Lists = dict[str, list[dict[str, Any]]]


@dataclass
class Api:
    """Answers GETs of lists, the newest first, a few a page, with `after` and `order` as the API has them."""

    lists: Lists
    page: int = 2
    asked: list[httpx.URL] = field(default_factory=list)
    fail_after: int | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        if self.fail_after is not None and len(self.asked) > self.fail_after:
            return httpx.Response(400, json={"error": {"message": "no more today", "type": "invalid_request_error"}})
        found = self.lists.get(request.url.path.removeprefix("/v1"))
        if found is None:
            return httpx.Response(404, json={"error": {"message": "no such thing", "type": "invalid_request_error"}})
        query = request.url.params
        after = query.get("after")
        names = [one["id"] for one in found]
        if after is not None and after not in names:
            return httpx.Response(400, json={"error": {"message": f"no {after}", "type": "invalid_request_error"}})
        begin = names.index(after) + 1 if after is not None else 0
        data = found[begin : begin + self.page]
        more = begin + self.page < len(found)
        return httpx.Response(200, json={"object": "list", "data": data, "has_more": more})

    def paths(self) -> list[str]:
        return [f"{one.path.removeprefix('/v1')}?{one.params}" for one in self.asked]


@asynccontextmanager
async def source(api: Any, **settings: Any) -> AsyncIterator[Source]:
    """What keys of both kinds can read of a scripted API."""
    catalogue = Catalogue.open()
    given = SourceSettings(api_key="sk-canary-0123456789", admin_api_key="sk-admin-canary-0123", **settings)
    retry: Any = {"max_retries": 0}
    transport = httpx.MockTransport(api)
    async with Client(
        "openai", catalogue=catalogue, environ={}, transport=transport, retry=retry, **given.parameters
    ) as client:
        yield Source(make_streams(catalogue), StreamReader(client, given, lambda: NOW))


async def drain(source: Source, name: str, state: Any = None, **how: Any) -> tuple[list[str], list[Any]]:
    """The ids of a stream's rows and the states between them, in the order they came."""
    rows: list[str] = []
    states: list[Any] = []
    async with aclosing(source.reader.read(source.find(name), state, **how)) as found:
        async for one in found:
            if isinstance(one, Row):
                rows.append(str(one.data.get("id")))
            elif isinstance(one, Mark):
                states.append(one.state)
    return rows, states


def entities(*times: int, **more: Any) -> list[dict[str, Any]]:
    """Entities made at these times, the newest first."""
    return [{"id": f"e{when}", "created_at": when, **more} for when in sorted(times, reverse=True)]
