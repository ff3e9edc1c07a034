"""What hosts repeat is paid for once: by a key, by a session and an id, or by being equal to one that was lost."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from connector.calls.host_calls import HostCalls
from connector.cli.app import app
from connector.engine import Filter, TaskState, open_store
from tests.hosts.mcp.rig import CONFIGURATION, chat, pipe


def durable(document: Any) -> None:
    document["mcp"]["engine"] = "sqlite:///calls.db"


async def test_a_repeat_with_its_key_is_answered_and_not_sent(tmp_path: Path) -> None:
    async with pipe(tmp_path) as peer:
        first = await peer.call("greet", {"name": "Ada"}, key="k")
        again = await peer.call("greet", {"name": "Ada"}, key="k")
        assert again["structuredContent"] == first["structuredContent"]
        assert (first["_meta"]["openai-connector/repeat"], again["_meta"]["openai-connector/repeat"]) == (False, True)
        assert peer.upstream.posts == 1


async def test_calls_without_a_key_are_calls_of_their_own(tmp_path: Path) -> None:
    async with pipe(tmp_path) as peer:
        await peer.call("greet", {"name": "Ada"})
        await peer.call("greet", {"name": "Ada"})
        assert peer.upstream.posts == 2


async def test_the_same_id_in_a_session_is_the_same_call(tmp_path: Path) -> None:
    async with pipe(tmp_path) as peer:
        await peer.call("greet", {"name": "Ada"}, id="one")
        again = await peer.call("greet", {"name": "Ada"}, id="one")
        assert again["_meta"]["openai-connector/repeat"] is True
        assert peer.upstream.posts == 1


async def test_a_key_with_other_arguments_is_refused(tmp_path: Path) -> None:
    async with pipe(tmp_path) as peer:
        await peer.call("greet", {"name": "Ada"}, key="k")
        other = await peer.call("greet", {"name": "Bob"}, key="k")
        assert other["isError"] is True
        assert "was used for a call with other arguments" in other["content"][0]["text"]
        assert peer.upstream.posts == 1


async def test_two_at_once_with_one_key_are_sent_once(tmp_path: Path) -> None:
    async with pipe(tmp_path) as peer:
        results = await asyncio.gather(*(peer.call("greet", {"name": "Ada"}, key="k") for _ in range(5)))
        assert len({result["structuredContent"]["text"] for result in results}) == 1
        assert peer.upstream.posts == 1


async def test_a_failed_call_may_be_tried_again_with_its_key(tmp_path: Path) -> None:
    answers = [httpx.Response(400, json={"error": {"message": "no"}}), None]

    def answer(request: httpx.Request) -> httpx.Response:
        return answers.pop(0) or chat(request)

    async with pipe(tmp_path, answer) as peer:
        assert (await peer.call("greet", {"name": "Ada"}, key="k"))["isError"] is True
        assert (await peer.call("greet", {"name": "Ada"}, key="k"))["isError"] is False


def lost(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("the connection was lost")


async def test_unknown_is_told_with_its_evidence_and_never_sent_again(tmp_path: Path) -> None:
    async with pipe(tmp_path, lost, change=durable) as peer:
        first = await peer.call("greet", {"name": "Ada"}, key="k")
        assert first["isError"] is True
        shown = first["structuredContent"]
        assert shown["state"] == "unknown"
        assert shown["evidence"][0]["operation"] == "chat completions create"
        text = first["content"][0]["text"]
        assert f"openai-connector tasks done {shown['task']} --mcp" in text
        assert "the connection was lost" in text
        again = await peer.call("greet", {"name": "Ada"}, key="k")
        assert again["structuredContent"]["state"] == "unknown"
        assert peer.upstream.posts == 1


async def test_a_model_that_asks_again_without_a_key_is_told_as_well(tmp_path: Path) -> None:
    async with pipe(tmp_path, lost, change=durable) as peer:
        await peer.call("greet", {"name": "Ada"})
        again = await peer.call("greet", {"name": "Ada"})
        assert again["structuredContent"]["state"] == "unknown"
        assert peer.upstream.posts == 1
        peer.upstream.answer = chat
        assert (await peer.call("greet", {"name": "Bob"}))["isError"] is False
        # A key of its own says that another call is meant.
        assert (await peer.call("greet", {"name": "Ada"}, key="new"))["isError"] is False


@pytest.mark.parametrize(("decision", "posts"), [("skip", 2), ("retry", 2)])
async def test_a_person_settles_what_is_unknown(tmp_path: Path, decision: str, posts: int) -> None:
    async with pipe(tmp_path, lost, change=durable) as peer:
        await peer.call("greet", {"name": "Ada"})
        store = (await peer.opened.calls()).shared.store
        wanted = Filter(states=(TaskState.UNKNOWN,))
        await (store.skip(wanted, "it did not") if decision == "skip" else store.retry(wanted))
        peer.upstream.answer = chat
        assert (await peer.call("greet", {"name": "Ada"}))["isError"] is False
        assert peer.upstream.posts == posts


async def test_a_person_says_that_an_unknown_call_was_done_and_what_its_answer_was(tmp_path: Path) -> None:
    (tmp_path / "connector.json").write_text(json.dumps({**CONFIGURATION, "mcp": {"engine": "sqlite:///calls.db"}}))
    async with pipe(tmp_path, lost, change=durable) as peer:
        task = (await peer.call("greet", {"name": "Ada"}, key="k"))["structuredContent"]["task"]
    body = json.dumps({"id": "c-1", "choices": [{"message": {"content": "Hello, Ada."}, "finish_reason": "stop"}]})
    arguments = ["tasks", "done", str(task), "--mcp", "--answer", body, "-f", str(tmp_path / "connector.json")]
    done = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    assert done.exit_code == 0, done.output
    async with pipe(tmp_path, change=durable) as peer:
        again = await peer.call("greet", {"name": "Ada"}, key="k")
        assert again["structuredContent"]["text"] == "Hello, Ada."
        assert peer.upstream.posts == 0


async def test_what_is_answered_outlives_the_process(tmp_path: Path) -> None:
    async with pipe(tmp_path, change=durable) as peer:
        first = await peer.call("greet", {"name": "Ada"}, key="k")
    async with pipe(tmp_path, change=durable) as peer:
        again = await peer.call("greet", {"name": "Ada"}, key="k")
        assert again["structuredContent"] == first["structuredContent"]
        assert peer.upstream.posts == 0


async def _settle_nothing(*_: Any) -> None:
    """What a killed process does."""


@pytest.mark.parametrize("key", ["k", ""])
async def test_a_call_that_was_cut_off_is_told_as_unknown_when_it_is_repeated(
    tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HostCalls, "_cancel", _settle_nothing)
    reached = asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    meta = {"openai-connector/key": key} if key else None
    async with pipe(tmp_path, hang, change=durable) as peer:
        peer.begin("tools/call", name="greet", arguments={"name": "Ada"}, meta=meta)
        await reached.wait()
    async with pipe(tmp_path, change=durable) as peer:
        again = await peer.call("greet", {"name": "Ada"}, key=key)
        assert again["structuredContent"]["state"] == "unknown"
        assert "cut off" in again["content"][0]["text"]
        assert peer.upstream.posts == 0


async def test_a_call_that_was_cut_off_before_it_was_sent_is_sent_when_it_is_repeated(tmp_path: Path) -> None:
    async with pipe(tmp_path, change=durable) as peer:
        calls = await peer.opened.calls()
        from connector.calls.host_calls import HostCall

        await calls._accept("mcp/greet", HostCall(document={"name": "Ada"}, key="k"), "")
    async with pipe(tmp_path, change=durable) as peer:
        assert (await peer.call("greet", {"name": "Ada"}, key="k"))["isError"] is False
        assert peer.upstream.posts == 1


async def test_cancelling_ends_the_call_and_is_kept_as_unknown(tmp_path: Path) -> None:
    reached, ended = asyncio.Event(), asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    async with pipe(tmp_path, hang, change=durable) as peer:
        number = peer.begin("tools/call", name="greet", arguments={"name": "Ada"}, meta={"openai-connector/key": "k"})
        await reached.wait()
        peer.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}})
        await ended.wait()
        again = await peer.call("greet", {"name": "Ada"}, key="k")
        assert again["structuredContent"]["state"] == "unknown"
        assert "cancelled by its host" in again["content"][0]["text"]
        assert not [one for one in peer.heard if one.get("id") == number], "what is cancelled has no answer"
        assert peer.upstream.posts == 1


async def test_a_second_process_on_one_file_is_refused_by_name(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'calls.db'}")
    try:
        async with pipe(tmp_path, change=durable) as peer:
            result = await peer.call("greet", {"name": "Ada"})
            assert result["isError"] is True
            assert "only one can" in result["content"][0]["text"]
            assert peer.upstream.posts == 0
            assert (await peer.call("models_list"))["isError"] is False, "what only reads needs no journal"
    finally:
        await store.close()


async def test_old_answers_are_forgotten_with_their_calls(tmp_path: Path) -> None:
    from connector.calls.attempt import ANSWERS
    from connector.calls.host_calls import EQUAL, forget_answers

    async with pipe(tmp_path, change=durable) as peer:
        await peer.call("greet", {"name": "Ada"})
        shared = (await peer.opened.calls()).shared
        assert await shared.store.records(ANSWERS)
        assert await shared.store.records(EQUAL)
        await forget_answers(shared, "mcp/greet", TaskState.FINISHED, shared.wall() + 1)
        assert not await shared.store.records(ANSWERS)
        assert not await shared.store.records(EQUAL)


async def test_secrets_are_in_no_answer_that_is_kept(tmp_path: Path) -> None:
    def leak(request: httpx.Request) -> httpx.Response:
        body = json.loads(chat(request).content)
        body["choices"][0]["message"]["content"] = "sk-canary-0123456789abcdef"
        return httpx.Response(200, json=body)

    async with pipe(tmp_path, leak, change=durable) as peer:
        result = await peer.call("greet", {"name": "Ada"})
        assert "canary" not in json.dumps(result)
    assert b"canary" not in (tmp_path / "calls.db").read_bytes()
