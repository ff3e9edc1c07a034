"""Forecasts of a route before scripted answers: nothing is sent, nothing moves, and what is said then comes true."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from connector.cli.app import app
from connector.engine import TaskState
from connector.money.forecast import Forecast, forecast_route
from tests.delivery.conftest import Bench

Make = Callable[..., Any]
PRICE = {"prices": {"gpt-5-mini": {"input": 1.0, "output": 10.0}}}


def write(folder: Path, count: int, text: str = "Where is my parcel? It is late.") -> None:
    lines = [json.dumps({"id": number, "text": f"{text} {number}"}) for number in range(count)]
    (folder / "in.jsonl").write_text("\n".join(lines))


def answering(received: Callable[[int], int], sent: int = 40) -> Any:
    calls: list[int] = []

    def answer(_: httpx.Request) -> httpx.Response:
        calls.append(1)
        usage = {"prompt_tokens": sent, "completion_tokens": received(len(calls))}
        return httpx.Response(200, json={"id": "c", "choices": [{"message": {"content": "x"}}], "usage": usage})

    return answer


async def foretell(bench: Bench, **options: Any) -> Forecast:
    return await forecast_route(bench.runtime, bench.store, "r", timing=bench.shared.timing, **options)


async def test_without_history_it_is_a_guess_with_a_wide_interval(bench: Make, tmp_path: Path) -> None:
    write(tmp_path, 30)
    one = await bench(sections=PRICE)
    found = await foretell(one)
    assert found.documents == {"read": 30, "new": 30.0, "waiting": 0}
    assert found.certainty == "guess"
    assert found.money is not None
    assert found.money.p95 > 2 * found.money.p50 > 0
    assert any("answers of" in said for said in found.basis.assumed)
    assert one.upstream.requests == []
    assert (await one.store.counts()) == {}
    assert await one.store.cursor("r") is None


async def test_the_past_tells_what_the_rest_costs(bench: Make, tmp_path: Path) -> None:
    write(tmp_path, 500)
    one = await bench(answering(lambda number: 100 + 40 * (number % 5)), sections=PRICE)
    await one.accept(*[{"text": f"Where is my parcel? It is late. {number}"} for number in range(100)])
    await one.until_ended()
    found = await foretell(one)
    assert found.money is not None
    actual = 500 * (40 * 1.0 + 180 * 10.0) / 1e6
    assert abs(found.money.p50 - actual) < 0.15 * actual
    assert actual <= found.money.p95 < 1.5 * actual
    assert found.certainty == "sure"
    assert found.basis.history == 100
    assert found.requests == {"gpt-5-mini": 500.0}


async def test_what_waits_counts_and_what_is_known_does_not(bench: Make, tmp_path: Path) -> None:
    write(tmp_path, 20)
    one = await bench(sections=PRICE, route={"key": "id"})
    await one.accept(*[{"id": 100 + number, "text": "hello"} for number in range(10)])
    found = await foretell(one)
    assert found.documents == {"read": 20, "new": 20.0, "waiting": 10}
    assert found.requests == {"gpt-5-mini": 30.0}


async def test_a_model_without_a_price_is_said(bench: Make, tmp_path: Path) -> None:
    write(tmp_path, 3)
    ask = {"payload": {"model": "my-own", "messages": [{"role": "user", "content": "&{text}"}]}}
    found = await foretell(await bench(out={"request": ask}))
    assert found.money is None
    assert found.certainty == "none"
    assert "nothing says what my-own costs" in found.basis.left_out


async def test_ways_that_are_cheaper_say_so_and_how_long_they_take(bench: Make, tmp_path: Path) -> None:
    write(tmp_path, 10)
    ask = {"payload": {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "&{text}"}]}}
    found = await foretell(await bench(out={"request": ask}))
    ways = {way.way: way for way in found.ways}
    assert next(iter(ways)) == "standard"
    assert ways["standard"].chosen
    assert ways["standard"].money is not None
    assert ways["batch"].money is not None
    assert ways["batch"].money.p50 == pytest.approx(ways["standard"].money.p50 / 2)
    assert ways["batch"].seconds.p95 > ways["standard"].seconds.p95


async def test_a_chain_that_calls_is_foretold_by_whole_documents(bench: Make, tmp_path: Path) -> None:
    write(tmp_path, 40)
    asked = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "&{text}"}]}
    step = {"openai": {"entity": "chat completions", "action": "create", "payload": asked, "destination": "first"}}
    one = await bench(answering(lambda _: 100), sections=PRICE, out={"chain": [step]})
    found = await foretell(one)
    assert found.money is None
    await one.accept(*[{"text": f"hello {number}"} for number in range(30)])
    await one.until_ended()
    ended = await one.task(1)
    assert ended.state is TaskState.FINISHED, ended.reason
    found = await foretell(one)
    assert found.money is not None
    assert found.money.p50 == pytest.approx(40 * 2 * (40 + 1000) / 1e6, rel=0.2)
    assert any("its chain makes calls" in said for said in found.basis.assumed)


CONFIGURATION = """
clients: {openai: {prototype: openai, parameters: {token: sk-canary-0123456789, base_uri: "http://127.0.0.1:9/v1"}}}
incoming: {in: {subscriber: {prototype: file, parameters: {url: in.jsonl}}}}
outgoing:
  ask:
    request: {payload: {model: gpt-6-luna, max_completion_tokens: 50, messages: [{role: user, content: "&{text}"}]}}
    publisher: {prototype: openai, parameters: {client: openai, entity: chat completions}}
routes: {r: {incoming: in, outgoing: ask}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "connector.yaml").write_text(CONFIGURATION)
    write(tmp_path, 12)
    return tmp_path


def test_the_command_prints_json_for_programs(folder: Path) -> None:
    result = CliRunner().invoke(app, ["forecast", "r", "--sample", "5"])
    found = json.loads(result.stdout)
    assert found["documents"] == {"read": 12, "new": 12, "waiting": 0}
    assert found["basis"]["sample"] == 5
    assert found["certainty"] == "guess"
    assert [way["way"] for way in found["ways"] if way["chosen"]] == ["standard"]
    assert 0 < found["ways"][0]["money"]["p50"] < found["ways"][0]["money"]["p95"]
    assert sorted(path.name for path in folder.iterdir()) == ["connector.yaml", "in.jsonl"]


@pytest.mark.usefixtures("folder")
def test_the_command_prints_a_table_for_people() -> None:
    lines = CliRunner().invoke(app, ["forecast", "r", "--text"]).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("route r: 12 documents, likely 0.00")
    assert any(line.startswith("standard (own)") for line in lines)
    assert any("a guess, since no past call is known" in line for line in lines)


@pytest.mark.usefixtures("folder")
def test_an_unknown_route_is_named_with_those_that_are_there() -> None:
    result = CliRunner().invoke(app, ["forecast", "s"])
    assert "unknown route 's'" in str(result.exception)
