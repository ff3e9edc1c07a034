"""The reference page of what Python programs and plug-ins import; the site puts signatures and docstrings in."""

from __future__ import annotations

import inspect
from types import ModuleType

import connector
from connector import blocking, plugins
from tools.markdown import table

__all__ = ["python"]

VALUES = {
    "GROUPS": "The entry point groups, each with the type of what its entry points name.",
    "JSON": "A JSON value as it comes out: `dict`, `list`, `str`, `int`, `float`, `bool` or `None`.",
    "JSONInput": "A JSON value as it goes in: any mapping, sequence or scalar.",
    "Secret": "A parameter that is shown nowhere.",
    "__version__": "The version of the installed distribution.",
    "fields": "The kinds of fields that steps, mappers, conditions and accessors declare.",
}
"""What cannot bear a docstring of its own."""


def python() -> str:
    """Return the page."""
    parts = [
        "# Python",
        "This page lists the API; every other module of `connector` is private and may change in any release.",
        "## `connector`: for programs",
        contents(connector),
        "## `connector.blocking`: for programs without an event loop",
        contents(blocking),
        "## `connector.plugins`: for authors of plug-ins",
        "[The guide](../guides/plugins.md) shows how to use them.",
        contents(plugins),
        "## In full",
    ]
    for module in (connector, blocking, plugins):
        names = [name for name in module.__all__ if documented(getattr(module, name))]
        parts += [f"::: {module.__name__}.{name}" for name in names]
    return "\n\n".join(parts)


def contents(module: ModuleType) -> str:
    """Return a table of a module's names, each with the first line of its docstring."""
    rows = [(f"`{name}`", VALUES.get(name) or summary(getattr(module, name))) for name in module.__all__]
    return table(("name", "what it is"), rows)


def summary(value: object) -> str:
    """Return the first line of a docstring of ours."""
    return (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ") if documented(value) else ""


def documented(value: object) -> bool:
    """Whether a value is a class, function or module of ours: values have the docstring of their type."""
    return (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__.startswith("connector")
