"""The promise, over any order of answers and crashes: nothing lost, nothing paid twice in silence."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connector.delivery import reconcile
from connector.engine import ENDS, Change, Task, TaskState, failpoints

STORES = {"prototype": "openai", "parameters": {"client": "openai", "entity": "vector stores"}}
NAMED = {"payload": {"name": "&{text}"}}
KINDS: dict[str, Any] = {
    "opaque": {},
    "opaque, again": {"route": {"on_unknown": "retry"}},
    "reconcilable": {"out": {"publisher": STORES, "request": NAMED}},
}
ANSWERS = ("done", "dropped", "never came", "trouble", "trouble after all", "too many", "away", "not let in", "wrong")
POINTS = (
    "delivery.doubts.resolved", "delivery.intent.before", "delivery.intent.committed", "delivery.outcome.seen",
    "delivery.requests.done", "settle", "committed", "delivery.lines.before", "delivery.lines.written",
)  # fmt: skip
SAID = {"prototype": "file", "parameters": {"url": "out.jsonl", "content": "&{document.text}"}}


class Crash(BaseException):
    """The process is gone."""


class World:
    """An upstream that remembers its effects, and answers as it was told as long as it was told anything."""

    def __init__(self, script: list[str]) -> None:
        self.script = list(script)
        self.things: list[dict[str, Any]] = []
        self.effects: Counter[str] = Counter()
        self.dropped = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        then = self.script.pop(0) if self.script else "done"
        if then == "away":
            raise httpx.ConnectError("refused", request=request)
        if then == "not let in":
            return self.no(401)
        if then == "too many":
            return self.no(429)
        if request.method == "GET":
            return (
                self.no(500)
                if "trouble" in then
                else httpx.Response(200, json={"data": self.things[::-1], "has_more": False})
            )
        return self.effect(request, then)

    def effect(self, request: httpx.Request, then: str) -> httpx.Response:
        if then == "wrong":
            return self.no(400)
        if then == "trouble":
            return self.no(500)
        if then == "never came":
            raise httpx.ReadError("reset", request=request)
        asked = json.loads(request.content)
        text = asked.get("name") or asked["messages"][0]["content"]
        self.effects[text] += 1
        thing = {"id": f"x-{len(self.things)}", "created_at": 2_000_000_000, **asked}
        self.things.append(thing)
        if then == "dropped":
            raise httpx.ReadError("reset", request=request)
        return self.no(500) if then == "trouble after all" else httpx.Response(200, json=thing)

    @staticmethod
    def no(status: int) -> httpx.Response:
        return httpx.Response(status, json={"error": {"message": "no"}})


class Crashes:
    """Ends the process at some of the places that it comes to."""

    def __init__(self, at: list[tuple[str, int]]) -> None:
        self.at = set(at)
        self.seen: Counter[str] = Counter()

    def __call__(self, name: str) -> None:
        if name in POINTS:
            self.seen[name] += 1
            if (name, self.seen[name]) in self.at:
                raise Crash(name)


async def lived(at: Any, crashes: Crashes) -> None:
    """Works until nothing is left to do; a crash loses what was not committed."""
    for _ in range(2000):
        try:
            tasks: list[Task] = await at.store.lease("r", 2)
            for task in tasks:
                change: Change = await at.delivery().attempt(task)
                crashes("settle")
                await at.store.commit(change)
                crashes("committed")
            await at.lines()
        except Crash:
            await at.crash()
            continue
        if tasks:
            continue
        due = await at.store.next_due("r")
        if due is None:
            return
        at.clock.now = max(at.clock.now, due)
    raise AssertionError("it never came to an end")


def named_repeats(task: Task) -> int:
    """How many of a task's calls may have taken effect beside the one that counts, as its end or its journal says."""
    return task.reason.count("in attempt") if task.state is TaskState.FINISHED else len(task.calls)


@pytest.mark.parametrize("kind", KINDS)
@settings(
    max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.differing_executors],
)  # fmt: skip
@given(
    script=st.lists(st.sampled_from(ANSWERS), max_size=14),
    crashed=st.lists(st.tuples(st.sampled_from(POINTS), st.integers(1, 5)), max_size=4),
)
def test_the_promise(kind: str, script: list[str], crashed: list[tuple[str, int]], open_bench: Any) -> None:
    asyncio.run(kept(kind, script, crashed, open_bench))


async def kept(kind: str, script: list[str], crashed: list[tuple[str, int]], open_bench: Any) -> None:
    world, crashes, point = World(script), Crashes(crashed), failpoints.reach
    given = {name: dict(value) for name, value in KINDS[kind].items()}
    given["out"] = {**given.get("out", {}), "answer": {"publisher": SAID}}
    with TemporaryDirectory() as folder:
        async with open_bench(Path(folder), world, **given) as at:
            texts = [f"t{n}" for n in range(3)]
            numbers = await at.accept(*({"text": text} for text in texts))
            failpoints.reach = crashes  # type: ignore[assignment]
            try:
                await lived(at, crashes)
            finally:
                failpoints.reach = point
            tasks = [await at.task(number) for number in numbers]
            lines = (
                Counter((Path(folder) / "out.jsonl").read_text().split())
                if (Path(folder) / "out.jsonl").exists()
                else Counter()
            )
    for text, task in zip(texts, tasks, strict=True):
        judged(kind, task, world.effects[text], lines[json.dumps(text)])


def judged(kind: str, task: Task, effects: int, lines: int) -> None:
    """One end, an effect where it says so, none twice unless that is named, a line for each that finished."""
    assert task.state in ENDS
    assert not any(call.open for call in task.calls)
    finished = task.state is TaskState.FINISHED
    assert lines == int(finished)
    if finished:
        assert effects >= 1
    if kind == "opaque, again":
        assert effects - 1 <= named_repeats(task)
        assert effects <= 1 or not finished or "sent again" in task.reason
    else:
        assert effects <= 1


def test_the_promise_can_be_broken(open_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that forgets what was cut off pays twice, and is caught."""

    monkeypatch.setattr(reconcile, "_is_in_doubt", lambda _: False)
    with pytest.raises(AssertionError):
        asyncio.run(kept("opaque", ["done"], [("settle", 1)], open_bench))
    with pytest.raises(AssertionError), suppress(Crash):
        asyncio.run(kept("reconcilable", ["dropped"], [], open_bench))
