"""Both servers as people run them: a sandbox, and a gateway in front of it, each a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.config.models.gateway import hash_token

TOKEN = "gw-servers-0123456789"
COMMAND = [sys.executable, "-m", "connector"]
LISTENS = "listening on "


@dataclass(frozen=True)
class Server:
    """A server that a client can be pointed at."""

    name: str
    base_url: str
    key: str
    pid: int

    @property
    def port(self) -> int:
        return int(self.base_url.split(":")[2].partition("/")[0])


@contextmanager
def sandbox(*words: str) -> Iterator[Server]:
    command = [*COMMAND, "sandbox", "--port", "0", "--seed", "1", "--pace", "0.05", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        with _ended(process):
            yield Server("sandbox", process.stdout.readline().strip(), "sk-any", process.pid)


@contextmanager
def gateway(folder: Path, upstream: str) -> Iterator[Server]:
    client = {"prototype": "openai", "parameters": {"base_uri": upstream, "token": "${SANDBOX_KEY}"}}
    tokens = {"tests": {"hash": hash_token(TOKEN)}}
    (folder / "connector.json").write_text(json.dumps({"clients": {"openai": client}, "gateway": {"tokens": tokens}}))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    log = folder / "gateway.log"
    command = [*COMMAND, "serve", "-f", str(folder / "connector.json"), "--port", "0"]
    with (
        log.open("w") as written,
        subprocess.Popen(command, stderr=written, env={**kept, "SANDBOX_KEY": "sk-of-the-client"}) as process,
        _ended(process),
    ):
        yield Server("gateway", f"{_address(log, process)}/openai/v1", TOKEN, process.pid)


@contextmanager
def _ended(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    """Where it says that it listens."""
    while process.poll() is None:
        found = [line for line in log.read_text().splitlines(keepends=True) if LISTENS in line and line.endswith("\n")]
        if found:
            return found[0].partition(LISTENS)[2].strip()
    pytest.fail(f"the gateway ended: {log.read_text()}")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    with sandbox() as below, gateway(tmp_path_factory.mktemp("gateway"), below.base_url) as above:
        yield {"sandbox": below, "gateway": above}


@pytest.fixture(params=["sandbox", "gateway"])
def server(request: pytest.FixtureRequest, servers: dict[str, Server]) -> Server:
    """Either of the two: a client must not see which."""
    return servers[request.param]
