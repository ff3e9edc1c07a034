"""openai-connector: a route from a file of lines to chat completions, as `run --once` does it, tasks kept at a URL."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import orjson

from bench.durable.worker import Watch
from bench.exchange import TOKEN, payload
from connector.cli.garbage import infrequent_collection
from connector.config import parse
from connector.engine import TaskState, open_store
from connector.pipeline import Runtime, kinds
from connector.runtime.plan import Plan
from connector.runtime.runner import Runner

PACKAGES = ("aiohttp", "apsw", "asyncpg", "orjson")


async def deliver(base: str, place: str, tasks: int, in_flight: int, watch: Watch) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configuration = parse(declared(base, place, in_flight), folder=folder, environ={}, kinds=kinds())
        store = await open_store(configuration.engine_url)
        try:
            async with Runtime(configuration) as runtime:
                fleet = not place.startswith("sqlite:")
                plan = Plan.of(configuration, ())
                # Connections and schemas are there when the watch runs, as with the others.
                write_lines(folder / "in.jsonl", in_flight)
                await Runner(runtime, store, plan, once=True, fleet=fleet).run()
                write_lines(folder / "in.jsonl", in_flight + tasks)
                runner = Runner(runtime, store, plan, once=True, fleet=fleet)
                with infrequent_collection(), watch.running():
                    ended = (await runner.run()).ended
        finally:
            await store.close()
    return ended.get("bench", {}).get(TaskState.FINISHED, 0)


def write_lines(path: Path, tasks: int, first: int = 0) -> None:
    """One request a line."""
    lines = (orjson.dumps({"payload": payload(number)}) for number in range(first, first + tasks))
    path.write_bytes(b"\n".join(lines) + b"\n")


def declared(base: str, engine: str, in_flight: int) -> dict[str, Any]:
    """The configuration of one route."""
    asks = {"prototype": "openai", "parameters": {"client": "api", "entity": "chat completions", "action": "create"}}
    return {
        "clients": {"api": {"prototype": "openai", "parameters": {"token": TOKEN, "base_uri": base}}},
        "incoming": {"lines": {"subscriber": {"prototype": "file", "parameters": {"url": "in.jsonl"}}}},
        "outgoing": {"asks": {"concurrency": in_flight, "publisher": asks}},
        "engine": engine,
        "routes": {"bench": {"incoming": "lines", "outgoing": "asks"}},
    }
