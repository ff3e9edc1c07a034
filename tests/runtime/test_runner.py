"""Whole runs over the embedded engine: what is read is delivered, and what is left is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.engine import Change, NewTask, Store, TaskState, open_store
from connector.errors import ConfigurationError, UnknownName
from connector.pipeline import Runtime
from connector.runtime.plan import Plan
from connector.runtime.runner import Runner
from tests.runtime.kit import until

ASK = {
    "request": {"payload": {"model": "m", "messages": [{"role": "user", "content": "&{text}"}]}},
    "publisher": {"prototype": "openai", "parameters": {"client": "openai", "entity": "chat completions"}},
}
TEXT = [{"expression": {"expression": "{text: body.choices[0].message.content}"}}]
SAID = [{"value-setter": {"configurations": [{"key": "said", "value": "&{body.choices[0].message.content}"}]}}]
TO_FILE = {"publisher": {"prototype": "file", "parameters": {"url": "out.jsonl"}}}
IN_FILE = {"subscriber": {"prototype": "file", "parameters": {"url": "in.jsonl"}}}
ROUTE = {"incoming": "in", "outgoing": "out"}


class Upstream:
    """Answers chat completions, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.under_way = 0
        self.most = 0
        self.before: Callable[[str], Any] = lambda _: None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        text = json.loads(request.content)["messages"][-1]["content"]
        self.asked.append(text)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            found = self.before(text)
            if asyncio.iscoroutine(found):
                found = await found
        finally:
            self.under_way -= 1
        body = {"id": "c", "choices": [{"message": {"content": f"re: {text}"}}]}
        if isinstance(found, httpx.Response):
            return found
        return httpx.Response(200, json=body | {"usage": {"prompt_tokens": 3, "completion_tokens": 2}})


class Bench:
    """Runs over one folder and one store."""

    def __init__(self, runtime: Runtime, store: Store, folder: Path) -> None:
        self.runtime = runtime
        self.store = store
        self.folder = folder

    def runner(self, *routes: str, once: bool = True, **options: Any) -> Runner:
        return Runner(self.runtime, self.store, Plan.of(self.runtime.configuration, routes), once=once, **options)

    async def states(self) -> dict[str, dict[str, int]]:
        counts = await self.store.counts()
        return {route: {state.value: count for state, count in states.items()} for route, states in counts.items()}

    def written(self, name: str = "out.jsonl") -> list[Any]:
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def bench(runtime: Callable[..., Runtime], tmp_path: Path) -> Callable[..., Any]:
    @asynccontextmanager
    async def make(upstream: Any = None, **sections: Any) -> AsyncGenerator[Bench]:
        sections = {"incoming": {"in": IN_FILE}, "routes": {"route": ROUTE}, **sections}
        async with runtime(upstream or Upstream(), **sections) as at_work:
            store = await open_store(at_work.configuration.engine_url)
            try:
                yield Bench(at_work, store, tmp_path)
            finally:
                await store.close()

    return make


@pytest.fixture
def lines(tmp_path: Path) -> Callable[..., None]:
    def write(*texts: str, mode: str = "w") -> None:
        with (tmp_path / "in.jsonl").open(mode) as file:
            file.writelines(json.dumps({"text": text}) + "\n" for text in texts)

    return write


OUT = {"out": {**ASK, "answer": {"chain": SAID, **TO_FILE}}}


async def test_once_delivers_everything_and_ends(bench: Any, lines: Any) -> None:
    lines(*(f"t{n}" for n in range(50)))
    upstream = Upstream()
    async with bench(upstream, outgoing=OUT) as at:
        end = await at.runner().run()
        assert end.ended == {"route": {"finished": 50}}
        assert end.left == {}
        assert sorted(document["said"] for document in at.written()) == sorted(f"re: t{n}" for n in range(50))
        again = await at.runner().run()
        assert again.ended == {}
    assert sorted(upstream.asked) == sorted(f"t{n}" for n in range(50))


async def test_what_fails_and_what_cannot_be_read_is_counted(bench: Any, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\nbroken\n{"no": 1}\n{"text": "bad"}\n')
    upstream = Upstream()
    upstream.before = lambda text: httpx.Response(400, json={"error": {"message": "no"}}) if text == "bad" else None
    async with bench(upstream, outgoing=OUT) as at:
        end = await at.runner().run()
        assert end.ended == {"route": {"finished": 1, "failed": 3}}


async def test_an_unread_line_that_is_mended_is_delivered(bench: Any, tmp_path: Path) -> None:
    from connector.engine import Filter

    (tmp_path / "in.jsonl").write_text("broken\n")
    async with bench(outgoing=OUT) as at:
        await at.runner().run()
        (task,) = await at.store.tasks(Filter())
        assert task.state is TaskState.FAILED
        mended = {"$text": '{"text": "mended"}', "$error": task.document["$error"]}
        assert await at.store.retry(Filter(ids=(task.id,)), document=mended) == 1
        end = await at.runner().run()
        assert end.ended["route"]["finished"] == 2, "the line, and the document that came of it"
        assert [document["said"] for document in at.written()] == ["re: mended"]


async def test_answers_of_one_route_are_documents_of_another(bench: Any, lines: Any) -> None:
    lines("a", "b")
    follow = {"subscriber": {"prototype": "route", "parameters": {"route": "route"}}}
    sections = {
        "incoming": {"in": IN_FILE, "answers": follow},
        "outgoing": {
            "out": {**ASK, "answer": {"chain": TEXT}},
            "second": OUT["out"],
        },
        "routes": {"route": ROUTE, "next": {"incoming": "answers", "outgoing": "second"}},
    }
    async with bench(**sections) as at:
        end = await at.runner().run()
        assert end.ended == {"route": {"finished": 2}, "next": {"finished": 2}}
        assert sorted(document["said"] for document in at.written()) == ["re: re: a", "re: re: b"]


async def test_a_run_of_some_routes_says_what_waits_on_others(bench: Any, lines: Any) -> None:
    lines("a")
    follow = {"subscriber": {"prototype": "route", "parameters": {"route": "route"}}}
    sections = {
        "incoming": {"in": IN_FILE, "answers": follow},
        "outgoing": OUT,
        "routes": {"route": ROUTE, "next": {"incoming": "answers", "outgoing": "out"}},
    }
    async with bench(**sections) as at:
        end = await at.runner("route").run()
        assert end.elsewhere == {"next": 1}


async def test_publishers_of_answers_that_call_have_tasks_of_their_own(bench: Any, lines: Any) -> None:
    lines("a")
    chain = [{"expression": {"expression": "{payload: {model: 'm', messages: [{role: 'user', content: 'on'}]}}"}}]
    out = {**ASK, "answer": {"chain": chain, "publisher": ASK["publisher"]}}
    upstream = Upstream()
    async with bench(upstream, outgoing={"out": out}) as at:
        end = await at.runner().run()
        assert end.ended == {"route": {"finished": 1}, "route:answer": {"finished": 1}}
    assert upstream.asked == ["a", "on"]


async def test_documents_that_a_route_gathers_go_together_and_the_rest_at_the_end(bench: Any, lines: Any) -> None:
    lines(*(f"t{n}" for n in range(10)))
    chain = [{"aggregate": {"size": 4}}, {"value-setter": {"configurations": {"text": "many"}}}]
    upstream = Upstream()
    async with bench(upstream, outgoing={"out": {**OUT["out"], "chain": chain}}) as at:
        end = await asyncio.wait_for(at.runner().run(), 60)
        assert end.left == {}
        assert end.ended["route"] == {"finished": 10}
    assert upstream.asked == ["many"] * 3


async def test_a_paused_client_ends_the_run_and_its_tasks_wait(bench: Any, lines: Any) -> None:
    lines(*(f"t{n}" for n in range(100)))
    upstream = Upstream()
    spent = {"error": {"code": "insufficient_quota", "message": "credit is used up", "type": "insufficient_quota"}}
    upstream.before = lambda _: httpx.Response(429, json=spent)
    async with bench(upstream, outgoing=OUT) as at:
        end = await asyncio.wait_for(at.runner().run(), 60)
        assert end.left == {"route": 100}
        assert "credit is used up" in end.paused["route"].reason
        assert len(upstream.asked) <= 20, "nobody burns"
    upstream.before = lambda _: None
    async with bench(upstream, outgoing=OUT) as at:
        again = await asyncio.wait_for(at.runner().run(), 60)
        assert again.ended == {"route": {"finished": 100}}


async def test_a_reading_that_breaks_off_is_told_and_what_was_read_is_delivered(bench: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            body = {"id": "c", "choices": [{"message": {"content": "x"}}]}
            return httpx.Response(200, json=body)
        if request.url.params.get("after"):
            return httpx.Response(500)
        return httpx.Response(200, json={"data": [{"id": "f1", "text": "a"}], "has_more": True})

    incoming = {"in": {"subscriber": {"prototype": "openai", "parameters": {"client": "openai", "entity": "files"}}}}
    async with bench(answer, incoming=incoming, outgoing=OUT) as at:
        end = await at.runner().run()
        assert end.ended == {"route": {"finished": 1}}
        assert "500" in str(end.unread["route"])


async def test_a_service_stops_gracefully_and_the_next_run_goes_on(bench: Any, lines: Any) -> None:
    lines(*(f"t{n}" for n in range(200)))
    upstream, release = Upstream(), asyncio.Event()
    upstream.before = lambda _: release.wait()
    async with bench(upstream, outgoing=OUT) as at:
        runner = at.runner(once=False)
        run = asyncio.create_task(runner.run())
        await until(lambda: upstream.under_way == 16)
        runner.stop("by SIGTERM")
        release.set()
        end = await run
        assert end.stopped == "by SIGTERM"
        assert end.ended == {"route": {"finished": 16}}
        assert (await at.states())["route"].get("processing") is None, "what was leased is given back"
        end = await at.runner().run()
        assert end.ended == {"route": {"finished": 184}}
    assert sorted(upstream.asked) == sorted({*upstream.asked}), "nothing was asked twice"


async def test_what_takes_longer_than_the_grace_is_left_as_it_stands(bench: Any, lines: Any, caplog: Any) -> None:
    lines("slow")
    upstream = Upstream()
    upstream.before = lambda _: asyncio.Event().wait()
    async with bench(upstream, outgoing=OUT) as at:
        runner = at.runner(once=False, grace=0.05)
        run = asyncio.create_task(runner.run())
        await until(lambda: upstream.under_way == 1)
        runner.stop("by SIGTERM")
        end = await run
        assert end.left == {"route": 1}
    assert "still under way" in caplog.text


async def test_a_service_delivers_what_somebody_retries(bench: Any, lines: Any) -> None:
    from connector.engine import Filter

    lines("a")
    upstream = Upstream()
    upstream.before = lambda _: httpx.Response(400, json={"error": {"message": "no"}})
    async with bench(upstream, outgoing=OUT) as at:
        runner = at.runner(once=False)
        run = asyncio.create_task(runner.run())
        await until(lambda: len(upstream.asked) == 1)
        await until(lambda: runner.metrics.attempts.values.get(("route", "failed")) == 1)
        upstream.before = lambda _: None
        await at.store.retry(Filter(states=(TaskState.FAILED,)))
        await until(lambda: len(upstream.asked) == 2)
        runner.stop("done")
        end = await run
        assert end.ended == {"route": {"finished": 1}}


async def test_a_route_begins_after_another(bench: Any, lines: Any, tmp_path: Path) -> None:
    lines("a", "b")
    (tmp_path / "second.jsonl").write_text('{"text": "second"}\n')
    second = {"subscriber": {"prototype": "file", "parameters": {"url": "second.jsonl"}}}
    upstream = Upstream()
    sections = {
        "incoming": {"in": IN_FILE, "in2": second},
        "outgoing": OUT,
        "routes": {"route": ROUTE, "later": {"incoming": "in2", "outgoing": "out"}},
        "schedules": {
            "first": {"on_start": True, "run": ["route"]},
            "then": {"after": "route", "run": ["later"]},
        },
    }
    async with bench(upstream, **sections) as at:
        runner = at.runner(once=False)
        run = asyncio.create_task(runner.run())
        await until(lambda: len(upstream.asked) == 3)
        runner.stop("done")
        await run
    assert upstream.asked[-1] == "second"


async def test_a_route_that_only_a_schedule_starts_is_not_read_at_once(bench: Any, lines: Any) -> None:
    lines("a")
    sections = {"outgoing": OUT, "schedules": {"nightly": {"every": "0 3 1 1 *", "run": ["in"]}}}
    async with bench(**sections) as at:
        plan = Plan.of(at.runtime.configuration)
        assert list(plan.on_start) == []
        assert plan.schedules[0].routes == ["route"], "an incoming connection stands for the routes that read it"


async def test_tasks_that_are_left_are_delivered_though_nothing_is_read(bench: Any, lines: Any) -> None:
    lines()
    async with bench(outgoing=OUT) as at:
        await at.store.commit(Change(accept=[NewTask(route="route", document={"text": "left over"})]))
        end = await at.runner().run()
        assert end.ended == {"route": {"finished": 1}}


async def test_an_error_that_nobody_expected_fails_its_task_after_its_attempts(bench: Any, lines: Any) -> None:
    lines("a", "poison", "b")
    upstream = Upstream()

    def breaks(text: str) -> None:
        if text == "poison":
            raise ZeroDivisionError("who would have thought")

    upstream.before = breaks
    routes = {"route": {**ROUTE, "attempts": 2, "retry_delay": 0}}
    async with bench(upstream, outgoing=OUT, routes=routes) as at:
        end = await asyncio.wait_for(at.runner().run(), 60)
        states = (await at.states())["route"]
        assert states.pop("finished") == 2
        assert sum(states.values()) == 1
        assert end.left == {}


@pytest.mark.parametrize(("names", "says"), [(["rout"], "did you mean 'route'"), (["off"], "disabled")])
async def test_routes_that_cannot_run_are_refused(bench: Any, names: list[str], says: str) -> None:
    routes = {"route": ROUTE, "off": {**ROUTE, "disabled": True}}
    async with bench(outgoing=OUT, routes=routes) as at:
        with pytest.raises((ConfigurationError, UnknownName), match=says):
            Plan.of(at.runtime.configuration, names)


async def test_one_trace_goes_from_a_document_to_what_comes_of_its_answer(bench: Any, lines: Any) -> None:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from connector.telemetry.observer import Observer
    from connector.telemetry.otlp import OpenTelemetryTracing

    lines("a")
    follow = {"subscriber": {"prototype": "route", "parameters": {"route": "route"}}}
    sections = {
        "incoming": {"in": IN_FILE, "answers": follow},
        "outgoing": {"out": {**ASK, "answer": {"chain": TEXT}}, "second": OUT["out"]},
        "routes": {"route": ROUTE, "next": {"incoming": "answers", "outgoing": "second"}},
    }
    exporter = InMemorySpanExporter()
    observer = Observer(tracing=OpenTelemetryTracing.to(exporter, Resource.create({}), lambda text: text))
    async with bench(**sections) as at:
        await at.runner(observer=observer).run()
    observer.close()
    spans = exporter.get_finished_spans()
    assert {span.name for span in spans} >= {"accept route", "task route", "task next"}
    tasks = {span.context.span_id for span in spans if span.name.startswith("task")}
    calls = [span for span in spans if span.name.startswith("chat")]
    assert {span.parent.span_id for span in calls} == tasks
    assert len({span.context.trace_id for span in spans}) == 1
