"""What goes wrong on purpose: by rate and by rule, on real connections."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from connector.errors import ConfigurationError
from connector.sandbox.fault_plan import FaultPlan
from connector.sandbox.faults import Fault, FaultRate, parse_rules

PROJECTS = "/organization/projects"
CHAT = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "one two three four five six seven eight"}]}


async def _projects(running: Any) -> int:
    running.sandbox.faults.clear()
    return len((await running.call("GET", PROJECTS))[1]["data"])


async def test_a_status_by_rate_comes_as_often_and_whenever_the_seed_says(start: Any) -> None:
    rounds = []
    for _ in range(2):
        running = await start(seed=7, faults=["429:0.3"])
        rounds.append([(await running.call("GET", "/models"))[0] for _ in range(60)])
    assert rounds[0] == rounds[1]
    assert 8 <= rounds[0].count(429) <= 30


async def test_a_429_says_when_to_come_again(start: Any) -> None:
    running = await start(faults=["429:1"])
    async with running.session.get(f"{running.sandbox.url}/models") as answer:
        assert (await answer.json())["error"]["code"] == "rate_limit_exceeded"
        assert {"retry-after", "retry-after-ms", "x-ratelimit-remaining-requests"} <= {
            n.lower() for n in answer.headers
        }


async def test_a_refused_request_has_no_effect(start: Any) -> None:
    running = await start(faults=["503:1"])
    status, body = await running.call("POST", PROJECTS, {"name": "one"})
    assert (status, body["error"]["code"]) == (503, "server_is_overloaded")
    assert await _projects(running) == 0


async def test_a_reset_comes_before_the_effect_and_a_drop_after_it(start: Any) -> None:
    for kind, effects in (("reset", 0), ("drop-after", 1)):
        running = await start(faults=[f"{kind}:1"])
        with pytest.raises(aiohttp.ClientConnectionError):
            await running.call("POST", PROJECTS, {"name": "one"})
        entry = running.sandbox.requests[-1]
        assert (entry["status"], entry["fault"], len(entry["effects"])) == (None, kind, effects)
        assert await _projects(running) == effects


@pytest.mark.parametrize(("kind", "end"), [("cut", b""), ("reset-mid", None)])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_breaks_in_its_middle_after_the_effect(
    start: Any, kind: str, end: bytes | None, stream: bool
) -> None:
    running = await start(faults=[f"{kind}:1"])
    reader, writer = await _asked(running, json.dumps({**CHAT, "stream": stream}).encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    got, last = await _rest(reader)
    writer.close()
    assert (last, b"hatcmpl" in got) == (end, True)
    assert b"[DONE]" not in got
    assert not got.endswith((b"0\r\n\r\n", b"}"))
    assert running.sandbox.requests[-1]["effects"] != []


async def _asked(running: Any, body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a chat completion was asked for."""
    host, port = running.sandbox.origin.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer any\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return reader, writer


async def _rest(reader: asyncio.StreamReader) -> tuple[bytes, bytes | None]:
    """What still comes, and how it ends: nothing more in good order, or None when the connection is reset."""
    got = b""
    try:
        while piece := await reader.read(1 << 16):
            got += piece
    except ConnectionResetError:
        return got, None
    return got, b""


async def test_a_stream_can_say_in_its_middle_that_the_server_failed(start: Any) -> None:
    running = await start(faults=["error-mid:1"])
    _, text = await running.call("POST", "/chat/completions", {**CHAT, "stream": True})
    assert '"type":"server_error"' in text.split("\n\n")[-2]
    assert "[DONE]" not in text
    assert (await running.call("POST", "/chat/completions", CHAT))[0] == 200


async def test_a_page_of_html_stands_where_json_was_due(start: Any) -> None:
    running = await start(faults=["html:1"])
    async with running.session.get(f"{running.sandbox.url}/models") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
    running.sandbox.faults.replace(["html:1:502"])
    assert (await running.call("GET", "/models"))[0] == 502


async def test_a_delay_lets_the_answer_wait(start: Any) -> None:
    running = await start(faults=["delay:1:0.05"])
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await running.call("GET", "/models"))[0] == 200
    assert loop.time() - began >= 0.05


async def test_latency_lets_every_answer_wait(start: Any) -> None:
    running = await start(latency=50)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await running.call("GET", "/models"))[0] == 200
    assert loop.time() - began >= 0.05


async def test_rules_choose_by_operation_path_and_request_and_count(start: Any) -> None:
    rules = [
        {"operation": "projects create", "nth": 2, "fault": 500},
        {"path": "/organization/groups*", "when": "payload.name == 'bad'", "fault": "409"},
        {"operation": "GET /models", "answer": {"body": {"object": "list", "data": []}, "headers": {"x-told": "yes"}}},
    ]
    running = await start(script={"faults": rules})
    statuses = [(await running.call("POST", PROJECTS, {"name": "one"}))[0] for _ in range(3)]
    assert statuses == [200, 500, 200]
    assert (await running.call("POST", "/organization/groups", {"name": "good"}))[0] == 200
    assert (await running.call("POST", "/organization/groups", {"name": "bad"}))[0] == 409
    assert (await running.call("GET", "/models"))[1] == {"object": "list", "data": []}


async def test_faults_change_while_the_sandbox_runs(running: Any) -> None:
    status, body = await running.call("POST", "/sandbox/faults", {"rates": ["500:1"], "rules": [{"fault": "html"}]})
    assert (status, body) == (200, {"rates": ["500:1"], "rules": [{"fault": "html:200"}]})
    assert (await running.call("GET", "/models"))[0] == 200
    await running.call("POST", "/sandbox/faults", {"rates": ["500:1"]})
    assert (await running.call("GET", "/models"))[0] == 500
    assert (await running.call("DELETE", "/sandbox/faults"))[1] == {"rates": [], "rules": []}
    assert (await running.call("GET", "/models"))[0] == 200


@pytest.mark.parametrize("payload", [{"rate": []}, [], {"rates": "429:1"}, {"rates": ["x:1"]}, {"rules": [{}]}])
async def test_faults_that_cannot_be_change_nothing(running: Any, payload: object) -> None:
    status, body = await running.call("POST", "/sandbox/faults", payload)
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")
    assert (await running.call("GET", "/sandbox/faults"))[1] == {"rates": [], "rules": []}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("resett:0.1", "did you mean 'reset'"),
        ("429", "needs a rate"),
        ("429:often", "needs a rate"),
        ("429:2", "needs a rate"),
        ("200:1", "a status from 400 to 599, delay, reset"),
        ("delay:0.1", "delay needs its seconds"),
        ("delay:0.1:forever", "takes a number from 0 to 3600"),
        ("429:0.1:5", "takes no number of its own"),
    ],
)
def test_a_fault_that_cannot_be_is_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match="fault: ") as raised:
        FaultRate.parse(text)
    assert said in str(raised.value)


def test_everything_wrong_with_rules_is_said_at_once() -> None:
    wrong = [
        {"operatin": "x", "fault": 429},
        {"fault": "never"},
        {"nth": 0, "fault": 500},
        {"when": "a[", "fault": 500},
    ]
    with pytest.raises(ConfigurationError) as raised:
        parse_rules([*wrong, {"fault": 500, "answer": {}}])
    text = str(raised.value)
    assert "faults[0].operatin: no such name; did you mean 'operation'?" in text
    assert "faults[1].fault: found 'never'" in text
    assert "faults[2].nth" in text
    assert "faults[3].when: not a JMESPath expression" in text
    assert "faults[4]: a rule has either a fault or an answer" in text


def test_a_rate_falls_on_the_same_requests_of_a_seed() -> None:
    rate = FaultRate(Fault.parse("500"), 0.25)
    hit = [number for number in range(4000) if rate.applies_to(1, number)]
    assert 900 <= len(hit) <= 1100
    assert hit != [number for number in range(4000) if rate.applies_to(2, number)]


def test_a_plan_begins_again_with_the_faults_it_had_at_first() -> None:
    plan = FaultPlan(1, ["429:0.5"], parse_rules([{"fault": 500}]))
    first = plan.as_document()
    plan.add("503:1", rules=[{"fault": 400}])
    assert len(plan.as_document()["rates"]) == 2
    plan.reset()
    assert plan.as_document() == first
