"""Where the gateway listens, and how it stops."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from connector.config.models.gateway import hash_token
from connector.errors import ConfigurationError
from connector.gateway.server import serve_until_stopped
from tests.gateway.conftest import TOKEN

CERTIFICATES = Path(__file__).parents[1] / "http" / "certificates"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
TOKENS = {"bot": {"hash": hash_token(TOKEN)}}


async def test_health_needs_no_token_and_no_host(start):
    gateway = await start()
    for path in ("/healthz", "/readyz"):
        answer = await gateway.get(path, token=None, headers={"Host": "10.0.0.7"})
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert answer.headers["cache-control"] == "no-store"


async def test_an_unknown_path_tells_how_calls_are_addressed(start):
    gateway = await start()
    answer = await gateway.get("/v1/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_path")
    assert "/CLIENT/v1/PATH" in answer.json()["error"]["message"]


def held(upstream):
    """Lets an answer begin and end only when the event is set."""
    go_on = asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await go_on.wait()
        await response.write(b"data: [DONE]\n\n")
        return response

    upstream.handler = handler
    return go_on


async def test_a_drain_lets_streams_end_and_takes_no_new_calls(start, upstream):
    go_on = held(upstream)
    gateway = await start()
    url = f"{gateway.url}/openai/v1/models"
    async with gateway.http.stream("GET", url, headers=AUTHORIZED) as answer:
        pieces = answer.aiter_raw()
        assert await anext(pieces) == b"data: 1\n\n"
        drained = asyncio.create_task(gateway.listening.drain(10))
        await asyncio.sleep(0)
        ready = await gateway.get("/readyz", token=None)
        assert (ready.status_code, ready.json()) == (503, {"status": "draining"})
        refused = await gateway.get("/openai/v1/models")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
        assert refused.headers["x-should-retry"] == "true"
        assert not drained.done()
        go_on.set()
        assert await anext(pieces) == b"data: [DONE]\n\n"
        assert await drained == 0


async def test_a_drain_waits_no_longer_than_its_grace(start, upstream):
    held(upstream)
    gateway = await start()
    async with gateway.http.stream("GET", f"{gateway.url}/openai/v1/models", headers=AUTHORIZED) as answer:
        pieces = answer.aiter_raw()
        assert await anext(pieces)
        assert await gateway.listening.drain(0.05) == 1


async def test_the_first_signal_drains_and_the_second_ends_the_wait(start, upstream):
    held(upstream)
    gateway = await start()
    said: list[str] = []
    async with gateway.http.stream("GET", f"{gateway.url}/openai/v1/models", headers=AUTHORIZED) as answer:
        pieces = answer.aiter_raw()
        assert await anext(pieces)
        serving = asyncio.create_task(serve_until_stopped(gateway.listening, 60, said.append))
        await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(30):
            while not gateway.listening.gateway.is_draining:
                await asyncio.wait({serving}, timeout=0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await serving is False
    assert said == ["stopping: 1 call under way may go on for 60 s; stop again to break off"]


async def test_a_signal_without_calls_ends_it_at_once(start):
    gateway = await start()
    serving = asyncio.create_task(serve_until_stopped(gateway.listening, 60, print))
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGINT)
    async with asyncio.timeout(30):
        assert await serving is True


@pytest.mark.parametrize(
    ("gateway", "told"),
    [
        ({"listen": "0.0.0.0:0"}, "can be reached from elsewhere"),
        ({"listen": "0.0.0.0:0", "tls": {"certificate": "a", "key": "b"}, "tokens": {}}, "would refuse every call"),
        (
            {
                "listen": "0.0.0.0:0",
                "tls": {"certificate": "a", "key": "b"},
                "tokens": {"bot": {"hash": hash_token(TOKEN), "disabled": True}},
            },
            "no token is in force",
        ),
        ({"listen": "0.0.0.0:0", "tls": {"certificate": "gone.pem", "key": "gone.pem"}}, "no such file"),
        ({"tls": {"certificate": __file__, "key": __file__}}, "PEM form"),
        ({"listen": "192.0.2.1:0", "tls": {"certificate": "good.pem", "key": "good.pem"}}, "cannot listen on"),
    ],
)
async def test_where_it_must_not_or_cannot_listen_is_told(start, gateway, told):
    tls = gateway.get("tls")
    if tls and tls["certificate"] == "good.pem":
        gateway = {**gateway, "tls": dict.fromkeys(tls, str(CERTIFICATES / "good.pem"))}
    with pytest.raises(ConfigurationError, match=told):
        await start(gateway={"tokens": TOKENS, **gateway})


async def test_a_port_that_is_taken_is_told(start):
    first = await start()
    with pytest.raises(ConfigurationError, match="something else listens there"):
        await start(options={"port": first.port})


async def test_callers_over_tls(start):
    tls = dict.fromkeys(("certificate", "key"), str(CERTIFICATES / "good.pem"))
    gateway = await start(gateway={"listen": "0.0.0.0:0", "tls": tls, "hosts": ["localhost"], "tokens": TOKENS})
    context = ssl.create_default_context(cafile=str(CERTIFICATES / "ca.pem"))
    async with httpx.AsyncClient(verify=context, trust_env=False) as http:
        answer = await http.get(f"https://localhost:{gateway.port}/openai/v1/models", headers=AUTHORIZED)
        assert answer.status_code == 200


async def test_a_client_that_cannot_be_made_is_told_and_the_others_work(start):
    gateway = await start(clients={"broken": {"prototype": "openai", "parameters": {"token": "${NOT_SET}"}}})
    assert "NOT_SET" in gateway.listening.not_ready["broken"]
    assert (await gateway.get("/openai/v1/models")).status_code == 200
    answer = await gateway.get("/broken/v1/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "client_not_ready")


async def test_ten_calls_at_a_time_leave_nothing_open(start, upstream):
    gateway = await start()
    await gateway.chat()

    def descriptors() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    async def call() -> None:
        for _ in range(20):
            assert (await gateway.chat()).status_code == 200

    await asyncio.gather(*(call() for _ in range(10)))
    before = descriptors()
    await asyncio.gather(*(call() for _ in range(10)))
    assert descriptors() <= before + 1
    assert gateway.listening.gateway.in_flight == 0
