"""What the peers need beside them for as long as they are measured: an upstream, a database each, a Redis."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.request import ProxyHandler, build_opener

import asyncpg

from bench.environment import Unavailable
from bench.measure import ROOT

__all__ = ["Upstream", "database", "redis", "upstream"]

POSTGRES = "CONNECTOR_TEST_POSTGRES"
PLACE = "postgresql://root@127.0.0.1:5432/postgres"
PATIENCE = 10.0


@dataclass(frozen=True)
class Upstream:
    """A running upstream."""

    port: int

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def asked(self) -> tuple[int, float]:
        """How many calls came since this was last asked, and when the first of them did; 0 when none."""
        with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{self.port}/asked", timeout=30) as response:
            told = json.load(response)
        return int(told["asked"]), float(told["first"])


@contextmanager
def upstream(milliseconds: float) -> Generator[Upstream]:
    """An upstream whose completions take so long."""
    command = [sys.executable, "-m", "bench.durable.upstream", str(milliseconds)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield Upstream(int(server.stdout.readline()))
        finally:
            server.stdin.close()


@contextmanager
def database() -> Generator[str]:
    """The URL of an empty database on the local PostgreSQL, gone afterwards."""
    server = os.environ.get(POSTGRES, PLACE)
    name = f"bench_{os.getpid()}_{time.monotonic_ns()}"
    try:
        asyncio.run(_execute(server, f"CREATE DATABASE {name}"))
    except (OSError, asyncpg.PostgresError) as error:
        raise Unavailable(f"no PostgreSQL lets us in; name one in {POSTGRES}: {error}") from None
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        asyncio.run(_execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@contextmanager
def redis() -> Generator[str]:
    """The URL of a Redis that writes down what it takes, once a second as its manual advises."""
    program = shutil.which("redis-server")
    if program is None:
        raise Unavailable("there is no redis-server")
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        options = ["--port", str(port), "--save", "", "--appendonly", "yes", "--dir", folder]
        with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL) as server:
            try:
                _until_there(port)
                yield f"redis://127.0.0.1:{port}/0"
            finally:
                server.terminate()


def _until_there(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise Unavailable("its server does not come up")
