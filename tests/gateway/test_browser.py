"""Two pages in a real browser: the one whose origin is listed calls through the gateway, the other one cannot."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from playwright.async_api import Page, async_playwright

from connector.config.models.gateway import hash_token
from connector.gateway import GatewayServer
from connector.pipeline import Runtime, load_configuration
from connector.sandbox import Sandbox, in_thread
from tests.programs import needed_browser

SDK = Path(__file__).parents[2] / ".node" / "node_modules"
TOKEN = "gw-pages-0987654321"
CALL = """async ([url, token]) => {
    try {
        const answer = await fetch(url, {headers: {Authorization: `Bearer ${token}`}});
        const body = await answer.json();
        return {status: answer.status, id: answer.headers.get("x-request-id"), body};
    } catch (error) {
        return {error: String(error)};
    }
}"""
STREAM = """async ([url, token]) => {
    const messages = [{role: "user", content: "Is anybody there?"}];
    const answer = await fetch(url, {
        method: "POST", headers: {Authorization: `Bearer ${token}`, "Content-Type": "application/json"},
        body: JSON.stringify({model: "gpt-6-luna", messages, stream: true}),
    });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "", reads = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) { text += part.value; reads += 1; }
    return {type: answer.headers.get("content-type"), text, reads};
}"""
OPAQUE = """async ([url, token]) => {
    const answer = await fetch(url, {mode: "no-cors"});
    const form = await fetch(url, {method: "POST", mode: "no-cors", body: "{}"});
    const cookies = await fetch(url, {credentials: "include"}).then(() => "read", String);
    return {types: [answer.type, form.type], cookies};
}"""
OFFICIAL = """async ([url, apiKey]) => {
    const {default: OpenAI} = await import("/openai/index.mjs");
    const client = new OpenAI({baseURL: url, apiKey, dangerouslyAllowBrowser: true, maxRetries: 0});
    const messages = [{role: "user", content: "Is anybody there?"}];
    try {
        const models = await client.models.list();
        const {data, request_id} = await client.chat.completions.create({model: "gpt-6-luna", messages}).withResponse();
        const stream = await client.chat.completions.create({model: "gpt-6-luna", messages, stream: true});
        let streamed = "";
        for await (const chunk of stream) streamed += chunk.choices[0]?.delta?.content ?? "";
        const refused = await client.files.list().then(() => null, error => [error.status, error.code]);
        return {models: models.data.length, said: data.choices[0].message.content, request_id, streamed, refused};
    } catch (error) {
        return {error: `${error.constructor.name}: ${error}`};
    }
}"""


@dataclass
class Scene:
    """A gateway, the page of an origin that it lists, and the page of one that it does not."""

    gateway: GatewayServer
    listed: Page
    other: Page
    token: str

    def url(self, path: str = "/v1/apis/http/openai/v1/models") -> str:
        return f"{self.gateway.url}{path}"


async def _site(stack: AsyncExitStack) -> int:
    """Start a site with one page, and the SDK if it is here; return its port."""
    app = web.Application()

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>canvas</title>", content_type="text/html")

    app.router.add_get("/", page)
    if (SDK / "openai").exists():
        app.router.add_static("/openai", SDK / "openai")
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return int(runner.addresses[0][1])


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    program = needed_browser()
    async with AsyncExitStack() as stack:
        sandbox = stack.enter_context(in_thread(Sandbox(seed=1)))
        listed, other = f"http://localhost:{await _site(stack)}", f"http://127.0.0.1:{await _site(stack)}"
        file = tmp_path / "connector.yaml"
        file.write_text(f"""
clients:
  openai: {{prototype: openai, parameters: {{token: sk-any, base_uri: "{sandbox.url}"}}}}
gateway:
  origins: {listed}
  signing_key: "${{SIGNING_KEY}}"
  tokens:
    canvas: {{hash: "{hash_token(TOKEN)}", allow: [models *, chat completions create]}}
""")
        runtime = await stack.enter_async_context(Runtime(load_configuration(file, {"SIGNING_KEY": "k" * 40})))
        gateway = await stack.enter_async_context(GatewayServer(runtime, port=0))
        playwright = await stack.enter_async_context(async_playwright())
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = await playwright.chromium.launch(executable_path=program, args=options)
        stack.push_async_callback(browser.close)
        pages = await browser.new_page(), await browser.new_page()
        await asyncio.gather(pages[0].goto(listed), pages[1].goto(other))
        yield Scene(gateway, *pages, await _page_token(gateway, listed))


async def _page_token(gateway: GatewayServer, origin: str) -> str:
    """Ask for a token as the server of the page does."""
    async with httpx.AsyncClient(trust_env=False) as http:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = await http.post(f"{gateway.url}/page-tokens", json={"origin": origin}, headers=headers)
    return str(answer.json()["token"])


@pytest.mark.long
async def test_only_the_listed_page_calls(scene: Scene) -> None:
    answer = await scene.listed.evaluate(CALL, [scene.url(), scene.token])
    assert answer["status"] == 200
    assert answer["id"], "the page reads the id of its request"
    assert len(answer["body"]["data"]) > 5
    assert scene.gateway.gateway.counters.answers, "it went through the gateway"

    streamed = await scene.listed.evaluate(STREAM, [scene.url("/openai/v1/chat/completions"), scene.token])
    assert streamed["type"].startswith("text/event-stream")
    assert streamed["text"].count("data: ") > 3
    assert streamed["text"].rstrip().endswith("data: [DONE]")

    for token in (scene.token, TOKEN):
        assert await scene.other.evaluate(CALL, [scene.url(), token]) == {"error": "TypeError: Failed to fetch"}
    refused = await scene.listed.evaluate(CALL, [scene.url(), TOKEN])
    assert (refused["status"], refused["body"]["error"]["code"]) == (403, "token_not_for_pages")
    refused = await scene.listed.evaluate(CALL, [scene.url("/openai/v1/files"), scene.token])
    assert (refused["status"], refused["body"]["error"]["code"]) == (403, "not_allowed")
    late = await scene.listed.evaluate(CALL, [scene.url(), scene.token + "x"])
    assert (late["status"], late["body"]["error"]["code"]) == (401, "invalid_token")
    for path in ("/usage", "/page-tokens"):
        assert await scene.listed.evaluate(CALL, [scene.url(path), TOKEN]) == {"error": "TypeError: Failed to fetch"}

    before = dict(scene.gateway.gateway.counters.answers)
    blind = await scene.other.evaluate(OPAQUE, [scene.url(), scene.token])
    assert blind == {"types": ["opaque", "opaque"], "cookies": "TypeError: Failed to fetch"}
    assert scene.gateway.gateway.counters.answers == before, "nothing of it went on"


@pytest.mark.long
async def test_the_official_sdk_in_the_page(scene: Scene) -> None:
    if not (SDK / "openai").exists():
        pytest.skip("the SDK for Node is not here; `make node` fetches it")
    found: Any = await scene.listed.evaluate(OFFICIAL, [scene.url("/openai/v1"), scene.token])
    assert found.pop("models") > 5
    assert found.pop("request_id")
    assert found == {
        "said": "Is anybody there?",
        "streamed": "Is anybody there?",
        "refused": [403, "not_allowed"],
    }
    stranger = await scene.other.evaluate(OFFICIAL, [scene.url("/openai/v1"), scene.token])
    assert stranger["error"].startswith("APIConnectionError")
