"""One server for all tests of this folder, a front before it that demands credentials, and a database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from tests.engine.postgres import Database
from tests.hosts.temporal.front import Front
from tests.hosts.temporal.rig import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("temporal"))
    yield started
    started.kill()


@pytest.fixture(scope="session")
def front(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    started = Front(tmp_path_factory.mktemp("front"), server.address)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Database]:
    database = Database(f"connector_temporal_{os.getpid()}")
    yield database
    asyncio.run(database.drop())
