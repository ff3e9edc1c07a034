"""The server over HTTP: who may come in, what their tokens allow, and how requests are answered in both eras."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.config import parse
from connector.config.models.gateway import hash_token
from connector.errors import ConfigurationError
from connector.hosts.mcp.listener import listen, parse_address
from connector.hosts.mcp.open import Opened, open_server
from connector.pipeline import Runtime, kinds
from tests.hosts.mcp.rig import CONFIGURATION, KEY, Upstream, chat

TOKEN, OTHER = "gw-token-of-a-test", "gw-token-of-another"
MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
ADMINISTRATOR = "gw-administrator"


@dataclass
class Caller:
    """Someone who calls over HTTP."""

    url: str
    upstream: Upstream
    opened: Opened
    client: httpx.AsyncClient
    session: str = ""
    numbers: list[int] = field(default_factory=lambda: [0])

    async def post(
        self, method: str, *, token: str = TOKEN, headers: Any = None, number: Any = None, **params: Any
    ) -> httpx.Response:
        self.numbers[0] += 1
        number = self.numbers[0] if number is None else number
        sent = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream", **(headers or {})}
        if self.session and "Mcp-Session-Id" not in sent:
            sent["Mcp-Session-Id"] = self.session
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        return await self.client.post(self.url, json=body, headers=sent)

    async def begin(self, token: str = TOKEN) -> httpx.Response:
        answered = await self.post(
            "initialize", token=token, protocolVersion="2025-11-25", capabilities={}, clientInfo={}
        )
        assert answered.status_code == 200, answered.text
        self.session = answered.headers["mcp-session-id"]
        return answered

    async def modern(self, method: str, *, headers: Any = None, meta: Any = None, **params: Any) -> httpx.Response:
        named = params.get("name") or params.get("uri")
        sent = {
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": method,
            **({"Mcp-Name": named} if named else {}),
            **(headers or {}),
        }
        return await self.post(method, headers=sent, _meta={**MODERN, **(meta or {})}, **params)


def result(answered: httpx.Response) -> Any:
    """What a request came to, whether it came alone or after events."""
    lines = [line[6:] for line in answered.text.splitlines() if line.startswith("data: ")]
    return json.loads(lines[-1] if lines else answered.text)["result"]


@asynccontextmanager
async def calling(
    folder: Path,
    answer: Callable[[httpx.Request], Any] = chat,
    *,
    change: Callable[[dict[str, Any]], Any] = lambda _: None,
) -> AsyncIterator[Caller]:
    document = json.loads(json.dumps(CONFIGURATION))
    document["gateway"] = {"tokens": {"one": {"hash": hash_token(TOKEN)}, "other": {"hash": hash_token(OTHER)}}}
    change(document)
    configuration = parse(document, folder=folder, environ={}, kinds=kinds())
    upstream = Upstream(answer)
    options = {"transport": httpx.MockTransport(upstream)}
    async with (
        Runtime(configuration, lambda _: options) as runtime,
        open_server(runtime) as opened,
        listen(opened, ("127.0.0.1", 0), ADMINISTRATOR) as listening,
        httpx.AsyncClient(trust_env=False, timeout=20) as client,
    ):
        yield Caller(listening.url, upstream, opened, client)
        await listening.handler.drain(0.0)


async def test_nobody_comes_in_without_a_token(tmp_path: Path) -> None:
    async with calling(tmp_path) as caller:
        assert (await caller.post("ping", token="gw-wrong")).status_code == 401
        bare = await caller.client.post(caller.url, json={})
        assert (bare.status_code, "Bearer" in bare.headers["www-authenticate"]) == (401, True)
        assert (await caller.client.get(caller.url.removesuffix("/mcp") + "/healthz")).status_code == 200


@pytest.mark.parametrize(("headers", "status"), [
    ({"Host": "evil.example"}, 421), ({"Origin": "http://evil.example"}, 403), ({"Content-Type": "text/plain"}, 415),
    ({"Accept": "text/html"}, 406), ({"MCP-Protocol-Version": "1999-01-01"}, 400),
])  # fmt: skip
async def test_requests_that_a_browser_or_a_stranger_makes_are_refused(
    tmp_path: Path, headers: Any, status: int
) -> None:
    async with calling(tmp_path) as caller:
        answered = await caller.post("initialize", headers=headers, protocolVersion="2025-11-25")
        assert answered.status_code == status
        assert "access-control-allow-origin" not in answered.headers


async def test_a_session_is_its_owner_s_and_can_be_ended(tmp_path: Path) -> None:
    async with calling(tmp_path) as caller:
        assert (await caller.post("tools/list")).status_code == 400
        await caller.begin()
        assert result(await caller.post("tools/list"))["tools"]
        assert (await caller.post("tools/list", token=OTHER)).status_code == 404
        headers = {"Authorization": f"Bearer {TOKEN}", "Mcp-Session-Id": caller.session}
        assert (await caller.client.get(caller.url, headers=headers)).status_code == 405
        assert (await caller.client.delete(caller.url, headers=headers)).status_code == 204
        assert (await caller.post("tools/list")).status_code == 404


async def test_progress_makes_a_stream_of_events_and_an_answer_alone_is_json(tmp_path: Path) -> None:
    async with calling(tmp_path) as caller:
        await caller.begin()
        plain = await caller.post("tools/call", name="greet", arguments={"name": "Ada"})
        assert plain.headers["content-type"] == "application/json"
        told = await caller.post("tools/call", name="greet", arguments={"name": "Bob"}, _meta={"progressToken": 1})
        assert told.headers["content-type"] == "text/event-stream"
        events = [json.loads(line[6:]) for line in told.text.splitlines() if line.startswith("data: ")]
        assert [one.get("method", "answer") for one in events][0 :: len(events) - 1] == [
            "notifications/progress",
            "answer",
        ]
        assert events[-1]["result"]["structuredContent"]["text"] == "re: Greet Bob."
        alone = await caller.post(
            "tools/call",
            headers={"Accept": "application/json"},
            name="greet",
            arguments={"name": "Eve"},
            _meta={"progressToken": 1},
        )
        assert result(alone)["isError"] is False


async def test_requests_of_the_newer_era_need_no_session_and_headers_that_agree(tmp_path: Path) -> None:
    async with calling(tmp_path) as caller:
        found = result(await caller.modern("server/discover"))
        assert found["supportedVersions"] == ["2026-07-28"]
        answered = await caller.modern("tools/call", name="greet", arguments={"name": "Ada"})
        assert result(answered)["isError"] is False
        for headers in ({"Mcp-Method": "ping"}, {"Mcp-Name": "other"}, {"MCP-Protocol-Version": "2025-11-25"}):
            wrong = await caller.modern("tools/call", headers=headers, name="greet", arguments={"name": "Ada"})
            assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, -32020), headers
        assert (await caller.modern("nothing")).status_code == 404
        encoded = await caller.modern(
            "tools/call", headers={"Mcp-Name": "=?base64?Z3JlZXQ=?="}, name="greet", arguments={"name": "A"}
        )
        assert encoded.status_code == 200


async def test_what_a_token_allows_holds_for_every_call_that_a_tool_makes(tmp_path: Path) -> None:
    def bound(document: Any) -> None:
        document["gateway"]["tokens"]["one"]["allow"] = ["models list"]

    async with calling(tmp_path, change=bound) as caller:
        await caller.begin()
        names = [tool["name"] for tool in result(await caller.post("tools/list"))["tools"]]
        assert "models_list" in names
        assert "files_delete" not in names
        listed = result(await caller.post("tools/call", name="models_list", arguments={}))
        assert listed["isError"] is False
        refused = result(await caller.post("tools/call", name="greet", arguments={"name": "Ada"}))
        assert refused["isError"] is True
        assert "is in no rule of one" in refused["content"][0]["text"]
        assert caller.upstream.posts == 0


async def test_limits_and_budgets_hold(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(chat(request).content)
        return httpx.Response(200, json={**body, "usage": {"prompt_tokens": 900, "completion_tokens": 200}})

    def bound(document: Any) -> None:
        document["gateway"]["tokens"]["one"]["budget"] = {"tokens": 1000, "every": "day", "shadow": False}
        document["gateway"]["tokens"]["other"]["requests_per_minute"] = 1

    async with calling(tmp_path, answer, change=bound) as caller:
        await caller.begin()
        first = result(await caller.post("tools/call", name="greet", arguments={"name": "Ada"}, _meta={KEY: "a"}))
        assert first["isError"] is False
        second = result(await caller.post("tools/call", name="greet", arguments={"name": "Bob"}))
        assert "used up its 1000 tokens" in second["content"][0]["text"]
        again = result(await caller.post("tools/call", name="greet", arguments={"name": "Ada"}, _meta={KEY: "a"}))
        assert again["structuredContent"] == first["structuredContent"], "what is known is not charged again"
        await caller.begin(OTHER)
        results = [
            result(await caller.post("tools/call", token=OTHER, name="greet", arguments={"name": name}))["isError"]
            for name in ("Eve", "Kim")
        ]
        assert results == [False, True]


async def test_nobody_sees_the_calls_of_others(tmp_path: Path) -> None:
    async with calling(tmp_path) as caller:
        await caller.begin()
        await caller.post("tools/call", name="greet", arguments={"name": "Ada"}, _meta={KEY: "k"})
        await caller.begin(OTHER)
        other = (
            await caller.post("tools/call", token=OTHER, name="greet", arguments={"name": "Bob"}, _meta={KEY: "k"})
        ).json()
        assert other["result"]["isError"] is False, "a key is its owner's"
        assert caller.upstream.posts == 2

        async def tasks(token: str) -> int:
            read = await caller.post("resources/read", token=token, uri="openai-connector://tasks")
            shown = json.loads(result(read)["contents"][0]["text"])
            return sum(len(found) for found in shown.values())

        assert await tasks(OTHER) == 1
        await caller.begin(ADMINISTRATOR)
        assert await tasks(ADMINISTRATOR) == 2


async def test_a_call_of_a_session_goes_on_when_its_connection_is_lost_and_is_answered_when_it_is_repeated(
    tmp_path: Path,
) -> None:
    reached, go = asyncio.Event(), asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        reached.set()
        await go.wait()
        return chat(request)

    async with calling(tmp_path, slow) as caller:
        await caller.begin()
        first = asyncio.create_task(caller.post("tools/call", number="one", name="greet", arguments={"name": "Ada"}))
        await reached.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        go.set()
        again = None
        while again is None or again.status_code != 200:  # the first one may be under way for another moment
            again = await caller.post("tools/call", number="one", name="greet", arguments={"name": "Ada"})
        assert result(again)["structuredContent"]["text"] == "re: Greet Ada."
        assert caller.upstream.posts == 1


async def test_a_client_of_the_newer_era_that_leaves_cancels_its_call(tmp_path: Path) -> None:
    reached, ended = asyncio.Event(), asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    async with calling(tmp_path, hang) as caller:
        asked = asyncio.create_task(
            caller.modern("tools/call", name="greet", arguments={"name": "Ada"}, meta={KEY: "k"})
        )
        await reached.wait()
        asked.cancel()
        await ended.wait()
        again = await caller.modern("tools/call", name="greet", arguments={"name": "Ada"}, meta={KEY: "k"})
        assert result(again)["structuredContent"]["state"] == "unknown"


async def test_a_session_that_is_gone_still_finds_what_came_of_its_calls(tmp_path: Path) -> None:
    def durable(document: Any) -> None:
        document["mcp"]["engine"] = "sqlite:///calls.db"

    async with calling(tmp_path, change=durable) as caller:
        await caller.begin()
        session = caller.session
        first = await caller.post("tools/call", number=7, name="greet", arguments={"name": "Ada"})
    async with calling(tmp_path, change=durable) as caller:
        caller.session = session
        again = await caller.post("tools/call", number=7, name="greet", arguments={"name": "Ada"})
        assert result(again)["structuredContent"] == result(first)["structuredContent"]
        assert caller.upstream.posts == 0
        assert (await caller.post("tools/call", number=8, name="greet", arguments={"name": "Ada"})).status_code == 404


async def test_an_address_that_others_reach_needs_a_certificate_and_tokens(tmp_path: Path) -> None:
    async with Runtime(parse(CONFIGURATION, folder=tmp_path, kinds=kinds())) as runtime, open_server(runtime) as opened:
        for address, administrator in ((("0.0.0.0", 0), ADMINISTRATOR), (("127.0.0.1", 0), None)):
            with pytest.raises(ConfigurationError, match=r"gateway\.t"):
                async with listen(opened, address, administrator):
                    raise AssertionError


def test_addresses() -> None:
    assert parse_address("127.0.0.1:8790") == ("127.0.0.1", 8790)
    assert parse_address("8790") == ("127.0.0.1", 8790)
    assert parse_address("[::1]:1") == ("::1", 1)
    with pytest.raises(ConfigurationError, match="an address and a port"):
        parse_address("nowhere:99999")
