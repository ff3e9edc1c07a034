"""A configuration with a route for every kind of effect, and documents for it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tests.crash.chains import CHAINS, HOOKED, SOUGHT, incoming, offer_chains, outgoing

__all__ = ["KINDS", "LINES", "PLACES", "SETTLING", "TOTAL", "Kind", "configure", "offer"]

Promise = Literal["idempotent", "once", "told"]
"""Any number of times; at most once; more than once when the task says so."""
TOTAL, SETTLING = 3.0, 0.6
"""Seconds that a call may take, and that a list then has to show what it made."""
PLACES = 4
"""Documents of a route under way."""
LINES = {"ask": "answers.jsonl", "think": "thoughts.jsonl"}
"""The routes whose answers become lines of files."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the documents of one route bring about upstream."""

    effects: dict[str, Promise]
    gathers: bool = False
    reads: str = "file"


KINDS = {
    "upload": Kind({"POST /files": "once"}),
    "store": Kind({"POST /vector_stores": "once"}),
    "ask": Kind({"POST /chat/completions": "once"}),
    "again": Kind({"POST /chat/completions": "told"}),
    "del": Kind({"DELETE /files": "idempotent"}, reads="pages"),
    "think": Kind({"POST /chat/completions": "once", "POST /vector_stores": "once"}),
    "follow": Kind({"POST /files": "once"}, reads="think"),
    "embed": Kind({"POST /embeddings": "once"}, gathers=True),
}
CHAT = {"model": "m", "messages": [{"role": "user", "content": "&{doc}"}]}
FILE = {"purpose": "user_data", "file": {"$content": "&{content}"}}


def _to(client: str, entity: str, **request: Any) -> dict[str, Any]:
    parameters = {"client": client, "entity": entity}
    return {"request": request, "publisher": {"prototype": "openai", "parameters": parameters}}


def _lines(route: str) -> dict[str, Any]:
    chain = [{"expression": {"expression": "{doc: document.doc, content: document.content}"}}]
    return {"chain": chain, "publisher": {"prototype": "file", "parameters": {"url": LINES[route], "append": True}}}


def _outgoing(client: str) -> dict[str, Any]:
    thought = {"entity": "chat completions", "action": "create", "payload": CHAT, "destination": "thought"}
    thinks = {"openai": {"client": client, **thought}}
    gathers = {"aggregate": {"size": 3, "seconds": 0.1, "value": "&{doc}"}}
    return {
        **outgoing(partial(_to, client)),
        "upload": _to(client, "files", payload=FILE),
        "store": _to(client, "vector stores", payload={"name": "&{doc}"}),
        "ask": {**_to(client, "chat completions", payload=CHAT), "answer": _lines("ask")},
        "again": _to(client, "chat completions", payload=CHAT),
        "del": {
            "request": {"path": {"file_id": "&{doc}"}},
            "publisher": {
                "prototype": "openai",
                "parameters": {"client": client, "entity": "files", "action": "delete"},
            },
        },
        "think": {
            **_to(client, "vector stores", payload={"name": "&{doc}"}),
            "chain": [thinks],
            "answer": _lines("think"),
        },
        "follow": _to(client, "files", payload=FILE),
        "embed": {**_to(client, "embeddings", payload={"model": "m", "input": "&{items}"}), "chain": [gathers]},
    }


def _incoming(client: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: {"subscriber": {"prototype": "file", "parameters": {"url": f"in-{name}.jsonl"}}}
        for name, kind in KINDS.items()
        if kind.reads == "file"
    }
    asked = {"path": "/items", "query": {"after": "&{cursor}"}}
    paging = {"by": "cursor", "read": "next", "write": "query.after"}
    found["del"] = {
        "subscriber": {"prototype": "http", "parameters": {"client": "pages", "request": asked, "paging": paging}},
        "cursor": {"field": "n", "start": -1},
    }
    found["follow"] = {"subscriber": {"prototype": "route", "parameters": {"route": "think"}}}
    return found | incoming(client)


def configure(folder: Path, url: str, engine: str, client: str = "openai", attempts: int = 200) -> None:
    """Writes connector.yaml; the client may have another name than it had."""
    quick = {"max_retries": 0}
    # A call that was cut off may take as long as its time-out, and a list some time more; neither takes minutes here.
    waits = {"total": TOTAL, "settling": SETTLING}
    routes: dict[str, dict[str, Any]] = {
        name: {
            "incoming": name, "outgoing": name, "key": "doc", "concurrency": PLACES, "attempts": attempts,
            "retry_delay": 0.1, "max_delay": 0.5,
        }
        for name in (*KINDS, *CHAINS, SOUGHT, HOOKED)
    }  # fmt: skip
    read = [name for name in routes if name not in KINDS or KINDS[name].reads != "think"]
    del routes["lump"]["key"]
    routes[SOUGHT]["on_unknown"] = "retry"
    routes["again"]["on_unknown"] = "retry"
    routes["store"]["order"] = "group"
    routes["ask"]["budget"] = {"tokens": 10**9, "every": "day"}
    document = {
        "clients": {
            client: {
                "prototype": "openai",
                "parameters": {"token": "${KEY}", "base_uri": url, "retry": quick, "timeouts": waits},
            },
            "pages": {"prototype": "http", "parameters": {"base_uri": url, "retry": quick}},
        },
        "incoming": _incoming(client),
        "outgoing": _outgoing(client),
        "routes": routes,
        "schedules": {"always": {"every": "1s", "on_start": True, "run": [{"route": name} for name in read]}},
        "gateway": {"grace": "5s"},
        "engine": engine,
    }
    (folder / "connector.yaml").write_text(json.dumps(document, indent=1))


def offer(folder: Path, first: int, count: int) -> None:
    """Adds documents to what every route reads."""
    for name, kind in KINDS.items():
        if kind.reads != "file":
            continue
        with (folder / f"in-{name}.jsonl").open("a") as file:
            for n in range(first, first + count):
                document = {"doc": f"doc-{name}-{n:05}", "group": str(n % 3)}
                document["content"] = base64.b64encode(document["doc"].encode()).decode()
                file.write(json.dumps(document) + "\n")
    offer_chains(folder, first, count)
    (folder / "offered").write_text(str(first + count))
