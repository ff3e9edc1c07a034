"""Events: one watcher for all pages, what was missed, bounded queues, and nothing while nobody looks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx

from connector.engine import Change, NewTask, Store, open_store
from connector.runtime.route_control import pause_record
from connector.studio.context import StudioContext
from connector.studio.events import KEPT, MOST_WAITING, EventHub
from connector.studio.watcher import Watcher


async def read(stream: AsyncGenerator[bytes], count: int) -> list[tuple[str, Any]]:
    """The next events, without comments."""
    found: list[tuple[str, Any]] = []
    while len(found) < count:
        lines = (await asyncio.wait_for(anext(stream), 30)).decode().splitlines()
        fields = dict(line.split(": ", 1) for line in lines if line and not line.startswith(":"))
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


async def test_a_page_hears_first_what_is_the_case_then_what_changes() -> None:
    hub = EventHub()
    hub.publish("attention", {"failed": 1})
    stream = hub.stream()
    assert await read(stream, 1) == [("attention", {"failed": 1})]
    assert not hub.publish("attention", {"failed": 1}), "nothing has changed"
    hub.publish("attention", {"failed": 2})
    hub.publish("tasks", {"changed": [7]})
    assert await read(stream, 2) == [("attention", {"failed": 2}), ("tasks", {"changed": [7]})]
    await stream.aclose()


async def test_a_page_that_comes_back_hears_what_it_missed() -> None:
    hub = EventHub()
    for number in range(5):
        hub.publish("counts", {"n": number})
    stream = hub.stream(f"{hub._start}-3")
    assert await read(stream, 2) == [("counts", {"n": 3}), ("counts", {"n": 4})]
    await stream.aclose()


async def test_a_page_that_missed_too_much_or_comes_from_another_process_reads_everything_anew() -> None:
    hub = EventHub()
    for number in range(KEPT + 10):
        hub.publish("counts", {"n": number})
    for last in (f"{hub._start}-5", f"another-{KEPT}", f"{hub._start}-99999", "none"):
        stream = hub.stream(last)
        assert await read(stream, 2) == [("resync", {}), ("counts", {"n": KEPT + 9})]
        await stream.aclose()


async def test_a_slow_page_holds_nothing_up_and_is_told_to_read_anew() -> None:
    hub = EventHub()
    stream = hub.stream()
    assert (await anext(stream)).startswith(b"retry")
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    for number in range(10 * MOST_WAITING):
        hub.publish("tasks", {"changed": [number]})
    assert (await waiting) == f"id: {hub._start}-1000\nevent: resync\ndata: {{}}\n\n".encode()
    (subscription,) = hub._subscriptions
    assert len(subscription._waiting) <= MOST_WAITING
    await stream.aclose()


async def test_newer_figures_replace_older_ones_that_nobody_has_read() -> None:
    hub = EventHub()
    stream = hub.stream()
    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    for number in range(1000):
        hub.publish("counts", {"n": number})
    assert b'{"n":999}' in await waiting
    await stream.aclose()


async def test_a_silent_stream_says_that_it_is_alive_and_ends_with_the_studio() -> None:
    hub = EventHub()
    stream = hub.stream(heartbeat=0.001)
    await anext(stream)
    assert await anext(stream) == b": still here\n\n"
    hub.close()
    assert [chunk async for chunk in stream if not chunk.startswith(b":")] == []
    assert not hub.opened.is_set()


async def test_the_watcher_tells_what_another_process_changes(context: StudioContext, store: Store) -> None:
    url = f"sqlite:///{context.source.with_name('connector.db')}"
    watching = asyncio.create_task(Watcher(context, pause=0.01).run())
    stream = context.events.stream()
    first = dict(await read(stream, 4))
    assert first["attention"] == {"failed": 2, "unknown": 1, "paused": 0}
    assert first["counts"]["orders"] == {"failed": 1, "new": 1}
    assert first["config"]["etag"]
    runner = await open_store(url)
    await runner.commit(Change(accept=[NewTask(route="orders", document={})]))
    changed = dict(await read(stream, 2))
    assert changed["counts"]["orders"] == {"failed": 1, "new": 2}
    assert changed["tasks"] == {"changed": [9]}
    await context.commit(pause_record("orders", "closed", "ada", 1.0))
    told = dict(await read(stream, 2))
    assert told["attention"]["paused"] == 1
    assert told["routes"]["paused"] == {"orders": {"reason": "closed", "by": "ada", "since": 1.0}}
    context.source.write_text(context.source.read_text() + "\n# changed\n")
    context.changed.set()
    assert (await read(stream, 1))[0][0] == "config"
    watching.cancel()
    await stream.aclose()
    await runner.close()


async def test_a_broken_configuration_leaves_the_one_before_in_force(context: StudioContext) -> None:
    context.source.write_text("routes: {a: {}}\n")
    context.reload()
    assert list(context.configuration.routes) == ["tickets", "orders"]
    assert "routes.a" in context.faults


async def test_the_stream_is_sent_unbuffered(connect: Any, context: StudioContext) -> None:
    """A client of the ASGI transport reads a whole answer, so the stream is ended from here."""
    context.events.publish("attention", {"failed": 1})
    client: httpx.AsyncClient = connect(authorization="Bearer st-viewer-0123456789abcdef0123456789abcdef")
    asked = asyncio.create_task(client.get("/api/v1/events", headers={"last-event-id": ""}))
    await asyncio.wait_for(context.events.opened.wait(), 30)
    context.events.close()
    answer = await asked
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.text.endswith('-1\nevent: attention\ndata: {"failed":1}\n\n')
