"""Texts as nginx's configuration wants them."""

from __future__ import annotations

import re

from connector.gateway.export.plan import Header, Source

__all__ = ["interpolated", "quoted"]

PLAIN = re.compile(r"[A-Za-z0-9_./:-]+")


def quoted(text: str) -> str:
    """A word; what nginx would read as something else is kept from it."""
    if PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def interpolated(value: Header) -> str:
    """A header's value, in which only names of secrets stand for something else."""
    return quoted("".join(_part(part) for part in value))


def _part(part: str | Source) -> str:
    if isinstance(part, Source):
        return f"${{{part.name}}}"
    return part.replace("$", "${gateway_dollar}")
