"""Distributions that only some connections need, installed as extras."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from connector.errors import ConfigurationError

__all__ = ["require_extra"]


def require_extra(module: str, extra: str, purpose: str) -> Any:
    """Import and return a module; raise ConfigurationError saying what to install when it is missing.

    Args:
        module: the module's name.
        extra: the extra that brings its distribution.
        purpose: what needs it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        distribution = module.partition(".")[0]
        raise ConfigurationError(
            f"{purpose} needs {distribution}, which is not installed: pip install 'openai-connector[{extra}]'"
        ) from None
