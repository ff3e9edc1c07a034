"""A studio in process: a client for each role, over a store with tasks in every state."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.engine import Store, open_store
from connector.engine.postgresql.connection import SCHEMA
from connector.engine.search import Patience
from connector.pipeline import load_configuration
from connector.studio.app import create_app
from connector.studio.context import StudioContext
from tests.engine.conftest import postgres as postgres  # noqa: PLC0414  the fixture
from tests.engine.engines import Clock
from tests.engine.postgres import Database, PostgreSQL
from tests.studio.kit import CONFIGURATION, NOW, ORIGIN, TOKENS, fill

Bearer = Callable[[str], httpx.AsyncClient]


@pytest.fixture
def clock() -> Clock:
    """Seconds since 1970, standing still."""
    return Clock(NOW)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A configuration with two routes, a client that calls nothing, and a token for each role."""
    path = tmp_path / "shop" / "connector.yaml"
    path.parent.mkdir()
    path.write_text(CONFIGURATION, encoding="utf-8")
    return path


@pytest.fixture(params=["sqlite"])
async def store(request: pytest.FixtureRequest, source: Path, clock: Clock) -> AsyncGenerator[Store]:
    """The store of the configuration, with tasks in every state; `postgresql` where a test is marked so."""
    if request.param == "postgresql":
        database: Database = request.getfixturevalue("postgres")
        engine = PostgreSQL(await database.url())
        engine.clock = clock
        runner = await engine.open("runner")
        await runner.wait_for_change(60)  # until it listens: a connection that is broken off while it is made leaks
        await engine.run(f"ALTER SEQUENCE {SCHEMA}.task_ids RESTART")
        await fill(runner, clock)
        await runner.close()
        opened = await engine.open("studio", role="admin")
        await opened.wait_for_change(60)
        yield opened
        await engine.close()
    else:
        filled: Path = await request.getfixturevalue("filled")()
        shutil.copy(filled, source.with_name("connector.db"))
        opened = await open_store(f"sqlite:///{source.with_name('connector.db')}", clock=clock, role="admin")
        yield opened
        await opened.close()


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Awaitable[Path]]:
    """Gives a file that is a store with tasks in every state; it is made once, and copied."""
    path = tmp_path_factory.mktemp("studio") / "filled.db"

    async def make() -> Path:
        if not path.exists():
            clock = Clock(NOW)
            runner = await open_store(f"sqlite:///{path}", clock=clock)
            await fill(runner, clock)
            await runner.close()
        return path

    return make


@pytest.fixture
async def context(source: Path, store: Store, clock: Clock, tmp_path: Path) -> AsyncGenerator[StudioContext]:
    """What the parts of the studio share."""
    opened = StudioContext(
        source=source,
        configuration=load_configuration(source),
        store=store,
        origins=(ORIGIN,),
        pages=tmp_path / "pages",
        clock=clock,
        monotonic=clock,
        patience=Patience(sync=30.0, quick=30.0, narrow=60.0, whole=90.0),
    )
    yield opened
    await opened.close()


@pytest.fixture
async def connect(context: StudioContext) -> AsyncGenerator[Callable[..., httpx.AsyncClient]]:
    """Makes HTTP clients of the studio, with headers of their own."""
    app = create_app(context)
    async with AsyncExitStack() as stack:

        def make(**headers: str) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)
            stack.push_async_callback(client.aclose)
            return client

        yield make


@pytest.fixture
def bearer(connect: Callable[..., httpx.AsyncClient]) -> Bearer:
    """Makes a client with the token of a role."""
    return lambda role: connect(authorization=f"Bearer {TOKENS[role]}")


@pytest.fixture
async def browser(connect: Callable[..., httpx.AsyncClient], context: StudioContext) -> httpx.AsyncClient:
    """A client that has opened the printed link, as the pages do; it is an editor."""
    client = connect(origin=ORIGIN, **{"sec-fetch-site": "same-origin"})
    answer = await client.post("/api/v1/session", json={"code": context.sessions.make_code()})
    client.headers["x-csrf-token"] = answer.json()["csrf"]
    return client


@pytest.fixture
def call(bearer: Bearer) -> Callable[..., Awaitable[Any]]:
    """Calls an operation as an editor and returns its JSON; a problem fails the test with its words."""
    client = bearer("editor")

    async def send(method: str, path: str, **options: Any) -> Any:
        answer = await client.request(method, f"/api/v1{path}", **options)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    return send
