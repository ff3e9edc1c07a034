"""A store with tasks in every state, a crowd of finished ones, and some whose every text is an attack."""

from __future__ import annotations

import time
from collections.abc import Sequence

from connector.engine import CallEnd, CallRecord, Change, NewTask, Settlement, Store, TaskState, open_store
from connector.model import JSON
from tests.studio.browser.attacks import ATTACKS
from tests.studio.kit import ANSWER, REQUEST

__all__ = ["CHUNK", "CROWD", "HOSTILE", "NAMED", "fill_store"]

CROWD = 600
"""So many that they are more than a page of the list."""
NAMED = {
    "lamp-1": TaskState.FINISHED,
    "lamp-2": TaskState.FAILED,
    "lamp-3": TaskState.UNKNOWN,
    "lamp-4": TaskState.SKIPPED,
    "lamp-5": TaskState.WAITING,
    "lamp-6": TaskState.FAILED,
    "lamp-7": TaskState.UNKNOWN,
    "edited": TaskState.FAILED,
    "elsewhere": TaskState.FAILED,
    "skipped": TaskState.WAITING,
    "settled": TaskState.UNKNOWN,
}
"""The tasks that tests read, and one for each test that changes it, so that their order does not matter."""
HOSTILE = "orders"
"""The route of the hostile documents."""
CHUNK = 40
REASONS = {
    TaskState.FAILED: "refused: 400 invalid_request_error: the prompt is empty",
    TaskState.UNKNOWN: "unknown: the connection was lost after the request had been sent",
    TaskState.SKIPPED: "skipped by hand",
    TaskState.WAITING: "429: rate limit reached",
}


async def fill_store(url: str) -> None:
    """Fill a new store."""
    store = await open_store(url)
    try:
        await _add_named(store)
        await _add_crowd(store)
        await _add_hostile(store)
    finally:
        await store.close()


async def _add_named(store: Store) -> None:
    documents: dict[str, JSON] = {
        key: {
            "id": key,
            "text": f"A question about {key}",
            "customer": {"country": "NL", "name": f"Anna {key[-1]}"},
            "notes": "x" * 10_000,
        }
        for key in NAMED
    }
    await store.commit(
        Change(accept=[NewTask(route="tickets", document=document, key=key) for key, document in documents.items()])
    )
    for task in await store.lease("tickets", len(NAMED)):
        await _settle(store, task.id, NAMED[task.key], REASONS.get(NAMED[task.key], ""))


async def _settle(store: Store, task: int, state: TaskState, reason: str) -> None:
    """Give a task one call, an end where its state has one, and its state."""
    now = time.time()
    if state is not TaskState.SKIPPED:
        call = CallRecord(
            task=task, attempt=1, number=0, fingerprint=f"f{task}", target="openai",
            operation="chat completions create", effect="opaque", request=REQUEST, started=now - 2,
        )  # fmt: skip
        await store.commit(Change(intend=[call]))
    ends: dict[TaskState, tuple[str, JSON]] = {
        TaskState.FINISHED: ("done", ANSWER),
        TaskState.FAILED: ("refused", {"status": 400, "body": {"error": {"message": "the prompt is empty"}}}),
        TaskState.WAITING: ("refused", {"status": 429}),
    }
    if state in ends:
        ended, outcome = ends[state]
        end = CallEnd(task=task, attempt=1, number=0, ended=now - 0.5, state=ended, outcome=outcome)
        await store.commit(Change(end=[end]))
    due = now + 3600 if state is TaskState.WAITING else 0.0
    await store.commit(Change(settle=[Settlement(task=task, state=state, reason=reason, due=due)]))


async def _add_crowd(store: Store) -> None:
    documents = [NewTask(route="orders", document={"id": f"o-{n}", "total": n}, key=f"o-{n}") for n in range(CROWD)]
    await store.commit(Change(accept=documents))
    leased = await store.lease("orders", CROWD)
    await store.commit(Change(settle=[Settlement(task=task.id, state=TaskState.FINISHED) for task in leased]))


async def _add_hostile(store: Store) -> None:
    """Add a task for each attack, in its key, reason and document; then few whose documents and calls hold all."""
    single = [
        NewTask(route=HOSTILE, document={"id": text, text: {text: [text]}, "columns": text}, key=f"{number} {text}")
        for number, text in enumerate(ATTACKS)
    ]
    chunks = [ATTACKS[first : first + CHUNK] for first in range(0, len(ATTACKS), CHUNK)]
    several = [
        NewTask(route=HOSTILE, document=_hold(chunk), key=f"chunk-{number}") for number, chunk in enumerate(chunks)
    ]
    await store.commit(Change(accept=[*single, *several]))
    leased = await store.lease(HOSTILE, len(single) + len(several))
    settled = [
        Settlement(task=task.id, state=TaskState.FAILED, reason=ATTACKS[number])
        for number, task in enumerate(leased[: len(single)])
    ]
    await store.commit(Change(settle=settled))
    for task, chunk in zip(leased[len(single) :], chunks, strict=True):
        await _fail_hostile(store, task.id, chunk)


def _hold(texts: Sequence[str]) -> JSON:
    """Return a document that holds texts as values, as names, and deep inside."""
    return {"texts": list(texts), "names": {text: text for text in texts}, "deep": {"er": [{"text": texts[0]}]}}


async def _fail_hostile(store: Store, task: int, texts: Sequence[str]) -> None:
    """Give a task a doubtful call and a refused one whose every part is an attack."""
    first = texts[0]
    for number in (0, 1):
        call = CallRecord(
            task=task, attempt=1, number=number, fingerprint=f"h{task}.{number}", target=first, operation=first,
            effect=texts[1], request={"method": "POST", "url": first, "body": _hold(texts)}, started=time.time() - 1,
        )  # fmt: skip
        await store.commit(Change(intend=[call]))
    answer: JSON = {
        "status": 400,
        "headers": {"x-request-id": first, **dict.fromkeys(texts, first)},
        "body": _hold(texts),
    }
    end = CallEnd(task=task, attempt=1, number=0, ended=time.time(), state="refused", outcome=answer)
    await store.commit(Change(end=[end]))
    await store.commit(Change(settle=[Settlement(task=task, state=TaskState.UNKNOWN, reason="\n".join(texts[:5]))]))
