"""How the worker reaches a server that asks who it is, and a journal that several workers share."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.worker import Worker

from connector.aio.tasks import cancel_all
from connector.errors import ConfigurationError
from connector.hosts.temporal.worker import connect, serve
from connector.pipeline import load_configuration
from tests.engine.postgres import Database
from tests.hosts.temporal.front import CERTIFICATES, KEY, Front
from tests.hosts.temporal.rig import Bench, Server, bench
from tests.hosts.temporal.test_activities import Gate
from tests.hosts.temporal.workflows import Ask

TRUSTED = {"ca": str(CERTIFICATES / "ca.pem")}
SHOWN = {"certificate": str(CERTIFICATES / "client.pem"), "key": str(CERTIFICATES / "client.pem")}


def _load(own: Bench, **temporal: Any) -> Any:
    path = own.folder / "connector.json"
    path.write_text(json.dumps({**own.configuration, "temporal": {**own.configuration["temporal"], **temporal}}))
    return load_configuration(path, {"TEMPORAL_KEY": KEY, "OTHER_KEY": "tmprl-canary-of-another"})


@pytest.mark.parametrize("way", ["with_key", "with_certificate"])
async def test_a_worker_works_behind_tls(server: Server, front: Front, tmp_path: Path, way: str) -> None:
    more = {"api_key": "${TEMPORAL_KEY}"} if way == "with_key" else {}
    tls = TRUSTED if way == "with_key" else {**TRUSTED, **SHOWN, "server_name": "localhost"}
    async with bench(server, tmp_path) as own:
        configuration = _load(own, address=getattr(front, way), tls=tls, task_queue=own.queue, **more)
        is_ready, stopping = asyncio.Event(), asyncio.Event()
        said: list[str] = []

        def say(text: str) -> None:
            said.append(text)
            is_ready.set()

        serving = asyncio.create_task(serve(configuration, say, stopping))
        try:
            waiting = asyncio.create_task(is_ready.wait())
            await asyncio.wait((waiting, serving), return_when=asyncio.FIRST_COMPLETED)
            assert is_ready.is_set(), serving
            async with Worker(own.client, task_queue=own.queue, workflows=[Ask]):
                answer = await own.ask("publish greet", {"name": "Ada"})
            assert answer["text"] == "re: Greet Ada."
            stopping.set()
            await serving
        finally:
            await cancel_all(serving)
        assert len(own.upstream.posts) == 1
        assert KEY not in str(said)


@pytest.mark.parametrize(
    ("way", "temporal"),
    [
        ("with_key", {"tls": TRUSTED, "api_key": "${OTHER_KEY}"}),
        ("with_key", {"tls": TRUSTED}),
        ("with_key", {"api_key": "${TEMPORAL_KEY}"}),
        ("with_certificate", {"tls": TRUSTED}),
        ("with_certificate", {"tls": {**SHOWN, "server_name": "localhost"}}),
    ],
    ids=["another key", "no key", "a server nobody trusts", "no certificate", "an authority nobody named"],
)
async def test_a_server_that_turns_the_worker_away_is_told_at_once(
    server: Server, front: Front, tmp_path: Path, way: str, temporal: Any
) -> None:
    async with bench(server, tmp_path) as own:
        configuration = _load(own, address=getattr(front, way), **temporal)
        with pytest.raises(ConfigurationError) as caught:
            await asyncio.wait_for(connect(configuration), 60)
    assert "are tls and api_key what it asks for?" in str(caught.value)
    assert "canary" not in str(caught.value)


async def test_a_certificate_without_its_key_is_a_fault(server: Server, tmp_path: Path) -> None:
    async with bench(server, tmp_path) as own:
        for tls, words in (
            ({"certificate": SHOWN["certificate"]}, "certificate and key belong together"),
            ({"ca": "nowhere.pem"}, "temporal.tls.ca: nowhere.pem cannot be read"),
        ):
            with pytest.raises(ConfigurationError, match=words):
                await connect(_load(own, tls=tls))


async def test_workers_share_a_journal_in_postgresql(server: Server, postgres: Database, tmp_path: Path) -> None:
    gate, key = Gate(), {"key": "order-17"}
    async with (
        bench(server, tmp_path, gate, engine=await postgres.url()) as own,
        own.worker(max_concurrent_activities=1),
        replace(own, client=await server.connect()).worker(max_concurrent_activities=1),
    ):
        handles = [await own.start("publish greet", {"name": "Ada"}, key) for _ in range(4)]
        await gate.reached.wait()
        await _until_two_are_at_work(handles)
        gate.open.set()
        answers = [await handle.result() for handle in handles]
        assert [one["text"] for one in answers] == ["re: Greet Ada."] * 4
        assert len(own.upstream.posts) == 1


async def _until_two_are_at_work(handles: list[Any]) -> None:
    """Waits until each worker has an activity, so that one of them makes the call that the other waits for."""
    async with asyncio.timeout(60):
        while True:
            shown = [await handle.describe() for handle in handles]
            begun = [one for each in shown for one in each.raw_description.pending_activities if one.attempt]
            if sum(one.HasField("last_started_time") for one in begun) >= 2:
                return
            await asyncio.sleep(0.05)
