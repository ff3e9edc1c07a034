"""A database of PostgreSQL's that all tests of a session share, each with tables of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator

import pytest

from tests.engine.postgres import Database


@pytest.fixture(scope="session")
def postgres() -> Generator[Database, None, None]:
    """A database that is made when a test first asks for its URL."""
    database = Database(f"connector_test_{os.getpid()}")
    yield database
    asyncio.run(database.drop())
