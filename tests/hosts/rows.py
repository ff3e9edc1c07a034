"""A connection that publishes rows to a sandbox of the API, and what arrived there."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.request import urlopen

__all__ = ["arrived", "row_config"]


def row_config(url: str, folder: Path, name: str = "&{name}", **more: Any) -> dict[str, Any]:
    """The configuration of a destination or target: a vector store for each row, named by the row or a part of it."""
    document = {
        "clients": {
            "openai": {
                "prototype": "openai",
                "parameters": {"token": "${KEY}", "base_uri": url, "retry": {"max_retries": 0}},
            }
        },
        "outgoing": {
            "shelve": {
                "publisher": {"prototype": "openai", "parameters": {"client": "openai", "entity": "vector stores"}},
                "request": {"payload": {"name": name}},
            }
        },
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
