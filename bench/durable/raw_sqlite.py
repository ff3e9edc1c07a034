"""The rows and commits of a durable delivery without our engine: our publisher, and a thread that groups commits."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import orjson

from bench.durable.worker import Watch
from bench.exchange import TOKEN, payload
from connector import Client, Publisher

PACKAGES = ("aiohttp", "orjson")
TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE tasks (id INTEGER PRIMARY KEY, state INTEGER, document BLOB);
CREATE TABLE calls (id INTEGER PRIMARY KEY, request BLOB);
CREATE TABLE ends (id INTEGER PRIMARY KEY, outcome BLOB);
"""
ACCEPT = "INSERT INTO tasks VALUES (?, 0, ?)"
LEASE = "UPDATE tasks SET state = 1 WHERE id = ?"
INTEND = "INSERT INTO calls VALUES (?, ?)"
END = "INSERT INTO ends VALUES (?, ?)"
SETTLE = "UPDATE tasks SET state = 2 WHERE id = ?"

Statement = tuple[str, Sequence[Any]]
Work = tuple[list[Statement], "asyncio.Future[None]"]


class Writer:
    """Puts everything that waits into one transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def commit(self, *statements: Statement) -> asyncio.Future[None]:
        future: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((list(statements), future))
        return future

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.executescript(TABLES)
        while (work := self._queue.get()) is not None:
            works = [work, *self._waiting()]
            connection.execute("BEGIN IMMEDIATE")
            for statements, _ in works:
                for sql, values in statements:
                    connection.execute(sql, values)
            connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(lambda done=works: [future.set_result(None) for _, future in done])
        connection.close()

    def _waiting(self) -> Iterator[Work]:
        while True:
            try:
                work = self._queue.get_nowait()
            except Empty:
                return
            if work is None:
                self._queue.put(None)
                return
            yield work


async def deliver(base: str, place: str, tasks: int, in_flight: int, watch: Watch) -> int:
    async with Client("openai", token=TOKEN, base_uri=base) as client:
        publisher = Publisher(client, "chat completions", "create")
        writer = Writer(Path(place) / "raw.db")
        warm, numbers = range(1, in_flight + 1), iter(range(in_flight + 1, in_flight + tasks + 1))
        try:
            await asyncio.gather(*(_keep_on(publisher, writer, iter((number,))) for number in warm))
            with watch.running():
                return sum(await asyncio.gather(*(_keep_on(publisher, writer, numbers) for _ in range(in_flight))))
        finally:
            writer.close()


async def _keep_on(publisher: Publisher, writer: Writer, numbers: Iterator[int]) -> int:
    done = 0
    for number in numbers:
        request: dict[str, Any] = {"payload": payload(number)}
        data = orjson.dumps(request)
        await writer.commit((ACCEPT, (number, data)), (LEASE, (number,)), (INTEND, (number, data)))
        outcome = await publisher.publish(request)
        told = orjson.dumps({"status": outcome.status, "headers": outcome.headers, "body": outcome.require()})
        await writer.commit((END, (number, told)), (SETTLE, (number,)))
        done += 1
    return done
