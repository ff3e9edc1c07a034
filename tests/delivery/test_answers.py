"""What comes of answers and errors: tasks of other routes, lines of files, files of their own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from connector.delivery.route_spec import implied_routes
from connector.engine import Change, Filter, NewTask, TaskState
from connector.errors import ConfigurationError

PICK = [{"value-setter": {"configurations": [{"key": "text", "value": "&{body.choices.0.message.content}"}]}}]
ROUTE = {"subscriber": {"prototype": "route", "parameters": {"route": "r"}}}
ERRORS = {"subscriber": {"prototype": "route", "parameters": {"route": "r", "answers": False, "errors": True}}}
PRINTED = {"publisher": {"prototype": "none"}}
POSTED = {"prototype": "http", "parameters": {"client": "api", "path": "/sink"}}


def to_file(url: str, **parameters: Any) -> Any:
    return {"prototype": "file", "parameters": {"url": url, **parameters}}


def refused(_: httpx.Request) -> httpx.Response:
    return httpx.Response(400, json={"error": {"message": "no"}})


async def test_answers_become_tasks_of_the_routes_that_read_them(bench: Any) -> None:
    sections = {
        "incoming": {
            "answers": {**ROUTE, "chain": [{"value-setter": {"configurations": [{"key": "seen", "value": True}]}}]}
        },
        "outgoing": {"last": PRINTED},
        "routes": {"next": {"incoming": "answers", "outgoing": "last", "key": "document.id", "order": "document.id"}},
    }
    at = await bench(out={"answer": {"chain": PICK}}, sections=sections)
    [number] = await at.accept({"text": "hi", "id": 7})
    await at.work()
    [task] = await at.store.tasks(Filter(route="next"))
    assert (task.document["text"], task.document["seen"], task.source) == ("re: hi", True, number)
    await at.work("next")
    assert await at.states("next") == {TaskState.FINISHED: 1}


async def test_an_attempt_that_dies_before_its_commit_leaves_no_follow_up(bench: Any) -> None:
    sections = {
        "incoming": {"answers": ROUTE},
        "outgoing": {"last": PRINTED},
        "routes": {"next": {"incoming": "answers", "outgoing": "last"}},
    }
    at = await bench(route={"on_unknown": "retry"}, sections=sections)
    await at.accept({"text": "hi"})
    await at.cut_off()
    assert not await at.store.tasks(Filter(route="next"))
    await at.until_ended()
    assert len(await at.store.tasks(Filter(route="next"))) == 1


async def test_errors_become_tasks_of_the_routes_that_read_them(bench: Any) -> None:
    sections = {
        "incoming": {"errors": ERRORS},
        "outgoing": {"last": PRINTED},
        "routes": {"next": {"incoming": "errors", "outgoing": "last"}},
    }
    at = await bench(refused, sections=sections)
    await at.accept({"text": "hi"}, {"nothing": "to say"})
    await at.work()
    first, second = await at.store.tasks(Filter(route="next"))
    assert (first.document["status"], first.document["state"], first.document["document"]) == (
        400,
        "failed",
        {"text": "hi"},
    )
    assert (second.document["status"], second.document["document"]) == (None, {"nothing": "to say"})
    assert "text" in second.document["reason"]


async def test_an_answer_publisher_that_calls_has_tasks_of_its_own(bench: Any) -> None:
    answer = {
        "chain": [
            {"expression": {"language": "jmespath", "expression": "{payload: {said: body.choices[0].message.content}}"}}
        ],
        "publisher": POSTED,
    }
    fails = [True]

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/sink":
            return httpx.Response(429 if fails else 200, json={})
        return httpx.Response(200, json={"id": "c", "choices": [{"message": {"content": "said"}}]})

    at = await bench(handler, out={"answer": answer})
    assert implied_routes(at.runtime, "r") == ("r:answer",)
    [number] = await at.accept({"text": "hi"})
    await at.work()
    assert (await at.task(number)).state is TaskState.FINISHED
    [task] = await at.work("r:answer")
    assert (task.state, task.source) == (TaskState.WAITING, number)
    fails.clear()
    await at.until_ended("r:answer")
    assert await at.states("r:answer") == {TaskState.FINISHED: 1}
    sent = [json.loads(request.content) for request in at.upstream.requests if request.url.path == "/v1/sink"]
    assert sent == [{"said": "said"}] * 2
    assert len(at.upstream.requests) == 3


async def test_answers_are_lines_that_stand_once_through_any_crash(bench: Any) -> None:
    at = await bench(
        route={"on_unknown": "retry"},
        out={"answer": {"chain": PICK, "publisher": to_file("out.jsonl", content={"said": "&{text}"})}},
    )
    await at.accept(*({"text": f"t{n}"} for n in range(5)))
    await at.cut_off()
    await at.until_ended()
    assert not (at.folder / "out.jsonl").exists()
    await at.crash()
    await at.lines()
    await at.lines()
    said = sorted(json.loads(line)["said"] for line in (at.folder / "out.jsonl").read_text().splitlines())
    assert said == [f"re: t{n}" for n in range(5)]


async def test_csv_has_one_header(bench: Any) -> None:
    content = {"id": "&{document.id}", "said": "&{text}"}
    publisher = to_file("out.csv", content=content, columns=["id", "said"])
    at = await bench(out={"answer": {"chain": PICK, "publisher": publisher}})
    for number in range(3):
        await at.accept({"text": "x", "id": number})
        await at.work()
        await at.lines()
        await at.crash()
    assert (at.folder / "out.csv").read_text() == "id,said\n0,re: x\n1,re: x\n2,re: x\n"


async def test_a_file_for_each_document_is_whole(bench: Any) -> None:
    at = await bench(out={"answer": {"publisher": to_file("out/&{document.id}.json", content="&{body.id}")}})
    await at.accept({"text": "x", "id": "a"}, {"text": "x", "id": "b"})
    await at.work()
    assert {file.name: file.read_text() for file in (at.folder / "out").iterdir()} == {
        "a.json": '"c-1"\n',
        "b.json": '"c-1"\n',
    }
    assert not await at.store.pending_files()


async def test_a_route_may_end_in_a_file_itself(bench: Any) -> None:
    at = await bench(out={"publisher": to_file("&{kind}.jsonl", content="&{n}"), "request": None})
    await at.accept(*({"kind": "odd" if n % 2 else "even", "n": n} for n in range(5)))
    await at.work()
    assert await at.lines() == 5
    assert (at.folder / "even.jsonl").read_text() == "0\n2\n4\n"
    assert (at.folder / "odd.jsonl").read_text() == "1\n3\n"


@pytest.mark.parametrize(
    ("publisher", "says"),
    [
        (to_file("out.json"), "write jsonl, csv or text, or a file a document"),
        (to_file("out.parquet"), "whole only at an end"),
        (to_file("out.csv"), "name them in the publisher's `columns`"),
    ],
)
async def test_files_that_are_whole_only_at_an_end_are_refused(bench: Any, publisher: Any, says: str) -> None:
    at = await bench(out={"answer": {"publisher": publisher}})
    with pytest.raises(ConfigurationError, match=says):
        at.delivery()


async def test_a_document_that_cannot_stand_in_its_file_fails_alone(bench: Any) -> None:
    publisher = to_file("out.csv", columns=["a"])
    at = await bench(out={"publisher": publisher, "request": None})
    good, bad = await at.accept({"a": 1}, {"b": 2})
    await at.work()
    assert (await at.task(good)).state is TaskState.FINISHED
    assert (await at.task(bad)).state is TaskState.FAILED
    assert "no column" in (await at.task(bad)).reason


async def test_an_error_that_cannot_be_told_says_so_and_ends_all_the_same(bench: Any) -> None:
    at = await bench(
        refused, out={"error": {"chain": [{"exception": {"message": "broken too"}}], "publisher": to_file("e.jsonl")}}
    )
    [number] = await at.accept({"text": "hi"})
    await at.work()
    task = await at.task(number)
    assert task.state is TaskState.FAILED
    assert "broken too" in task.reason
    assert not await at.store.pending_files()


async def test_a_chain_that_reads_a_route_may_not_gather(bench: Any) -> None:
    sections = {
        "incoming": {"answers": {**ROUTE, "chain": [{"aggregate": 2}]}},
        "outgoing": {"last": PRINTED},
        "routes": {"next": {"incoming": "answers", "outgoing": "last"}},
    }
    at = await bench(sections=sections)
    with pytest.raises(ConfigurationError, match="gather them in the chain of the route"):
        at.delivery()


@pytest.mark.parametrize("ends", ["answer", "error"])
async def test_what_comes_of_a_task_has_its_key_and_is_never_a_duplicate(bench: Any, ends: str) -> None:
    doubled = [{"value-setter": {"configurations": [{"key": "both", "value": [{"n": 1}, {"n": 1}]}]}}]
    to = {ends: {"publisher": POSTED, "chain": [*doubled, {"brancher": "both.*"}]}}
    sections = {
        "incoming": {"read": ROUTE if ends == "answer" else ERRORS},
        "outgoing": {"last": PRINTED},
        "routes": {"next": {"incoming": "read", "outgoing": "last"}},
    }
    answer = {"answer": httpx.Response(200, json={"id": "c-1"}), "error": httpx.Response(400, json={"error": {}})}
    at = await bench(lambda _: answer[ends], out=to, sections=sections)
    new = NewTask(route="r", document={"text": "hi"}, key="k", version="v")
    for document in (new, replace(new, version="w")):
        await at.store.commit(Change(accept=[document]))
        await at.work()
    published = await at.store.tasks(Filter(route=f"r:{ends}", key="k"))
    followed = await at.store.tasks(Filter(route="next", key="k"))
    assert [task.version for task in published] == ["v", "v", "w", "w"]
    assert [task.source for task in followed] == [task.source for task in published]
