"""Examples run in a click: against a sandbox, beside everything that is the reader's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from connector.config import Configuration
from connector.engine import Store, TaskState, open_store
from connector.pipeline import load_configuration
from connector.studio.context import StudioContext
from connector.studio.examples import INPUTS, LIVE, MOST, Examples, list_examples, prepare

Bearer = Callable[[str], httpx.AsyncClient]
LINK = "http://127.0.0.1:1/#code=made-up"


class Opened:
    """A studio that was opened for an example."""

    def link(self) -> str:
        return LINK


class Opener:
    """Opens no server, but the store, as a studio does; and remembers for what."""

    def __init__(self) -> None:
        self.sources: list[Path] = []
        self.stores: list[Store] = []
        self.open = 0

    @asynccontextmanager
    async def __call__(self, source: Path, configuration: Configuration) -> AsyncGenerator[Opened]:
        assert configuration.routes
        self.sources.append(source)
        store = await open_store(configuration.engine_url, role="admin")
        self.stores.append(store)
        self.open += 1
        yield Opened()
        self.open -= 1
        await store.close()


@pytest.fixture
async def opener(context: StudioContext) -> AsyncGenerator[Opener]:
    """What opens the studios of examples."""
    opener = Opener()
    context.examples = Examples(opener)
    yield opener
    await context.examples.close()
    assert opener.open == 0
    assert not any(source.exists() for source in opener.sources)


async def test_every_example_says_what_it_does(bearer: Bearer) -> None:
    answer = (await bearer("viewer").get("/api/v1/examples")).json()
    assert [item["name"] for item in answer["items"]] == list(INPUTS)
    assert {"name": "moderation-queue", "title": "Moderation queue"}.items() <= answer["items"][1].items()
    assert all(item["text"].endswith(".") and 2 <= item["documents"] <= MOST for item in answer["items"])


async def test_another_machine_is_offered_none(bearer: Bearer, context: StudioContext, opener: Opener) -> None:
    context.origins = ("https://studio.example", *context.origins)
    client = bearer("editor")
    assert (await client.get("/api/v1/examples")).json()["items"] == []
    assert (await client.post("/api/v1/examples/product-copy/run")).status_code == 409
    assert opener.sources == []


async def test_it_runs_to_its_end_in_a_folder_of_its_own(bearer: Bearer, opener: Opener) -> None:
    answer = await bearer("editor").post("/api/v1/examples/product-copy/run")
    assert (answer.status_code, answer.json()) == (201, {"link": LINK})
    (source,) = opener.sources
    (store,) = opener.stores
    async with asyncio.timeout(30):
        while not (counts := await store.counts()) or any(
            counts[route].get(state) for route in counts for state in (TaskState.NEW, TaskState.PROCESSING)
        ):
            await store.wait_for_change(0.05)
    assert {route: dict(states) for route, states in counts.items() if ":" not in route} == {
        "texts": {TaskState.FINISHED: 6},
        "pictures": {TaskState.FINISHED: 6},
    }
    assert (source.parent / "out" / "copy.jsonl").is_file()


async def test_another_one_ends_the_one_before(bearer: Bearer, opener: Opener) -> None:
    client = bearer("editor")
    for name in ("moderation-queue", "route-by-decision"):
        assert (await client.post(f"/api/v1/examples/{name}/run")).status_code == 201
    first, second = opener.sources
    assert (first.exists(), second.exists(), opener.open) == (False, True, 1)


async def test_only_editors_run_one_and_only_known_ones(bearer: Bearer, opener: Opener) -> None:
    assert (await bearer("operator").post("/api/v1/examples/product-copy/run")).status_code == 403
    answer = await bearer("editor").post("/api/v1/examples/..%2F..%2Fetc/run")
    assert answer.status_code == 404
    assert opener.sources == []


async def test_what_cannot_start_says_why(context: StudioContext) -> None:
    @asynccontextmanager
    async def refuse(source: Path, configuration: Configuration) -> AsyncGenerator[Opened]:
        raise OSError("no port is free")
        yield Opened()

    with pytest.raises(OSError, match="no port is free"):
        await Examples(refuse).start("product-copy")


@pytest.mark.parametrize("name", INPUTS)
def test_prepared_example_reaches_the_sandbox_alone(tmp_path: Path, name: str) -> None:
    source = prepare(name, tmp_path, "http://127.0.0.1:9/v1")
    configuration = load_configuration(source)
    assert {client.raw_parameters["base_uri"] for client in configuration.clients.values()} == {"http://127.0.0.1:9/v1"}
    assert LIVE not in source.read_text(encoding="utf-8")
    found = {example.name: example.documents for example in list_examples()}
    lines = (source.parent / INPUTS[name]).read_text(encoding="utf-8").splitlines()
    assert len(lines) - INPUTS[name].endswith(".csv") == found[name]
