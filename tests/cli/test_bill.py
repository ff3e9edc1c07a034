"""`bill reconcile`: what it shows, what it asks, and what it settles."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connector.cli.app import app
from connector.engine import TaskState
from connector.errors import ConnectorError
from tests.money.billed import World, open_world

Invoke = Callable[..., Any]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A day that is over, on which one call was lost after its effect, and one before it."""
    morning = datetime.fromtimestamp(time.time(), UTC).replace(hour=8, minute=0, second=7) - timedelta(days=3)
    async with open_world(tmp_path, morning=morning) as made:
        await made.say("good", "dropped after", "dropped before", apart=3000)
        made.bench.clock.now = time.time()
        parameters = {"token": "sk-of-the-route-0123456789", "base_uri": made.box.url}
        configuration = {
            "engine": "sqlite:///tasks.db",
            "clients": {
                "openai": {"prototype": "openai", "parameters": parameters},
                "admin": {"prototype": "openai", "parameters": {**parameters, "admin_token": "sk-admin-0123456789"}},
            },
        }
        (tmp_path / "connector.yaml").write_text(json.dumps(configuration), encoding="utf-8")
        yield made


@pytest.fixture
def invoke(world: World) -> Invoke:
    """Runs `bill reconcile` for the day, in a thread: the sandbox answers in this one."""

    async def run(*words: str) -> Any:
        given = [
            "bill",
            "reconcile",
            "--from",
            str(world.day),
            "-f",
            str(world.bench.folder / "connector.yaml"),
            *words,
        ]
        return await asyncio.to_thread(CliRunner().invoke, app, given)

    return run


async def test_it_shows_whose_cents_they_were_and_what_became_of_unknown_calls(invoke: Invoke, world: World) -> None:
    shown = await invoke("--alone", "--text")
    assert shown.exit_code == 0, shown.exception
    assert f"{world.day}: 0.00" in shown.stdout
    assert "through client admin" in shown.stdout
    assert "2 calls without a known end: 1 billed, 1 not billed, 0 cannot tell" in shown.stdout
    lines = [line for line in shown.stdout.splitlines() if line.startswith("task ")]
    assert [line.rpartition(" UTC: ")[2] for line in lines] == [
        "billed: the reports count 1 request beyond known calls, as many as are in doubt",
        "not billed: the reports count no request in its minutes",
    ]
    found = json.loads((await invoke("--alone", "--json", "--by", "task")).stdout)
    assert [(owner["owner"], owner["name"]) for owner in found["owners"]] == [
        ("task", "r 2"), ("task", "r 1"), ("elsewhere", ""),
    ]  # fmt: skip
    assert sum(owner["amount"] for owner in found["owners"]) == pytest.approx(found["charged"])
    assert found["verdicts"] == {"billed": 1, "not billed": 1, "cannot tell": 0}
    assert await world.bench.states() == {TaskState.FINISHED: 1, TaskState.UNKNOWN: 2}


async def test_it_settles_when_somebody_says_so_and_shows_it_first(invoke: Invoke, world: World) -> None:
    shown = await invoke("--alone", "--settle", "--json")
    assert shown.exit_code == 3
    assert "task 2 of route r: done: the reports count 1 request" in shown.stderr
    assert "task 3 of route r: queued again: the reports count no request" in shown.stderr
    assert "nothing was settled" in shown.stderr
    assert (await world.bench.states())[TaskState.UNKNOWN] == 2
    shown = await invoke("--alone", "--settle", "--yes", "--json")
    assert shown.exit_code == 0, shown.exception
    assert json.loads(shown.stdout)["settled"] == {"done": 1, "queued again": 1, "left": 0}
    assert (await world.bench.states())[TaskState.NEW] == 2
    world.box.faults.clear()
    await world.bench.until_ended()
    assert await world.bench.states() == {TaskState.FINISHED: 3}
    assert len([one for one in world.box.requests if one["operation"] == "chat completions create"]) == 4
    shown = await invoke("--settle", "--yes")
    assert "no unknown task can be settled by the reports" in shown.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "2020-01-01"], "the last day is before the first"),
        (["--late", "soon"], "--late 'soon': a length of time"),
        (["--key", "key_1"], "--key 'key_1': a client and the id of its key are needed"),
        (["--key", "opena=key_1"], "did you mean 'openai'"),
        (["--client", "adm"], "did you mean 'admin'"),
        (["--yes"], "give --settle with it"),
        (["--from", "2999-01-01"], "that day has not begun"),
    ],
)
async def test_options_that_cannot_be_are_refused(invoke: Invoke, words: list[str], said: str) -> None:
    shown = await invoke(*words)
    assert isinstance(shown.exception, ConnectorError)
    assert said in str(shown.exception)


async def test_without_an_admin_key_it_says_where_one_is_given(
    invoke: Invoke, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_ADMIN_KEY", raising=False)
    path = world.bench.folder / "connector.yaml"
    written = json.loads(path.read_text(encoding="utf-8"))
    del written["clients"]["admin"]
    path.write_text(json.dumps(written), encoding="utf-8")
    shown = await invoke()
    assert "no client has an admin key" in str(shown.exception)
