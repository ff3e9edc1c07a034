"""Every operation of the API, called as its document allows and as it does not: what comes back is what it says."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.engine import open_store
from connector.pipeline import load_configuration
from connector.studio.app import describe_api
from connector.studio.server import open_studio
from tests.engine.engines import Clock
from tests.studio.kit import CONFIGURATION, NOW, fill

ROOT = Path(__file__).parents[2]
JUDGED = Path(__file__).with_name("judged_operations.py")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The address of a studio that listens, in a thread and a loop of its own."""
    folder = tmp_path_factory.mktemp("schemathesis")
    started, stop, found = threading.Event(), asyncio.Event(), list[Any]()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(folder, started, stop, found)))
    thread.start()
    assert started.wait(30)
    loop, url = found
    yield url
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)


async def _serve(folder: Path, started: threading.Event, stop: asyncio.Event, found: list[Any]) -> None:
    source = folder / "connector.yaml"
    source.write_text(CONFIGURATION, encoding="utf-8")
    configuration = load_configuration(source)
    clock = Clock(NOW)
    runner = await open_store(configuration.engine_url, clock=clock)
    await fill(runner, clock)
    await runner.close()
    async with open_studio(source, configuration, port=0) as studio:
        found += [asyncio.get_running_loop(), studio.url]
        started.set()
        await stop.wait()


@pytest.mark.long
def test_each_operation_does_what_its_document_says(served: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "schemathesis", "-p", "no:cacheprovider", str(JUDGED)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "STUDIO_ADDRESS": served}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed in", done.stdout)
    assert passed, done.stdout
    assert int(passed[1]) == len(operations()) - 2, "all but the stream of events and the end of a session"


@cache
def operations() -> list[tuple[str, str]]:
    return [(method.upper(), path) for path, methods in describe_api()["paths"].items() for method in methods]


def test_nobody_gets_in(served: str) -> None:
    for method, path in operations():
        if (method, path) != ("POST", "/api/v1/session"):
            _refuse(method, served + re.sub(r"\{\w+\}", "1", path))


def _refuse(method: str, address: str) -> None:
    for headers in ({}, {"cookie": "studio=wrong"}, {"authorization": "Basic c3Q6"}):
        answer = httpx.request(method, address, headers=headers, json={} if method in ("POST", "PUT") else None)
        assert answer.status_code == 401, f"{method} {address}"
        assert answer.headers["www-authenticate"] == "Bearer"
