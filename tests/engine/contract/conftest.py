"""Every engine in turn, and a store of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from connector.engine import Store
from tests.engine.engines import Engine, Sqlite
from tests.engine.postgres import Database, PostgreSQL


@pytest.fixture(params=["sqlite", "postgresql"])
async def engine(tmp_path: Path, postgres: Database, request: pytest.FixtureRequest) -> AsyncGenerator[Engine, None]:
    opened: Engine = Sqlite(tmp_path) if request.param == "sqlite" else PostgreSQL(await postgres.url())
    yield opened
    await opened.close()


@pytest.fixture
async def store(engine: Engine) -> Store:
    return await engine.open("first")
