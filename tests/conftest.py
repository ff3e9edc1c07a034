"""What holds in every test."""

from __future__ import annotations

import gc
import os
import sys
from functools import cache

import pytest
import typer.testing
from hypothesis import HealthCheck, settings

# Models that examples name retire one after the other; what a test expects must not change with the day.
os.environ["OPENAI_CONNECTOR_TODAY"] = "2026-01-01"

# Compiled modules are kept: hundreds of tests start a process, and each would compile what it imports anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# How long an example takes says more about what else the machine does than about the code; tests/timing.py bounds that.
settings.register_profile("connector", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("connector")

# The commands are made of their functions once, as in the program; the runner would make all of them for every call.
typer.testing._get_command = cache(typer.testing._get_command)


def pytest_collection_finish() -> None:
    """Ten thousand tests and the modules they come from stay: the collector need not walk them again and again."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, whatever the order of the rest."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One worker more than there are processors: some tests wait for disks, for sockets and for other processes."""
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else (os.cpu_count() or 1) + 1
