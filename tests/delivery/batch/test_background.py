"""Background responses and the flex tier, the other transports than single calls."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from connector.config import parse
from connector.engine import failpoints
from connector.pipeline import Runtime, kinds
from tests.delivery.batch.conftest import Crash, configured

RESPONSES = {"prototype": "openai", "parameters": {"client": "openai", "entity": "responses"}}
OUT = {
    "publisher": RESPONSES,
    "request": {"payload": {"model": "gpt-5", "input": "&{text}"}},
    "transport": "background",
    "answer": {
        "publisher": {
            "prototype": "file",
            "parameters": {"url": "out.jsonl", "content": "&{body.status} &{document.text}"},
        }
    },
}
CHAT = {"transport": "flex", "answer": None}


def passing(at: Any) -> None:
    """Time that passes in the sandbox while somebody sleeps."""
    timing = at.shared.timing
    at.shared.timing = timing.__class__(clock=timing.clock, sleep=at.pass_time, chance=timing.chance)


def made(at: Any) -> int:
    return len([one for one in at.sandbox.requests if one["operation"] == "responses create"])


async def attempted(at: Any) -> None:
    passing(at)
    await at.step("r")
    from connector.delivery.outbox import FileAppender

    await FileAppender(at.store).write()


async def test_a_background_response_is_awaited(bench) -> None:
    at = await bench(out=OUT)
    [task] = await at.accept("one")
    await attempted(at)
    assert await at.states() == {"finished": 1}
    assert at.written() == ["completed one"]
    calls = (await at.task(task)).calls
    assert [call.operation for call in calls] == ["responses create", "responses retrieve"]
    assert calls[0].request["body"]["background"] is True
    assert calls[1].outcome["body"]["usage"]["total_tokens"] > 0


@pytest.mark.parametrize(("window", "factor"), [("2h", 0.7), ("8h", 0.6), (None, 1.0)])
async def test_a_window_is_asked_for_and_makes_the_response_cheaper(bench, window, factor) -> None:
    out = {**OUT, "window": window} if window else OUT
    prices = {"*": {"input": 1_000_000, "output": 0, "per": 1}}
    at = await bench(out=out, route={"budget": {"amount": 1e15, "every": "month"}}, prices=prices)
    [task] = await at.accept("one")
    await attempted(at)
    calls = (await at.task(task)).calls
    asked = calls[0].request["body"].get("background_options")
    assert asked == ({"completion_window": window} if window else None)
    spent = await at.store.spending("r", 0.0)
    tokens = calls[1].outcome["body"]["usage"]["input_tokens"]
    assert tokens
    assert spent.cost == pytest.approx(tokens * 1_000_000 * factor)


@pytest.mark.parametrize("place", ["background.kept", "background.done", "delivery.requests.done"])
async def test_the_next_process_goes_on_with_it(bench, monkeypatch, place: str) -> None:
    at = await bench(out=OUT)
    await at.accept("one")

    def crash(name: str) -> None:
        if name == place:
            raise Crash(name)

    with monkeypatch.context() as patched:
        patched.setattr(failpoints, "reach", crash)
        with pytest.raises(Crash):
            await attempted(at)
    await at.crash()
    await attempted(at)
    assert await at.states() == {"finished": 1}
    assert made(at) == 1


@pytest.mark.parametrize("transport", ["single", "flex", "batch"])
@pytest.mark.parametrize("place", ["background.kept", "background.done", "delivery.requests.done"])
async def test_what_was_begun_is_gone_on_with_when_the_route_sends_another_way(
    bench, monkeypatch, transport: str, place: str
) -> None:
    at = await bench(out=OUT)
    [task] = await at.accept("one")

    def crash(name: str) -> None:
        if name == place:
            raise Crash(name)

    with monkeypatch.context() as patched:
        patched.setattr(failpoints, "reach", crash)
        with pytest.raises(Crash):
            await attempted(at)
    changed = configured(at.sandbox.url, {"out": {**OUT, "transport": transport}})
    configuration = parse(changed, folder=at.folder, environ={}, kinds=kinds())
    async with Runtime(configuration, lambda _: {"timing": at.shared.timing}) as runtime:
        at.runtime = runtime
        await at.crash()
        passing(at)
        await (at.live() if transport == "batch" else attempted(at))
        await at.crash()
    assert (await at.states(), made(at), at.ran()) == ({"finished": 1}, 1, [])
    assert (await at.task(task)).reason == ""
    assert at.written() == ["completed one"]


async def test_a_stop_leaves_it_to_the_next_run(bench) -> None:
    at = await bench(out=OUT)
    await at.accept("one")
    asked = asyncio.Event()

    async def forever(_: float) -> None:
        asked.set()
        await asyncio.Event().wait()

    timing = at.shared.timing
    at.shared.timing = timing.__class__(clock=timing.clock, sleep=forever, chance=timing.chance)
    working = asyncio.create_task(at.step("r"))
    await asked.wait()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await at.crash()
    await attempted(at)
    assert (await at.states(), made(at)) == ({"finished": 1}, 1)


async def test_one_that_failed_fails_its_task_and_is_made_anew_when_that_is_retried(bench) -> None:
    body = {"id": "resp_1", "object": "response", "status": "failed", "error": {"code": "x", "message": "no luck"}}
    answer = {"status": 200, "body": body}
    at = await bench({"faults": [{"operation": "responses retrieve", "nth": [1, 2], "answer": answer}]}, out=OUT)
    await at.accept("one")
    await attempted(at)
    assert await at.states() == {"failed": 1}
    from connector.engine import Filter

    [task] = await at.store.tasks(Filter(route="r"))
    assert "no luck" in task.reason
    await at.store.retry(Filter(ids=[task.id]))
    await attempted(at)
    assert (await at.states(), made(at)) == ({"finished": 1}, 2)


async def test_a_server_in_trouble_is_asked_again(bench) -> None:
    at = await bench({"faults": [{"operation": "responses retrieve", "nth": [1, 2], "fault": "503"}]}, out=OUT)
    await at.accept("one")
    await attempted(at)
    assert (await at.states(), made(at)) == ({"finished": 1}, 1)


async def test_flex_asks_for_its_tier(bench) -> None:
    at = await bench(out=CHAT)
    await at.accept("one")
    await at.step("r")
    [asked] = at.sandbox.requests
    assert asked["payload"]["service_tier"] == "flex"
    assert at.delivery("r")._route.context.timeout == 900


async def test_flex_waits_while_there_is_no_room_and_then_falls_back(bench) -> None:
    error = {"error": {"message": "no room", "type": "x", "code": "resource_unavailable", "param": None}}
    rule = {"operation": "chat completions create", "nth": [1, 2], "answer": {"status": 429, "body": error}}
    at = await bench({"faults": [rule]}, out=CHAT | {"flex": {"default_after": 2}})
    await at.accept("one")
    for _ in range(3):
        await at.step("r")
        await at.pass_time(100)
    assert await at.states() == {"finished": 1}
    assert [one["payload"]["service_tier"] for one in at.sandbox.requests] == ["flex", "flex", "default"]
