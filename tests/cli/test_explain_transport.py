"""`explain ROUTE --transport`: how a document would go that comes now, by when, for how much, and why."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connector.cli.app import app
from connector.engine import Change, NewTask, open_store

CONFIGURATION = """
clients:
  openai: {prototype: openai, parameters: {base_uri: "http://127.0.0.1:9/v1", token: any}}
incoming:
  greetings: {subscriber: {prototype: file, parameters: {url: greetings.jsonl}}}
outgoing:
  translate:
    request: {payload: {model: MODEL, input: "To French: &{text}"}}
    publisher: {prototype: openai, parameters: {client: openai, entity: responses}}
    transport: TRANSPORT
routes:
  translate: {incoming: greetings, outgoing: translate, WHEN, transports: [flex, priority, window-8h, window-2h]}
engine: "sqlite:///tasks.db"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def explain(here: Path, when: str, model: str = "gpt-6.1-terra", transport: str = "batch", *more: str) -> Any:
    text = CONFIGURATION.replace("WHEN", when).replace("MODEL", model).replace("TRANSPORT", transport)
    (here / "connector.yaml").write_text(text)
    return CliRunner().invoke(app, ["explain", "translate", "--transport", *more])


def test_every_transport_with_its_price_and_time(here: Path) -> None:
    found = json.loads(explain(here, "within: 20h").stdout)
    names = [one["name"] for one in found["transports"]]
    assert names == ["flex", "batch", "window-8h", "window-2h", "standard", "priority"]
    assert [one["price"] for one in found["transports"]] == [0.5, 0.5, 0.6, 0.7, 1.0, 2.0]
    standard = 1_000 * 1.00 / 1e6 + 300 * 5.00 / 1e6  # a usual call, as long as none is known
    assert [one["cost"] for one in found["transports"]] == pytest.approx(
        [standard * p for p in (0.5, 0.5, 0.6, 0.7, 1, 2)]
    )
    assert (found["transport"], found["late"], found["model"]) == ("flex", False, "gpt-6.1-terra")
    assert found["reason"] == "flex: 95 % take 15 min here, needed in 20.0 h"
    assert datetime.fromisoformat(found["needed"]).timestamp() - datetime.fromisoformat(
        found["now"]
    ).timestamp() == pytest.approx(72_000, abs=1)
    assert not (here / "tasks.db").exists(), "to look at what is known makes nothing"


def test_a_batch_says_when_it_would_move_up(here: Path) -> None:
    found = json.loads(explain(here, "within: 20h", "gpt-6.2-sol").stdout)
    assert [one["name"] for one in found["transports"]] == ["batch", "standard"]
    assert found["transport"] == "batch"
    assert found["now"] < found["moves_up"] < found["needed"]
    assert "moves up when" in found["reason"]


def test_what_no_longer_fits_is_named_as_such(here: Path) -> None:
    found = json.loads(explain(here, "within: 1h").stdout)
    fits = {one["name"]: one["in_time"] for one in found["transports"]}
    assert fits == {
        "flex": False, "batch": False, "window-8h": False, "window-2h": False, "standard": True, "priority": True
    }  # fmt: skip
    assert (found["transport"], found["moves_up"]) == ("standard", None)


def test_what_is_under_way_is_counted(here: Path) -> None:
    async def fill() -> None:
        store = await open_store(f"sqlite:///{here / 'tasks.db'}")
        batch = {"model": "m", "requests": 40_000, "bytes": 1}
        await store.commit(Change(accept=[NewTask(route="translate:batch", document=batch)]))
        await store.close()

    before = json.loads(explain(here, "within: 20h").stdout)
    asyncio.run(fill())
    after = json.loads(explain(here, "within: 20h").stdout)
    needs = [next(one["needs"] for one in found["transports"] if one["name"] == "batch") for found in (before, after)]
    assert needs[1] - needs[0] == pytest.approx(40_000 / 16 * 10)


@pytest.mark.parametrize(
    ("when", "transport", "more", "says"),
    [
        ("priority: 1", "batch", [], "chooses no transport"),
        ("within: 6h", "background", [], "all of its requests go by transport: background"),
        ("within: 6h", "batch", ["--document", "{}"], "--document cannot be given with it"),
    ],
)
def test_what_has_no_choice_says_so(here: Path, when: str, transport: str, more: list[str], says: str) -> None:
    found = explain(here, when, "gpt-6.1-terra", transport, *more)
    assert found.exit_code
    assert says in f"{found.output} {found.exception}"
