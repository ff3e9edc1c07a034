"""One process for all tests of this folder that has dlt."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.dlt.rig import Judge


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    begun = Judge()
    yield begun
    begun.close()
