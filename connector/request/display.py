"""Values as messages show them: short, and never a secret."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import cast

from connector.model import JSON
from connector.suggestions import closest, did_you_mean

__all__ = [
    "SECRET_NAME",
    "SECRET_VALUE",
    "describe_value",
    "join_names",
    "list_choices",
    "show_value",
]

MOST = 40
SECRET_VALUE = re.compile(
    r"\b(?:(?:sk|ek|sess|rk|ghp|xox[a-z])[-_][\w-]{16,}|gw-[\w-]{40,})"
    r"|(?<=\b[Bb]earer )[\w.~+/=-]{8,}"
    # A signed token: the run of letters is entered at its beginning only, or each `eyJ` in it would be read to its end.
    r"|(?<![\w-])(?=[\w-]++\.[\w.-])(?:[\w-]*?-)?eyJ[\w-]{10,}+\.[\w.-]+"
)
"""Texts that look like keys or tokens of any issuer."""
SECRET_NAME = re.compile(
    r"(?i)(^|[^a-z])(x[-_])?(api[-_]?key|(access|auth|refresh|bearer)?[-_]?token|(client[-_]?)?secret|password|passwd"
    r"|(proxy[-_])?authorization|credentials?|private[-_]?key|cookie)$"
)


def show_value(value: JSON, place: str = "") -> str:
    """Return a value in a few characters; what may be a secret is only named."""
    if isinstance(value, str):
        if SECRET_VALUE.search(value) or SECRET_NAME.search(place):
            return "a hidden text"
        return repr(value) if len(value) <= MOST else f"{value[: MOST - 3] + '...'!r}"
    if isinstance(value, dict | list | tuple):
        return describe_value(value)
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)[:MOST]


def describe_value(value: JSON, place: str = "") -> str:
    """Return a value by its JSON type, with the value itself where it is short."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        size = len(cast("list[JSON]", value))
        return f"an array of {size} item{'' if size == 1 else 's'}"
    if isinstance(value, str):
        return f"the text {show_value(value, place)}" if value else "an empty text"
    if isinstance(value, bool) or value is None:
        return show_value(value)
    return f"the number {show_value(value)}"


def join_names(names: Collection[str], most: int = 12) -> str:
    """Return names in a line, the first dozen of them."""
    line = ", ".join(list(names)[:most])
    return f"{line}, … ({len(names) - most} more)" if len(names) > most else line


def list_choices(value: JSON, options: list[JSON]) -> tuple[str, str]:
    """Return the choices there are, and the one that was probably meant."""
    unique = list(dict.fromkeys(show_value(option) for option in options))
    names = [option for option in options if isinstance(option, str)]
    hint = did_you_mean(closest(value, names)) if isinstance(value, str) else ""
    return f"allowed: {join_names(unique)}", hint
