"""Values of options that are what they should be already: they pass without Typer's adapters.

Typer makes an adapter of pydantic's for each option of a command, given or not, and loading pydantic alone takes longer
than many a command runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["skip_adapters"]

PLAIN = (str, int, float)
"""Numbers among the values are defaults: what the command line holds is text."""


class PlainValue:
    """Passes on nothing, defaults, text where text is wanted, and the names of readable files; the rest is Typer's."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value of an option as its command takes it."""
        many = param.multiple or param.nargs == -1
        if value is None:
            return () if many else None
        wanted: Any = param.type_descriptor.annotation
        if many:
            if wanted == list[str] and not isinstance(value, str) and all(isinstance(one, str) for one in value):
                return list(value)
        elif wanted in PLAIN and type(value) is wanted:
            return value
        elif wanted is Path and isinstance(value, str) and not _asks_more(param) and os.access(value, os.R_OK):
            return Path(value)
        param._runtime_param = None  # noqa: SLF001  so that Typer makes its own
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


def _asks_more(param: Any) -> bool:
    """Return whether an option asks more of a path than Typer does by itself."""
    asked: Any = param.type_descriptor.parameter_info
    return not (asked.file_okay and asked.dir_okay) or asked.writable or asked.resolve_path


def skip_adapters(parameters: Iterable[Any]) -> None:
    """Make these options and arguments pass plain values; where Typer has no adapters, nothing is different."""
    for parameter in parameters:
        if getattr(parameter, "_runtime_param", parameter) is None:
            parameter._runtime_param = PlainValue()  # noqa: SLF001  Typer has no other door
