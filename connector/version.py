"""The version of the installed distribution; it is written down in pyproject.toml alone."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

__all__ = ["version"]


def version() -> str:
    """Return the version, or "0" where the package is used without being installed."""
    try:
        return installed("openai-connector")
    except PackageNotFoundError:
        return "0"
