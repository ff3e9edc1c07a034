"""What a trial call says: the problem in a word, the advice in a sentence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.config import parse
from connector.config.diagnosis import PROBLEMS, Diagnosis, diagnose
from connector.http import Client
from connector.http.identity import IdentityFailed


def error(status: int, message: str = "no", code: str | None = None) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": message, "type": "x", "code": code}})


IDENTITY = {"source": "command", "command": ["echo", "t"], "identity_provider_id": "i", "service_account_id": "s"}
ANSWERS = {
    "": httpx.Response(200, json={"object": "list", "data": [{"id": "gpt-5"}]}),
    "quota": error(429, "You exceeded your current quota", "insufficient_quota"),
    "rate": error(429, "Rate limit reached", "rate_limit_exceeded"),
    "organization": error(
        401, "OpenAI-Organization header should match organization for API key", "mismatched_organization"
    ),
    "key": error(401, "Incorrect API key provided", "invalid_api_key"),
    "permission": error(403, "You have insufficient permissions for this operation"),
    "address": error(404, "Not found"),
    "server": error(500, "boom"),
    "proxy": httpx.Response(407),
}
RAISED = {
    "host": httpx.ConnectError("the name api.example was not found: name or service not known"),
    "tls": httpx.ConnectError("no TLS with api.example: wrong version number"),
    "certificate": httpx.ConnectError("the certificate of api.example was refused: certificate has expired"),
    "connection": httpx.ConnectError("cannot connect to api.example: connection refused"),
    "identity": IdentityFailed("the exchange at auth.example refused it with status 400", is_final=True),
    "client-certificate": httpx.ConnectError("api.example demands a client certificate: give certificate"),
}


async def tried(answer: httpx.Response | Exception) -> Diagnosis:
    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    config = parse(
        {"clients": {"c": {"prototype": "openai", "parameters": {"token": "${T}"}}}},
        environ={"T": "sk-canary-0123456789"},
    )
    async with config.clients["c"].client(transport=httpx.MockTransport(respond)) as client:
        return await diagnose(client)


@pytest.mark.parametrize("problem", [*ANSWERS, *RAISED])
async def test_what_is_wrong_is_told_in_words(problem: str) -> None:
    found = await tried({**ANSWERS, **RAISED}[problem])
    assert found.problem == problem
    said = found.sentence("c") + json.dumps(found.as_document("c"))
    assert "canary" not in said
    assert ("does not work" in said) == bool(problem)


def test_every_problem_is_tried() -> None:
    assert {word for word, _ in PROBLEMS} == {*ANSWERS, *RAISED} - {""}


async def test_a_page_where_json_was_due_is_a_wrong_address() -> None:
    found = await tried(httpx.Response(200, html="<html>Sign in</html>"))
    assert found.problem == "address"


@pytest.mark.parametrize(
    ("prototype", "parameters", "called"),
    [
        ("openai", {"token": "x"}, "models list"),
        ("openai", {"admin_token": "x"}, "projects list"),
        ("openai", {"admin_token": "x", "identity": IDENTITY}, "models list"),
        ("http", {"base_uri": "https://x.example"}, "GET /"),
        ("azure-openai", {"endpoint": "https://x.example", "api_key": "x"}, "models list"),
    ],
)
async def test_each_kind_makes_a_call_that_it_can_make(
    prototype: str, parameters: dict[str, Any], called: str, tmp_path: Path
) -> None:
    token = {"access_token": "t", "expires_in": 60}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=token))
    async with Client(prototype, environ={}, transport=transport, **parameters) as client:
        found = await diagnose(client)
    assert (found.called, found.problem) == (called, "")


async def shop(respond: Callable[[httpx.Request], httpx.Response]) -> Diagnosis:
    parameters: Any = {"base_uri": "https://shop.example/api", "headers": {"X-Api-Key": "shop-canary-0123456789"}}
    async with Client("http", environ={}, transport=httpx.MockTransport(respond), **parameters) as client:
        return await diagnose(client)


@pytest.mark.parametrize("status", [200, 204, 301, 302, 400, 404, 405, 410, 418, 422, 429, 500, 501, 503])
async def test_an_api_of_which_only_the_address_is_known_works_when_it_answers(status: int) -> None:
    found = await shop(lambda _: httpx.Response(status, html="<html>no page here</html>"))
    assert (found.works, found.problem) == (True, "")
    assert found.sentence("shop") == (
        f"client 'shop' works: https://shop.example/api is reached, GET / has status {status}"
    )


@pytest.mark.parametrize(("status", "problem"), [(401, "key"), (403, "permission"), (407, "proxy")])
async def test_an_answer_that_lets_nobody_in_is_a_refused_credential(status: int, problem: str) -> None:
    found = await shop(lambda _: httpx.Response(status, json={"error": "organization and project are unknown"}))
    assert (found.works, found.problem) == (False, problem)


async def test_what_is_shown_of_an_answer_holds_no_secret() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        key = request.headers["x-api-key"]
        return httpx.Response(401, headers={"x-request-id": f"req {key}"}, json={"error": {"message": f"no {key}"}})

    found = await shop(respond)
    assert "canary" not in found.sentence("shop") + json.dumps(found.as_document("shop"))
    assert found.as_document("shop")["request_id"] == "req ***"


@pytest.mark.parametrize("transport", ["aiohttp", "httpx"])
@pytest.mark.parametrize(
    ("scheme", "reply", "problem"),
    [
        ("http", b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", ""),
        ("https", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "tls"),
        ("http", b"SSH-2.0-OpenSSH_9\r\n", "connection"),
        ("http", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "server"),
    ],
)
async def test_what_answers_on_the_network_is_told_apart(
    transport: str, scheme: str, reply: bytes, problem: str
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, Client("http", base_uri=address, transport=transport, allowed_hosts=["127.0.0.1"]) as client:
        found = await diagnose(client)
    assert found.problem == problem
