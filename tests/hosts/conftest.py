"""Sandboxes of the API that tests of several hosts share, one of each kind a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.airbyte.rig import furnished
from tests.hosts.mcp.judges.serving import sandbox


@pytest.fixture(scope="session")
def api() -> Iterator[str]:
    """The address of an API that has things to read; nobody adds to them."""
    with furnished() as url:
        yield url


@pytest.fixture(scope="session")
def bare_api() -> Iterator[str]:
    """The address of an API to which tests send what no other test does."""
    with sandbox() as url:
        yield url
