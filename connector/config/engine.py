"""The URL of the engine: which engines there are, where its file lies, and what in it is secret."""

from __future__ import annotations

from pathlib import Path as File
from urllib.parse import unquote

from connector.config.variables import Variables
from connector.errors import ConfigurationError
from connector.suggestions import closest, did_you_mean

__all__ = ["ENGINES", "engine_fault", "resolved_engine"]

ENGINES = ("sqlite", "postgresql")
SHAPES = "sqlite:///FILE and postgresql://USER:PASSWORD@HOST/DATABASE are allowed"
SQLITE = "sqlite:///"


def engine_fault(url: str) -> tuple[str, str, str] | None:
    """What was found, what is allowed, what may have been meant; None when there is such an engine."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "found no URL", SHAPES, ""
    if scheme not in ENGINES:
        return f"unknown engine {scheme[:30]!r}", SHAPES, did_you_mean(closest(scheme, ENGINES))
    if scheme == "sqlite" and (not rest.startswith("/") or not rest[1:]):
        return "found no file", "sqlite:///FILE is allowed, beside the configuration unless absolute", ""
    return None


def resolved_engine(written: str, variables: Variables, folder: File) -> str:
    """The URL with its references replaced; of sqlite with the whole path of its file."""
    url = str(variables.resolve(written, ("engine",), for_client=True))
    fault = engine_fault(url)
    if fault is not None:
        raise ConfigurationError("; ".join(part for part in (f"engine: {fault[0]}", *fault[1:]) if part))
    if not url.startswith(SQLITE):
        return url
    return f"{SQLITE}{(folder / unquote(url.removeprefix(SQLITE))).absolute()}"
