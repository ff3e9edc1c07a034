"""A connection that publishes rows to a sandbox of the API, and what arrived there."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.request import urlopen

__all__ = ["arrived", "arrived_rows", "row_config", "write_row"]

NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def row_config(url: str, folder: Path, whole: str = "", **more: Any) -> dict[str, Any]:
    """The configuration of a destination or target: a vector store for each row, named by the row.

    Args:
        whole: what begins the names of rows that are their own names; without it, a row has one.
    """
    shelve: dict[str, Any] = {
        "publisher": {"prototype": "openai", "parameters": {"client": "openai", "entity": "vector stores"}},
        "request": {"payload": {"name": "&{name}"}},
    }
    if whole:
        shelve["chain"] = [{"expression": {"expression": "{row: @}"}}]
        shelve["request"] = {"payload": {"name": whole + "&{row}"}}
    document = {
        "clients": {
            "openai": {
                "prototype": "openai",
                "parameters": {"token": "${KEY}", "base_uri": url, "retry": {"max_retries": 0}},
            }
        },
        "outgoing": {"shelve": shelve},
    }
    return {
        "configuration": json.dumps(document),
        "outgoing": "shelve",
        "engine": f"sqlite:///{folder / 'rows.db'}",
        "variables": "KEY=sk-canary-0123456789",
        **more,
    }


def arrived(url: str) -> Counter[str]:
    """How often the sandbox was asked for each vector store, by its name."""
    with urlopen(url.removesuffix("/v1") + "/sandbox/requests", timeout=10) as answer:
        requests = [json.loads(line) for line in answer]
    posts = [one for one in requests if one["method"] == "POST" and one["path"].endswith("/vector_stores")]
    return Counter(one["payload"]["name"] for one in posts)


def arrived_rows(url: str, whole: str) -> dict[str, int]:
    """How often each row arrived that is its own name, as JSON."""
    found = {name.removeprefix(whole): times for name, times in arrived(url).items() if name.startswith(whole)}
    return {write_row(json.loads(row)): times for row, times in found.items()}


def write_row(row: Any) -> str:
    """A row as JSON, without what no document holds."""
    return NUL.sub(r"\1", json.dumps(row, sort_keys=True))
