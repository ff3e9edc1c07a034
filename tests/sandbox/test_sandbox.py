"""A whole sandbox: started, restarted with its state, stopped; in a thread, and beside others."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from connector.catalogue import Catalogue
from connector.errors import ConfigurationError
from connector.sandbox import Sandbox, in_thread

PROJECTS = "/organization/projects"


def _get(url: str) -> Any:
    request = urllib.request.Request(url, headers={"Authorization": "Bearer any"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


async def test_state_in_a_file_outlives_the_sandbox(start: Any, tmp_path: Path, catalogue: Catalogue) -> None:
    state = tmp_path / "sandbox.db"
    made = []
    for _ in range(2):
        async with Sandbox(state=state, catalogue=catalogue) as sandbox:
            url = sandbox.url + PROJECTS
            made.append(await asyncio.to_thread(_post, url, {"name": "kept"}))
            listed = await asyncio.to_thread(_get, url)
    assert {one["id"] for one in listed["data"]} == {one["id"] for one in made}
    assert made[0]["id"] != made[1]["id"]


def _post(url: str, payload: object) -> Any:
    headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(payload).encode(), headers)) as answer:
        return json.load(answer)


def test_a_state_that_another_sandbox_uses_or_that_is_none_is_a_sentence(tmp_path: Path, catalogue: Catalogue) -> None:
    state = tmp_path / "sandbox.db"
    with in_thread(Sandbox(state=state, catalogue=catalogue)), pytest.raises(ConfigurationError, match="--state"):
        Sandbox(state=state, catalogue=catalogue)
    state.with_suffix(".txt").write_text("not a database, but long enough to be one" * 100)
    with pytest.raises(ConfigurationError, match="--state"):
        Sandbox(state=state.with_suffix(".txt"), catalogue=catalogue)


async def test_a_port_in_use_is_a_sentence(running: Any, catalogue: Catalogue) -> None:
    port = int(running.sandbox.origin.rpartition(":")[2])
    second = Sandbox(port=port, catalogue=catalogue)
    with pytest.raises(ConfigurationError, match=f"port {port} of 127.0.0.1 is in use"):
        await second.start()
    await second.stop()


def test_a_thread_of_its_own_serves_code_without_a_loop(catalogue: Catalogue) -> None:
    before = threading.active_count()
    with in_thread(Sandbox(catalogue=catalogue)) as sandbox:
        assert _get(sandbox.url + "/models")["object"] == "list"
        assert sandbox.requests[0]["operation"] == "models list"
        origin = sandbox.origin
    assert threading.active_count() == before
    with pytest.raises(urllib.error.URLError):
        _get(origin + "/sandbox/health")


def test_a_thread_that_cannot_start_says_why(catalogue: Catalogue) -> None:
    with in_thread(Sandbox(catalogue=catalogue)) as sandbox:
        second = Sandbox(port=int(sandbox.origin.rpartition(":")[2]), catalogue=catalogue)
        with pytest.raises(ConfigurationError, match="in use"), in_thread(second):
            pass


async def test_a_client_that_goes_away_leaves_the_sandbox_well(running: Any) -> None:
    host, port = running.sandbox.origin.removeprefix("http://").split(":")
    body = json.dumps(
        {"model": "m", "stream": True, "messages": [{"role": "user", "content": "word " * 5000}]}
    ).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\n"
    for _ in range(5):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
    assert (await running.call("GET", "/models"))[0] == 200


async def test_a_client_that_asks_first_whether_to_go_on_is_told_so(running: Any) -> None:
    host, port = running.sandbox.origin.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = "POST /v1/organization/projects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\n"
    writer.write(f"{head}Expect: 100-continue\r\nContent-Length: 14\r\n\r\n".encode())
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b'{"name":"one"}')
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    await writer.wait_closed()


async def test_a_million_bytes_of_garbage_are_a_400_of_http(running: Any) -> None:
    host, port = running.sandbox.origin.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"\x00garbage\r\n" * 1000)
    assert (await reader.readline()).startswith(b"HTTP/1.0 400")
    writer.close()
    await writer.wait_closed()
    assert (await running.call("GET", "/models"))[0] == 200
