"""Signing in: a link works once, a cookie is bound to its page, a role to what it may do; guesses are slow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connector.studio.context import StudioContext
from tests.engine.engines import Clock
from tests.studio.kit import ORIGIN, TOKENS

Connect = Callable[..., httpx.AsyncClient]


async def test_a_link_signs_in_once(connect: Connect, context: StudioContext) -> None:
    client, code = connect(), context.sessions.make_code()
    answer = await client.post("/api/v1/session", json={"code": code})
    assert answer.status_code == 201
    assert answer.json()["role"] == "editor"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    seen = (await client.get("/api/v1/session")).json()
    assert seen["configuration"]["name"] == "shop"
    assert seen["attention"] == {"failed": 2, "unknown": 1, "paused": 0}
    assert seen["csrf"] == answer.json()["csrf"]
    again = await connect().post("/api/v1/session", json={"code": code})
    assert again.status_code == 401
    assert again.headers["content-type"] == "application/problem+json"


async def test_who_signs_out_is_out(browser: httpx.AsyncClient) -> None:
    assert (await browser.delete("/api/v1/session")).status_code == 204
    assert (await browser.get("/api/v1/session")).status_code == 401


async def test_a_session_ends_when_it_is_not_used(browser: httpx.AsyncClient, clock: Clock) -> None:
    clock.now += 11 * 3600
    assert (await browser.get("/api/v1/session")).status_code == 200
    clock.now += 13 * 3600
    assert (await browser.get("/api/v1/session")).status_code == 401


async def test_nobody_gets_nothing(connect: Connect) -> None:
    answer = await connect().get("/api/v1/session")
    assert answer.status_code == 401
    assert answer.json()["next"].startswith("open the link")


@pytest.mark.parametrize("role", ["viewer", "operator", "editor"])
async def test_a_token_has_its_role(bearer: Callable[[str], httpx.AsyncClient], role: str) -> None:
    seen = (await bearer(role).get("/api/v1/session")).json()
    assert (seen["name"], seen["role"], seen["csrf"]) == (role, role, None)


async def test_a_token_can_open_a_session(connect: Connect) -> None:
    client = connect(origin=ORIGIN)
    answer = await client.post("/api/v1/session", json={"token": TOKENS["viewer"]})
    assert answer.json()["role"] == "viewer"
    assert (await client.get("/api/v1/session")).json()["name"] == "viewer"


@pytest.mark.parametrize(
    "headers",
    [{"x-csrf-token": ""}, {"x-csrf-token": "wrong"}, {"x-csrf-token": "\xff"}],
)
async def test_an_unsafe_request_repeats_the_sessions_token(browser: httpx.AsyncClient, headers: Any) -> None:
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = await browser.delete("/api/v1/session", headers=sent)
    assert answer.status_code == 403
    assert (await browser.get("/api/v1/session")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://127.0.0.1:8791"},
        {"origin": "null"},
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_another_page_cannot_use_the_cookie(
    browser: httpx.AsyncClient, headers: dict[str, str], method: str
) -> None:
    answer = await browser.request(method, "/api/v1/session", headers=headers)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:openai-connector:other-origin"


async def test_another_page_cannot_sign_in(connect: Connect, context: StudioContext) -> None:
    client, code = connect(origin="https://evil.example"), context.sessions.make_code()
    assert (await client.post("/api/v1/session", json={"code": code})).status_code == 403
    assert (await connect().post("/api/v1/session", json={"code": code})).status_code == 201


@pytest.mark.parametrize("host", ["evil.example:8790", "127.0.0.1", "127.0.0.1:8791", "localhost:8790", ""])
async def test_another_name_is_refused(connect: Connect, host: str) -> None:
    answer = await connect(host=host, authorization=f"Bearer {TOKENS['editor']}").get("/api/v1/session")
    assert answer.status_code == 421


async def test_guesses_are_slow(connect: Connect, context: StudioContext, clock: Clock) -> None:
    client, code = connect(), context.sessions.make_code()
    for _ in range(10):
        assert (await client.post("/api/v1/session", json={"code": "guess"})).status_code == 401
    refused = await client.post("/api/v1/session", json={"code": code})
    assert refused.status_code == 429
    assert (await connect(authorization="Bearer guess").get("/api/v1/session")).status_code == 429
    right = connect(authorization=f"Bearer {TOKENS['viewer']}")
    assert (await right.get("/api/v1/session")).status_code == 200, "others' guesses shut no program out"
    clock.now += int(refused.headers["retry-after"])
    assert (await client.post("/api/v1/session", json={"code": code})).status_code == 201


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
async def test_on_postgresql(bearer: Callable[[str], httpx.AsyncClient]) -> None:
    seen = (await bearer("viewer").get("/api/v1/session")).json()
    assert seen["attention"] == {"failed": 2, "unknown": 1, "paused": 0}
