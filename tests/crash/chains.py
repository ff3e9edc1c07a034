"""Routes whose incoming connections call: documents for them, and what must have come of each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.engine import Task, TaskState

if TYPE_CHECKING:
    from tests.crash.formula import Evidence, Verdict

__all__ = ["ASKED", "CHAINS", "HOOKED", "SECRET", "SOUGHT", "incoming", "judge_chains", "offer_chains", "outgoing"]

ASKED, MADE, EMBEDDED = "POST /chat/completions", "POST /vector_stores", "POST /embeddings"
SOUGHT = "seek"
"""The route whose input chain calls; it delivers nowhere."""
HOOKED = "hook"
"""The route that gets events, each of which the upstream's client sends until it is acknowledged."""
SECRET = "whsec_c2VjcmV0LW9uZQ=="
AGAIN = "sent again although it may have taken effect before"
BY_HAND = "skipped by hand"


@dataclass(frozen=True, slots=True)
class Chain:
    """What comes of a document after it was paid for while it was read.

    Attributes:
        steps: those behind the call.
        makes: the names of what it makes of a document of a number.
        delivers: what each of these brings about.
    """

    steps: tuple[Any, ...]
    makes: Callable[[str], list[str]]
    delivers: str = MADE


def _number(document: str) -> str:
    return document.rpartition("-")[2]


EVEN = {"data": {"filters": [{"value-condition": {"accessor": "even", "conditions": [{"equals": True}]}}]}}
GATHERS = {"aggregate": {"size": 3, "seconds": 0.1, "value": "&{doc}"}}
CHAINS = {
    "muse": Chain((), lambda document: [document]),
    "split": Chain(({"brancher": "parts.*"},), lambda one: [f"doc-part{part}-{_number(one)}" for part in "ab"]),
    "sift": Chain((EVEN,), lambda document: [document] if int(_number(document)) % 2 == 0 else []),
    "lump": Chain((GATHERS,), lambda document: [document], EMBEDDED),
}


def _asks(client: str, said: str) -> dict[str, Any]:
    payload = {"model": "m", "messages": [{"role": "user", "content": said}]}
    asked = {"client": client, "entity": "chat completions", "action": "create", "payload": payload}
    return {"openai": {**asked, "destination": "thought"}}


def incoming(client: str) -> dict[str, Any]:
    """What reads the documents, and calls by this client."""
    found: dict[str, Any] = {
        name: {
            "subscriber": {"prototype": "file", "parameters": {"url": f"read-{name}.jsonl"}},
            "chain": [_asks(client, "&{doc}"), *chain.steps],
        }
        for name, chain in CHAINS.items()
    }
    asked = {"path": "/items", "query": {"of": SOUGHT, "after": "&{cursor}"}}
    paging = {"by": "cursor", "read": "next", "write": "query.after"}
    found[SOUGHT] = {
        "subscriber": {"prototype": "http", "parameters": {"client": "pages", "request": asked, "paging": paging}},
        "cursor": {"field": "n", "start": -1},
        "input": [_asks(client, "doc-input-@{task.number}"), {"expression": "{path: path, query: query}"}],
    }
    found[HOOKED] = {
        "subscriber": {"prototype": "webhook", "parameters": {"path": "/hooks/made", "secret": SECRET}},
        "chain": [_asks(client, "&{doc}")],
    }
    return found


def outgoing(to: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """Where they go; `to` makes a connection to an entity."""
    stores = {name: to("vector stores", payload={"name": "&{doc}"}) for name in ("muse", "split", "sift", HOOKED)}
    lump = to("embeddings", payload={"model": "m", "input": "&{items}"})
    return {**stores, "lump": lump, SOUGHT: {"publisher": {"prototype": "none"}}}


def offer_chains(folder: Path, first: int, count: int) -> None:
    """Adds documents to what these routes read."""
    for name in CHAINS:
        with (folder / f"read-{name}.jsonl").open("a") as file:
            for n in range(first, first + count):
                parts = [{"doc": f"doc-part{part}-{n:05}"} for part in "ab"]
                document = {"doc": f"doc-{name}-{n:05}", "even": n % 2 == 0, "parts": parts}
                file.write(json.dumps(document) + "\n")


def judge_chains(found: Evidence, verdict: Verdict) -> None:
    """Each document was taken on once, paid for once, and what came of it was delivered once."""
    for name, chain in CHAINS.items():
        _judge(name, chain, [f"doc-{name}-{n:05}" for n in range(found.offers)], found, verdict)
    _judge(HOOKED, Chain((), lambda document: [document]), found.hooked, found, verdict)
    for task in _of(found, f"{SOUGHT}:input"):
        _paid(task, f"doc-input-{task.id}", ASKED, found, verdict)
    sought = Counter(task.key for task in _of(found, SOUGHT))
    for n in range(found.offers):
        _once(sought, f"doc-{SOUGHT}-{n:05}", "read", verdict)


def _judge(name: str, chain: Chain, offered: Sequence[str], found: Evidence, verdict: Verdict) -> None:
    taken = _of(found, f"{name}:incoming")
    known = Counter(task.document["doc"] for task in taken)
    due: Counter[str] = Counter()
    for document in offered:
        _once(known, document, "taken on", verdict)
    for task in taken:
        document = task.document["doc"]
        _paid(task, document, ASKED, found, verdict)
        makes = chain.makes(document)
        if task.state is TaskState.SKIPPED and makes and task.reason != BY_HAND:
            verdict.breaches.append(f"{document} was dropped: {task.reason}")
        due.update(makes if task.state is TaskState.FINISHED else [])
    made = Counter(one for task in _of(found, name) for one in _documents(task))
    for one in sorted({*due, *made}):
        if made[one] != due[one]:
            verdict.lost += made[one] < due[one]
            verdict.breaches.append(f"{one} became {made[one]} tasks of {name}, and {due[one]} are due")
    for task in _of(found, name):
        for one in _documents(task):
            _paid(task, one, chain.delivers, found, verdict)


def _of(found: Evidence, route: str) -> list[Task]:
    return [task for task in found.tasks if task.route == route]


def _documents(task: Task) -> Sequence[str]:
    return task.document.get("items") or [task.document["doc"]]


def _once(counts: Counter[str], document: str, how: str, verdict: Verdict) -> None:
    if counts[document] != 1:
        verdict.lost += not counts[document]
        verdict.breaches.append(f"{document} was offered and {how} {counts[document]} times")


def _paid(task: Task, document: str, operation: str, found: Evidence, verdict: Verdict) -> None:
    """What was paid for a task: once when it is done, and no second time in silence."""
    times = found.effects.get((operation, document), 0)
    if task.state not in (TaskState.FINISHED, TaskState.SKIPPED, TaskState.UNKNOWN):
        verdict.breaches.append(f"{document} is {task.state} on {task.route}: {task.reason}")
    if not times and task.state in (TaskState.FINISHED, TaskState.SKIPPED) and task.reason != BY_HAND:
        verdict.lost += 1
        verdict.breaches.append(f"{document} is {task.state}, and {operation} never took effect")
    if times > 1 and AGAIN in task.reason and task.route == f"{SOUGHT}:input":
        verdict.repeated += times - 1
    elif times > 1:
        verdict.twice += times - 1
        verdict.breaches.append(
            f"{document} ({task.state}): {operation} took effect {times} times on {task.route}, told: {task.reason!r}"
        )
