"""A store with many tasks of about 1 kB, written straight into its tables; rare and frequent values are known."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import apsw
import asyncpg
import orjson

from connector.engine import TaskState, open_store
from connector.engine.sqlite.rows import CODES

__all__ = ["RARE_KEY", "RARE_REASON", "RARE_TEXT", "fill"]

ROUTES = ("tickets", "invoices", "embeddings", "moderation", "summaries", "old")
RARE_KEY, RARE_REASON, RARE_TEXT = "key-0000007", "flux capacitor", "a wild quagga"
STEMS = ("order", "ship", "pay", "break", "install", "set", "load", "price", "help", "count")
WORDS = ["laptop", "refund", "invoice", "screen", *(f"{one}{two}" for one in ("re", "un", "over") for two in STEMS)]
REASONS = ("refused with 400: the model does not exist", "refused with 429: slow down", "no end after 5 attempts")
STATES = random.Random(1).choices(
    [TaskState.FINISHED, TaskState.FAILED, TaskState.SKIPPED, TaskState.UNKNOWN, TaskState.WAITING, TaskState.NEW],
    [90, 5, 1, 0.02, 2, 1.98],
    k=9973,
)
BEGAN = 1_780_000_000.0
GROUP = 10_000


def make_tasks(tasks: int) -> Iterator[tuple[Any, ...]]:
    """Yield id, route, state, key, attempts, reason, created, updated, due and the document of each task."""
    chance = random.Random(7)
    for number in range(1, tasks + 1):
        old = number <= tasks // 20
        state = TaskState.FINISHED if old else STATES[number % len(STATES)]
        text = RARE_TEXT if number % 250_000 == 77_777 else " ".join(chance.choices(WORDS, k=110))
        document = {
            "custom_id": f"T-{number:07d}", "priority": number % 5, "tags": chance.choices(WORDS, k=2),
            "customer": {"tier": chance.choice(("free", "pro", "team")), "email": f"u{number * 7919 % 10**6}@a.test"},
            "token": f"{chance.getrandbits(64):016x}", "text": text,
        }  # fmt: skip
        reason = chance.choice(REASONS) if state in (TaskState.FAILED, TaskState.UNKNOWN) else ""
        reason = RARE_REASON if number % 300_000 == 123_456 else reason
        created = BEGAN + number * 0.05
        due = created + 86_400 if state is TaskState.WAITING else 0.0
        yield (
            number, "old" if old else ROUTES[number % 5], state, f"key-{number * 7919 % tasks:07d}", 1 + number % 3,
            reason, created, created + chance.random() * 600, due, orjson.dumps(document),
        )  # fmt: skip


async def fill(url: str, tasks: int) -> None:
    """Fill an empty store."""
    await (await open_store(url)).close()
    if url.startswith("sqlite"):
        _fill_file(url.removeprefix("sqlite:///"), tasks)
    else:
        await _fill_database(url, tasks)


def _fill_file(path: str, tasks: int) -> None:
    connection = apsw.Connection(path)
    connection.execute("PRAGMA synchronous = OFF")
    for number, name in enumerate(ROUTES, 1):
        connection.execute("INSERT INTO routes VALUES (?, ?)", (number, name))
    ids = {name: number for number, name in enumerate(ROUTES, 1)}
    counts: Counter[tuple[int, int]] = Counter()
    rows, documents = list[Any](), list[Any]()
    for number, route, state, key, attempts, reason, created, updated, due, document in make_tasks(tasks):
        queue = {TaskState.NEW: 1, TaskState.WAITING: 2}.get(state, 0)
        code = CODES[state]
        counts[ids[route], code] += 1
        rows.append((number, ids[route], code, queue, due, attempts, updated, reason, None, 0, 0))
        documents.append((number, key, "1", "", 0, created, document))
        if len(rows) == GROUP or number == tasks:
            with connection:
                connection.executemany(
                    "INSERT INTO tasks (id, route, state, queue, due, attempts, updated, reason, ord, carrier, members)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    rows,
                )
                connection.executemany("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)", documents)
            rows, documents = [], []
    with connection:
        connection.executemany("INSERT INTO counts VALUES (?, ?, ?)", [(*at, n) for at, n in counts.items()])
        connection.execute("UPDATE meta SET task = ?", (tasks,))
    connection.close()


async def _fill_database(url: str, tasks: int) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": "openai_connector"})
    counts: Counter[tuple[str, str]] = Counter()
    columns = ("id", "route", "state", "key", "attempts", "reason", "created", "updated", "due", "document",
               "version", "ord", "trace", "source")  # fmt: skip
    group = list[Any]()
    for number, route, state, *rest in make_tasks(tasks):
        counts[route, state.value] += 1
        group.append((number, route, state.value, *rest, "1", "", "", 0))
        if len(group) == GROUP or number == tasks:
            await connection.copy_records_to_table("tasks", records=group, columns=columns)
            group = []
    for (route, state), number in counts.items():
        await connection.execute("INSERT INTO counts VALUES ($1, $2, '', $3)", route, state, number)
    await connection.execute("SELECT setval('task_ids', $1)", tasks)
    await connection.execute("ANALYZE tasks")
    await connection.close()
