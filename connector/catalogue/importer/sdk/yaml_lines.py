"""YAML with the same bytes every time: short values in flow style on one line, the rest in blocks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from connector.model import is_document, is_list

WIDTH = 140
PLAIN = re.compile(r"[A-Za-z_/$.][\w/$.=-]*( [\w/$.=-]+)*|[A-Za-z_/][\w/{}.-]*", re.ASCII)
NOT_PLAIN = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf"}


def scalar(value: Any, flow: bool = True) -> str:
    """One value: a plain word where YAML reads it as that string, JSON otherwise."""
    bare = isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in NOT_PLAIN
    return value if bare and not (flow and "{" in value) else json.dumps(value, ensure_ascii=False)


def flow(value: Any) -> str:
    """Any value on one line."""
    if is_document(value):
        return "{" + ", ".join(f"{scalar(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if is_list(value):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def lines(value: dict[str, Any], depth: int = 0, blocks: int = 2) -> Iterator[str]:
    """A mapping in block style; what fits on a line is written in flow style below the first `blocks` levels."""
    pad = "  " * depth
    for key, inner in value.items():
        head = f"{pad}{scalar(key, flow=False)}:"
        one = f"{head} {flow(inner)}"
        if not (is_document(inner) or is_list(inner)) or not inner or (depth >= blocks and len(one) <= WIDTH):
            yield one
        elif is_document(inner):
            yield head
            yield from lines(inner, depth + 1, blocks)
        else:
            yield head
            yield from _items(list(inner), depth + 1, blocks)


def _items(values: list[Any], depth: int, blocks: int) -> Iterator[str]:
    pad = "  " * depth
    for value in values:
        one = f"{pad}- {flow(value)}"
        if is_document(value) and value and len(one) > WIDTH:
            first, *rest = lines(value, depth + 1, min(blocks, depth + 1))
            yield f"{pad}- {first.strip()}"
            yield from rest
        else:
            yield one
