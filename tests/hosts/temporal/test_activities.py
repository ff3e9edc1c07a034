"""Activities on a real server: what they return, how they fail, and that a repeat of Temporal's pays nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import web

from connector.hosts.temporal import CONFLICT, FAILED, INVALID, TOO_LARGE, UNKNOWN
from tests.hosts.temporal.rig import Server, bench, cause, chat


async def test_a_workflow_is_given_the_answer_of_a_connection_and_of_an_operation(
    server: Server, tmp_path: Path
) -> None:
    async with bench(server, tmp_path) as own, own.worker() as opened:
        assert opened.names == ["publish greet", "call"]
        greeted = await own.ask("publish greet", {"name": "Ada"})
        assert greeted["text"] == "re: Greet Ada."
        payload = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Hi"}]}
        asked = {"operation": "chat completions create", "request": {"payload": payload}}
        answer = await own.ask("call", asked)
        assert answer["choices"][0]["message"]["content"] == "re: Hi"
        listed = await own.ask("call", {"operation": "models list"})
        assert listed["data"][0]["id"] == "gpt-6-luna"
        assert len(own.upstream.posts) == 2


async def test_an_unknown_call_fails_for_good_with_its_evidence(server: Server, tmp_path: Path) -> None:
    async def lost(request: web.Request, _: Any) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with bench(server, tmp_path, lost) as own, own.worker():
        error = await own.fail("publish greet", {"name": "Ada"}, attempts=5)
        assert (error.type, error.non_retryable) == (UNKNOWN, True)
        [details] = error.details
        assert details["evidence"][0]["operation"] == "chat completions create"
        assert f"openai-connector tasks done {details['task']} --temporal" in error.message
        assert len(own.upstream.posts) == 1, "Temporal would have repeated it, and so paid again"


async def test_a_refused_call_fails_for_good(server: Server, tmp_path: Path) -> None:
    async def refuse(_: web.Request, __: Any) -> web.StreamResponse:
        return web.json_response({"error": {"message": "no such model"}}, status=400)

    async with bench(server, tmp_path, refuse) as own, own.worker():
        error = await own.fail("publish greet", {"name": "Ada"})
        assert (error.type, error.non_retryable) == (FAILED, True)
        assert "no such model" in error.message
        assert len(own.upstream.posts) == 1


async def test_a_limit_is_waited_for_as_the_server_asks_and_then_answered(server: Server, tmp_path: Path) -> None:
    times: list[float] = []

    async def busy(request: web.Request, body: Any) -> web.StreamResponse:
        times.append(asyncio.get_running_loop().time())
        if len(times) == 1:
            error = {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}
            return web.json_response(error, status=429, headers={"Retry-After": "1"})
        return await chat(request, body)

    async with bench(server, tmp_path, busy) as own, own.worker():
        answer = await own.ask("publish greet", {"name": "Ada"}, interval=1)
        assert answer["text"] == "re: Greet Ada."
        assert len(times) == 2
        assert times[1] - times[0] >= 1


async def test_what_an_activity_cannot_take_is_told_at_once(server: Server, tmp_path: Path) -> None:
    async with bench(server, tmp_path) as own, own.worker():
        wrong = [
            ("call", ({"operation": "files delete"},), "is not allowed here"),
            ("call", ({"operation": "models lst"},), "models list"),
            ("call", ("models list",), "{operation: NAME, request: {path, query, payload}} is expected"),
            ("call", ({"operation": "models list", "payload": {}},), "'payload' was given"),
            ("publish greet", ({"name": "Ada"}, {"kye": "k"}), "{key: TEXT} is expected"),
        ]
        errors = await asyncio.gather(*(own.fail(name, *given) for name, given, _ in wrong))
        for error, (_, _, told) in zip(errors, wrong, strict=True):
            assert (error.type, error.non_retryable) == (INVALID, True)
            assert told in error.message
        assert not own.upstream.posts


async def test_a_key_of_ones_own_makes_activities_one_call(server: Server, tmp_path: Path) -> None:
    async with bench(server, tmp_path) as own, own.worker():
        key = {"key": "order-17"}
        first = await own.ask("publish greet", {"name": "Ada"}, key)
        assert await own.ask("publish greet", {"name": "Ada"}, key) == first
        assert len(own.upstream.posts) == 1
        other = await own.fail("publish greet", {"name": "Bob"}, key)
        assert (other.type, other.non_retryable) == (CONFLICT, True)
        await own.ask("publish greet", {"name": "Ada"})
        assert len(own.upstream.posts) == 2, "without a key, another workflow is another call"


async def test_an_answer_that_no_workflow_can_take_is_told(server: Server, tmp_path: Path) -> None:
    async with bench(server, tmp_path, answer_bytes=1024) as own, own.worker():
        error = await own.fail("publish greet", {"name": "A" * 2000})
        assert (error.type, error.non_retryable) == (TOO_LARGE, True)
        assert error.details[0]["most"] == 1024
        assert len(own.upstream.posts) == 1


class Gate:
    """An upstream that answers when it is told to."""

    def __init__(self) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()

    async def __call__(self, request: web.Request, body: Any) -> web.StreamResponse:
        self.reached.set()
        await self.open.wait()
        return await chat(request, body)


async def test_an_attempt_that_is_timed_out_goes_on_and_answers_its_repeat(server: Server, tmp_path: Path) -> None:
    gate = Gate()
    async with bench(server, tmp_path, gate) as own, own.worker():
        handle = await own.start("publish greet", {"name": "Ada"}, timeout=1)
        await gate.reached.wait()
        await _reach_attempt(handle, 2)
        gate.open.set()
        assert (await handle.result())["text"] == "re: Greet Ada."
        assert len(own.upstream.posts) == 1


async def test_a_workflow_that_is_cancelled_is_told_what_was_sent(server: Server, tmp_path: Path) -> None:
    gate = Gate()
    async with bench(server, tmp_path, gate) as own, own.worker():
        handle = await own.start("publish greet", {"name": "Ada"}, heartbeat=1)
        await gate.reached.wait()
        await handle.cancel()
        error = await cause(handle)
        assert error.type == UNKNOWN
        assert "cancelled by its host while it was under way" in error.message
        assert len(own.upstream.posts) == 1


async def test_a_stopped_worker_leaves_its_call_to_the_next_one(server: Server, tmp_path: Path) -> None:
    gate = Gate()
    async with bench(server, tmp_path, gate) as own:
        async with own.worker():
            handle = await own.start("publish greet", {"name": "Ada"}, heartbeat=1)
            await gate.reached.wait()
        gate.open.set()
        async with own.worker():
            error = await cause(handle)
        assert error.type == UNKNOWN, "what was sent may have been paid for"
        assert len(own.upstream.posts) == 1


async def _reach_attempt(handle: Any, number: int) -> None:
    """Waits until Temporal repeats the activity of a workflow."""
    async with asyncio.timeout(20):
        while True:
            [pending] = (await handle.describe()).raw_description.pending_activities
            if pending.attempt >= number:
                return
            await asyncio.sleep(0.05)
