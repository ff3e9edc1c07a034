"""The studio as it listens: by itself, beside the gateway, and never for other machines without TLS and tokens."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from connector.config import Configuration
from connector.config.models import Studio
from connector.errors import ConfigurationError
from connector.pipeline import load_configuration
from connector.studio.server import open_studio
from tests.studio.kit import TOKENS

CERTIFICATES = Path(__file__).parents[1] / "http" / "certificates"
CERTIFICATE = CERTIFICATES / "good.pem"
TLS = {"certificate": str(CERTIFICATE), "key": str(CERTIFICATE)}


def configured(source: Path, **settings: object) -> Configuration:
    """The configuration with other settings of the studio."""
    configuration = load_configuration(source)
    tokens = {name: {"hash": token.hash, "role": token.role} for name, token in configuration.studio.tokens.items()}
    return replace(configuration, studio=Studio.model_validate({"tokens": tokens, **settings}))


async def test_the_link_signs_in_and_an_open_page_holds_nothing_up_at_the_end(source: Path) -> None:
    async with open_studio(source, configured(source), port=0) as studio:
        address, _, code = studio.link().partition("/#code=")
        assert address == studio.url
        http = httpx.AsyncClient(base_url=studio.url)
        assert (await http.post("/api/v1/session", json={"code": code})).status_code == 201
        assert (await http.get(f"{studio.url.replace('127.0.0.1', 'localhost')}/api/v1/session")).status_code == 401
        async with http.stream("GET", "/api/v1/events") as events:
            lines = events.aiter_lines()
            assert await anext(lines) == "retry: 2000"
            began = asyncio.get_running_loop().time()
            ending = asyncio.create_task(_read_to_the_end(lines))
            studio.context.events.close()
            await asyncio.wait_for(ending, 5)
            assert asyncio.get_running_loop().time() - began < 5
        await http.aclose()


async def _read_to_the_end(lines: object) -> None:
    async for _ in lines:  # type: ignore[attr-defined]
        pass


async def test_with_a_certificate_it_speaks_https_and_the_cookie_is_secure(source: Path) -> None:
    context = ssl.create_default_context(cafile=str(CERTIFICATES / "ca.pem"))
    async with open_studio(source, configured(source, tls=TLS), port=0) as studio:
        assert studio.url.startswith("https://127.0.0.1:")
        async with httpx.AsyncClient(base_url=studio.url, verify=context) as http:
            answer = await http.post("/api/v1/session", json={"token": TOKENS["viewer"]})
            cookie = answer.headers["set-cookie"]
            assert cookie.startswith("__Host-studio-")
            assert "Secure" in cookie


@pytest.mark.parametrize(
    "settings", [{}, {"tls": {"certificate": str(CERTIFICATE), "key": str(CERTIFICATE)}, "tokens": {}}]
)
async def test_other_machines_are_not_let_in_without_tls_and_tokens(source: Path, settings: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"other machines would reach it; declare studio\.tls and studio\.tok"):
        async with open_studio(source, configured(source, **settings), host="0.0.0.0", port=0):
            pass


async def test_a_port_that_is_taken_is_a_sentence(source: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match="something else listens there; choose another port with --port"):
            async with open_studio(source, configured(source), port=port):
                pass


def test_serve_carries_the_studio_and_the_gateways_counts(source: Path) -> None:
    text = source.read_text(encoding="utf-8").replace("studio:\n", 'studio:\n  serve: true\n  listen: "127.0.0.1:0"\n')
    source.write_text(text, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "connector", "serve", "-f", str(source), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENAI_CONNECTOR_GATEWAY_TOKEN": "gw-example"},
    )
    try:
        assert process.stderr is not None
        link = next(found[0] for line in process.stderr if (found := re.search(r"http://\S+#code=\S+", line)))
        address = link.partition("/#")[0]
        headers = {"authorization": f"Bearer {TOKENS['viewer']}"}
        seen = httpx.get(f"{address}/api/v1/gateway", headers=headers, timeout=20).json()
        assert (seen["running"], seen["in_flight"]) == (True, 0)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0
