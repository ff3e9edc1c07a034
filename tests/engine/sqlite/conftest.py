"""A file, and stores over it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.engine.engines import Sqlite


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncGenerator[Sqlite, None]:
    opened = Sqlite(tmp_path)
    yield opened
    await opened.close()
