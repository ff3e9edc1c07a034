"""`run --workers`: several processes with one database."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.test_run import CONFIGURATION
from tests.engine.postgres import Database
from tests.telemetry.test_prometheus import read
from tests.timing import wait_until
from tests.upstream import upstream

TASKS = 40


@pytest.fixture
def engine() -> Iterator[str]:
    database = Database(f"connector_workers_{os.getpid()}")
    yield asyncio.run(database.url())
    asyncio.run(database.drop())


def free_ports() -> int:
    """The first of two ports that nobody has at this moment."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            try:
                with socket.create_server(("127.0.0.1", port + 1)):
                    return port
            except OSError:
                continue


def test_workers_share_the_tasks_and_each_shows_its_counters(tmp_path: Path, engine: str) -> None:
    port = free_ports()
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": f"t{n}"}) + "\n" for n in range(TASKS)))
    with upstream() as url:
        telemetry = f"engine: {engine}\ntelemetry: {{prometheus: 127.0.0.1:{port}}}\n"
        (tmp_path / "connector.yaml").write_text(CONFIGURATION.replace("URL", url) + telemetry)
        command = [sys.executable, "-m", "connector", "run", "--workers", "2"]
        environment = {**os.environ, "TRY_KEY": "sk-canary-0123456789"}
        with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:

            def pages() -> list[dict[tuple[str, ...], float]]:
                try:
                    return [read(httpx.get(f"http://127.0.0.1:{port + n}/metrics").content) for n in range(2)]
                except httpx.TransportError:
                    return []

            def is_done() -> bool:
                found = pages()
                return len(found) == 2 and all(
                    one.get(("connector_tasks", "asking", "finished")) == TASKS for one in found
                )

            try:
                wait_until(is_done)
                calls = [value for one in pages() for name, value in one.items() if name[0] == "connector_calls_total"]
            finally:
                process.send_signal(signal.SIGTERM)
                _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert sum(calls) == TASKS
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == TASKS
