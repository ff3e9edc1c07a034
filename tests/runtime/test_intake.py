"""Chains of incoming connections that call: every call belongs to a task, and none is paid for twice."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connector.engine import Filter, TaskState
from connector.errors import ConfigurationError
from connector.model import CallFailed
from connector.transform import compile_chain
from tests.runtime.test_runner import IN_FILE, TO_FILE, Upstream, bench, lines

__all__ = ["bench", "lines"]

SAYS = {
    "openai": {
        "client": "openai",
        "entity": "chat completions",
        "action": "create",
        "payload": {"model": "m", "messages": [{"role": "user", "content": "&{text}"}]},
        "destination": "said",
    }
}
SPLIT = {"expression": "{parts: [{text: text, n: `1`}, {text: text, n: `2`}]}"}
ROUTE = {"incoming": "in", "outgoing": "out"}
OUT = {"out": TO_FILE}
PAGES = {"prototype": "openai", "parameters": {"client": "openai", "entity": "files", "action": "list"}}


def read(*chain: Any, **more: Any) -> dict[str, Any]:
    return {"in": {**IN_FILE, "chain": [*chain], **more}}


async def test_a_document_is_taken_on_as_it_came_and_its_chain_runs_as_a_task(bench: Any, lines: Any) -> None:
    lines("a", "b", "c")
    upstream = Upstream()
    async with bench(upstream, incoming=read(SAYS), outgoing=OUT) as at:
        end = await at.runner().run()
        assert end.ended == {"route": {"finished": 3}, "route:incoming": {"finished": 3}}
        tasks = await at.store.tasks(Filter(route="route"))
        taken = {task.id: task for task in await at.store.tasks(Filter(route="route:incoming"))}
        assert [taken[task.source].document["text"] for task in tasks] == [task.document["text"] for task in tasks]
        assert [taken[task.source].key for task in tasks] == [task.key for task in tasks]
        [call] = (await at.store.task(tasks[0].source)).calls
        assert call.operation == "chat completions create"
        assert (await at.runner().run()).ended == {}
    assert sorted(upstream.asked) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("chain", "written"),
    [
        ([SAYS, SPLIT, {"brancher": "parts.*"}], 6),
        (
            [SAYS, {"data": {"filters": [{"value-condition": {"accessor": "text", "conditions": [{"equals": "a"}]}}]}}],
            1,
        ),
        ([SAYS, {"aggregate": {"size": 2}}], 2),
        ([{"aggregate": {"size": 2}}, {"expression": "{text: items[0].text}"}, SAYS], 2),
    ],
    ids=["brancher", "filter", "aggregate after", "aggregate before"],
)
async def test_what_is_read_again_is_not_paid_for_again(bench: Any, lines: Any, chain: Any, written: int) -> None:
    lines("a", "b", "c")
    upstream = Upstream()
    async with bench(upstream, incoming=read(*chain, mode="full"), outgoing=OUT) as at:
        await at.runner().run()
        paid = [*upstream.asked]
        assert len(at.written()) == written
        for _ in range(2):
            assert (await at.runner().run()).ended == {}
        lines("d", mode="a")
        await at.runner().run()
    assert sorted(upstream.asked) == sorted([*paid, "d"])


async def test_the_key_of_a_route_is_what_the_chain_makes(bench: Any, lines: Any) -> None:
    lines("a", "b")
    same = {"value-setter": {"configurations": [{"key": "text", "value": "same"}]}}
    async with bench(incoming=read(SAYS, same), outgoing=OUT, routes={"route": {**ROUTE, "key": "text"}}) as at:
        end = await at.runner().run()
    assert end.ended == {"route": {"finished": 1}, "route:incoming": {"finished": 2}}


async def test_a_reset_takes_everything_through_the_chain_once_more(bench: Any, lines: Any) -> None:
    from connector.intake.cursor import reset_cursor

    lines("a")
    upstream = Upstream()
    async with bench(upstream, incoming=read(SAYS), outgoing=OUT, routes={"route": {**ROUTE, "key": "text"}}) as at:
        await at.runner().run()
        await at.store.commit(await reset_cursor(at.store, "route"))
        await at.runner().run()
        assert len(at.written()) == 2
    assert upstream.asked == ["a", "a"]


async def test_documents_whose_order_matters_keep_it(bench: Any, lines: Any) -> None:
    lines(*(f"t{n}" for n in range(20)))
    routes = {"route": {**ROUTE, "order": "'one'", "concurrency": 8}}
    async with bench(incoming=read(SAYS), outgoing=OUT, routes=routes) as at:
        await at.runner().run()
        assert [document["text"] for document in at.written()] == [f"t{n}" for n in range(20)]


async def test_a_route_that_gathers_waits_for_what_is_taken_on(bench: Any, lines: Any) -> None:
    lines(*(f"t{n}" for n in range(7)))
    out = {"out": {**TO_FILE, "chain": [{"aggregate": {"size": 100}}]}}
    async with bench(incoming=read(SAYS), outgoing=out) as at:
        await at.runner().run()
        [together] = at.written()
    assert len(together["items"]) == 7


async def test_a_chain_that_fails_fails_its_task_and_can_be_tried_again(bench: Any, lines: Any) -> None:
    lines("a", "b")
    upstream = Upstream()
    upstream.before = lambda text: httpx.Response(400, json={"error": {}}) if text == "b" else None
    async with bench(upstream, incoming=read(SAYS), outgoing=OUT) as at:
        end = await at.runner().run()
        assert end.ended == {"route": {"finished": 1}, "route:incoming": {"finished": 1, "failed": 1}}
        upstream.before = lambda _: None
        assert await at.store.retry(Filter(states=[TaskState.FAILED])) == 1
        assert (await at.runner().run()).count("finished") == 2
    assert sorted(upstream.asked) == ["a", "b", "b"]


async def test_a_run_ends_when_a_person_must_act_for_the_chain(bench: Any, lines: Any) -> None:
    lines("a", "b")
    upstream = Upstream()
    upstream.before = lambda _: httpx.Response(401, json={"error": {"message": "wrong key"}})
    async with bench(upstream, incoming=read(SAYS), outgoing=OUT) as at:
        end = await at.runner().run()
        assert end.left == {"route:incoming": 2}
        assert "wrong key" in end.paused["route:incoming"].reason


async def test_what_is_gone_is_told_though_its_chain_calls(bench: Any) -> None:
    listed = [{"id": "one", "text": "a"}, {"id": "two", "text": "b"}]
    upstream = Upstream()

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"data": listed, "has_more": False})
        return await upstream(request)

    keyed = {"value-setter": {"configurations": [{"key": "name", "value": "n-&{id}"}]}}
    incoming = {"in": {"subscriber": PAGES, "mode": "full", "chain": [SAYS, keyed]}}
    routes = {"route": {**ROUTE, "key": "?{name}", "deletions": "tombstone"}}
    async with bench(answer, incoming=incoming, outgoing=OUT, routes=routes) as at:
        await at.runner().run()
        gone = listed.pop()
        for _ in range(2):
            await at.runner().run()
        assert at.written()[2:] == [{"key": "n-two", "deleted": True}]
        listed.append(gone)
        await at.runner().run()
        assert at.written()[3:] == [{**gone, "name": "n-two", "said": at.written()[3]["said"]}]
    assert sorted(upstream.asked) == ["a", "b", "b"]


ASKS = {**SAYS["openai"], "payload": {"model": "m", "messages": [{"role": "user", "content": "which?"}]}}
INPUT = [{"openai": {**ASKS, "destination": "said"}}, {"expression": "{query: {after: said.id}}"}]


class Listed(Upstream):
    """Pages of files, of which one may be missing."""

    def __init__(self) -> None:
        super().__init__()
        self.missing = True

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return await super().__call__(request)
        if request.url.params["after"] == "c":
            return httpx.Response(200, json={"data": [{"id": "f1", "text": "x"}], "has_more": True, "last_id": "f1"})
        if self.missing:
            return httpx.Response(500)
        return httpx.Response(200, json={"data": [{"id": "f2", "text": "y"}], "has_more": False})


async def test_what_an_input_chain_paid_for_is_used_until_the_reading_has_ended(bench: Any) -> None:
    upstream = Listed()
    incoming = {"in": {"subscriber": PAGES, "input": INPUT}}
    async with bench(upstream, incoming=incoming, outgoing=OUT) as at:
        for _ in range(2):
            end = await at.runner().run()
            assert isinstance(end.unread["route"], CallFailed)
        assert upstream.asked == ["which?"]
        upstream.missing = False
        await at.runner().run()
        assert sorted(document["id"] for document in at.written()) == ["f1", "f2"]
        assert upstream.asked == ["which?"]
        assert await at.store.records("requests:route") == {}
        await at.runner().run()
    assert upstream.asked == ["which?", "which?"]


async def test_an_input_chain_whose_call_nobody_saw_the_end_of_holds_the_reading(bench: Any) -> None:
    upstream = Listed()
    upstream.missing = False
    upstream.before = lambda _: httpx.Response(502)
    incoming = {"in": {"subscriber": PAGES, "input": INPUT}}
    async with bench(upstream, incoming=incoming, outgoing=OUT) as at:
        for _ in range(2):
            end = await at.runner().run()
            assert "tasks retry" in str(end.unread["route"])
        [task] = await at.store.tasks(Filter(route="route:input"))
        assert (task.state, len(upstream.asked)) == (TaskState.UNKNOWN, 1)
        upstream.before = lambda _: None
        assert await at.store.retry(Filter(ids=[task.id])) == 1
        await at.runner().run()
        assert len(at.written()) == 2


async def test_an_input_chain_that_waits_for_a_person_lets_the_run_end(bench: Any) -> None:
    upstream = Listed()
    upstream.before = lambda _: httpx.Response(401, json={"error": {"message": "wrong key"}})
    async with bench(upstream, incoming={"in": {"subscriber": PAGES, "input": INPUT}}, outgoing=OUT) as at:
        end = await at.runner().run()
        assert "wrong key" in str(end.unread["route"])
        assert end.left == {"route:input": 1}


async def test_an_input_chain_that_makes_nothing_reads_nothing(bench: Any) -> None:
    upstream = Listed()
    drops = [
        *INPUT[:1],
        {"data": {"filters": [{"value-condition": {"accessor": "said.id", "conditions": [{"equals": 1}]}}]}},
    ]
    async with bench(upstream, incoming={"in": {"subscriber": PAGES, "input": drops}}, outgoing=OUT) as at:
        end = await at.runner().run()
        assert end.ended == {"route:input": {"skipped": 1}}
        assert end.unread == {}
    assert upstream.asked == ["which?"]


@pytest.mark.parametrize(
    ("steps", "calls"),
    [
        ([], False),
        ([{"expression": "@"}], False),
        ([{"storage-filter-stored-entity": {"storage": "s"}}], False),
        ([{"data": {"filters": [], "transformers": [{"storage-filter-stored-entity": {"storage": "s"}}]}}], False),
        ([SAYS], True),
        ([{"http-transformer": {"client": "api", "request": "/x"}}], True),
        ([{"data": {"filters": [], "transformers": [SAYS]}}], True),
        ([{"conditional": {"filters": [], "else": [SAYS]}}], True),
        ([{"merger": {"transformer": [SAYS]}}], True),
        ([{"node": {"accessor": "a", "transformers": [SAYS]}}], True),
        (["saved"], True),
        ([{"chain": {"call": {"name": "saved"}}}], True),
    ],
)
def test_whether_a_chain_calls(steps: Any, *, calls: bool) -> None:
    assert compile_chain(steps, {"saved": [SAYS], "unused": [SAYS]}).calls is calls


async def test_deletions_of_gathered_documents_are_refused(bench: Any) -> None:
    incoming = {"in": {"subscriber": PAGES, "mode": "full", "chain": [SAYS, {"aggregate": {"size": 2}}]}}
    routes = {"route": {**ROUTE, "deletions": "tombstone"}}
    async with bench(incoming=incoming, outgoing=OUT, routes=routes) as at:
        with pytest.raises(ConfigurationError, match="calls and gathers"):
            await at.runner().run()


@pytest.mark.parametrize("where", ["incoming", "outgoing"])
async def test_a_run_ends_when_a_person_must_act_for_a_chain_that_gathers(bench: Any, lines: Any, where: str) -> None:
    lines("a", "b", "c")
    upstream = Upstream()
    upstream.before = lambda _: httpx.Response(401, json={"error": {"message": "wrong key"}})
    chain = [SAYS, {"aggregate": {"size": 2}}]
    sections = {"incoming": read(*chain), "outgoing": OUT}
    if where == "outgoing":
        sections = {"incoming": {"in": IN_FILE}, "outgoing": {"out": {**TO_FILE, "chain": chain}}}
    async with bench(upstream, **sections) as at:
        end = await at.runner().run()
        name = "route:incoming" if where == "incoming" else "route"
        assert end.left == {name: 3}
        assert "wrong key" in end.paused[name].reason


async def test_possible_duplicates_of_documents_that_were_gathered_are_named(bench: Any, lines: Any) -> None:
    lines("a", "b", "c")
    upstream = Upstream()
    failing = ["b"]
    upstream.before = lambda text: httpx.Response(502) if text in failing and not failing.remove(text) else None
    routes = {"route": {**ROUTE, "on_unknown": "retry", "retry_delay": 0.01}}
    async with bench(upstream, incoming=read(SAYS, {"aggregate": {"size": 3}}), outgoing=OUT, routes=routes) as at:
        await at.runner().run()
        tasks = await at.store.tasks(Filter(route="route:incoming"))
        [twice] = [task for task in tasks if task.document["text"] == "b"]
        said = f"task {twice.id}: sent again although it may have taken effect"
        assert said in twice.reason
        group = await at.store.task(twice.carrier)
        assert said in group.reason
    assert sorted(upstream.asked) == ["a", "b", "b", "c"]
