"""Values of options that are what they should be already: they pass without Typer's adapters.

Typer makes an adapter of pydantic's for each option of a command, given or not, and loading pydantic alone takes longer
than many a command runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["skip_adapters"]


class PlainValue:
    """Passes on nothing, and text where text is wanted; everything else is Typer's to check, and to convert."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value of an option as its command takes it."""
        many = param.multiple or param.nargs == -1
        if value is None:
            return () if many else None
        wanted: Any = param.type_descriptor.annotation
        if wanted is str and isinstance(value, str) and not many:
            return value
        if wanted == list[str] and many and not isinstance(value, str) and all(isinstance(one, str) for one in value):
            return list(value)
        param._runtime_param = None  # noqa: SLF001  so that Typer makes its own
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


def skip_adapters(parameters: Iterable[Any]) -> None:
    """Make these options and arguments pass plain values; where Typer has no adapters, nothing is different."""
    for parameter in parameters:
        if getattr(parameter, "_runtime_param", parameter) is None:
            parameter._runtime_param = PlainValue()  # noqa: SLF001  Typer has no other door
