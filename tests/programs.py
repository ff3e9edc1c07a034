"""Programs that are no part of the project: each is here, or its tests are skipped with the reason."""

from __future__ import annotations

import os
import pty
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

__all__ = ["REQUIRED", "missing", "needed", "needed_browser", "open_terminal"]

REQUIRED = "CONNECTOR_REQUIRE_SERVICES"
"""Where this is set, as in the checks before a change lands, a missing program is a failure."""
BESIDE = (Path("/usr/sbin"), Path("/usr/local/sbin"))
PACKAGES = {"nginx": "nginx-light", "node": "nodejs", "npm": "npm"}


def needed(name: str) -> str:
    """The path of a program; without it the test that asks is skipped, or fails where everything must be there."""
    found = shutil.which(name) or next((shutil.which(name, path=str(folder)) for folder in BESIDE), None)
    if found is None:
        missing(f"there is no {name} on this machine: on Debian, apt-get install {PACKAGES.get(name, name)}")
    return found


BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def needed_browser() -> str:
    """The path of a browser of Chromium's kind; without one the test is skipped, or fails where it must be there."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        missing("there is no Chromium on this machine: on Debian, apt-get install chromium")
    return found


def open_terminal() -> tuple[int, int]:
    """Both ends of a new terminal; where the machine has none to give, the test that asks is skipped, or fails."""
    try:
        return pty.openpty()
    except OSError as error:
        missing(f"this machine has no terminals to give ({error}): mount devpts at /dev/pts")


def missing(said: str) -> NoReturn:
    """Skip the test, or fail it where everything must be there."""
    if os.environ.get(REQUIRED):
        pytest.fail(said)
    pytest.skip(said)
