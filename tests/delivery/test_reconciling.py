"""Calls that are looked for, whatever clocks say, however late things show, whatever becomes of lists and clients."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.engine import Filter, TaskState

YEARS = 10 * 365 * 86_400.0
OFFSETS = [sign * seconds for seconds in (60.0, 61.0, 3600.0, 86_400.0, YEARS) for sign in (1, -1)]
KINDS = {
    "own key": {"prototype": "openai", "parameters": {"client": "openai", "entity": "vector stores"}},
    "name": {"prototype": "openai", "parameters": {"client": "openai", "entity": "containers"}},
}
NAMED = {"payload": {"name": "&{name}"}}


@dataclass
class Api:
    """Makes things and lists them, by a clock of its own.

    Attributes:
        now: the clock that time passes by.
        offset: how far the clock that dates things is ahead of that.
        date: how far the clock of the `Date` header is; no header unless given.
        lag: seconds after which a list shows a thing.
        takes: seconds that a call takes before its answer is lost.
        lists: what becomes of the next lists.
    """

    now: Callable[[], float] = lambda: 0.0
    offset: float = 0.0
    date: float | None = None
    lag: float = 0.0
    takes: float = 0.0
    acts: bool = True
    lost: int = 1
    things: list[dict[str, Any]] = field(default_factory=list)
    lists: list[Callable[[list[dict[str, Any]]], httpx.Response]] = field(default_factory=list)
    oldest_first: bool = False
    listed: int = 0
    clock: Any = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = self.listing(request) if request.method == "GET" else self.made(request)
        if self.date is not None:
            answer.headers["date"] = formatdate(self.now() + self.date, usegmt=True)
        return answer

    def listing(self, request: httpx.Request) -> httpx.Response:
        self.listed += 1
        shown = [thing for thing in self.things if thing["at"] + self.lag <= self.now()]
        shown = shown if self.oldest_first else shown[::-1]
        if self.lists:
            return self.lists.pop(0)(shown)
        ids = [thing["id"] for thing in shown]
        after = request.url.params.get("after")
        start = ids.index(after) + 1 if after in ids else 0
        page = shown[start : start + int(request.url.params["limit"])]
        more = start + len(page) < len(shown)
        return httpx.Response(200, json={"data": page, "has_more": more, "last_id": page[-1]["id"] if page else None})

    def made(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        if self.acts:
            self.put(**asked)
        self.clock.now += self.takes
        if self.lost:
            self.lost -= 1
            raise httpx.ReadError("reset", request=request)
        return httpx.Response(200, json=self.things[-1])

    def put(self, **asked: Any) -> None:
        at = self.now()
        self.things.append({"id": f"x-{len(self.things)}", "at": at, "created_at": int(at + self.offset), **asked})

    def named(self, name: str = "products") -> int:
        return sum(thing.get("name") == name for thing in self.things)


@pytest.fixture
async def begun(bench: Any) -> Callable[..., Any]:
    async def begin(kind: str = "own key", *, given: dict[str, Any] | None = None, **api: Any) -> tuple[Any, Api, int]:
        upstream = Api(**api)
        at = await bench(upstream, out={"publisher": KINDS[kind], "request": NAMED}, **(given or {}))
        upstream.now = upstream.clock = at.clock
        [number] = await at.accept({"name": "products"})
        return at, upstream, number

    return begin


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("offset", OFFSETS)
async def test_no_difference_of_clocks_hides_what_was_made(begun: Any, kind: str, offset: float) -> None:
    at, api, number = await begun(kind, offset=offset)
    api.put(name="products")  # somebody else's of that name, made just before
    await at.work()
    for n in range(120):
        api.put(name=f"other-{n}")
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, task.reason, api.named()) == (TaskState.FINISHED, "", 2)
    assert task.calls[0].outcome["body"]["id"] == "x-1"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("offset", OFFSETS)
async def test_no_difference_of_clocks_takes_another_thing_for_it(begun: Any, kind: str, offset: float) -> None:
    at, api, number = await begun(kind, offset=offset, acts=False)
    api.put(name="products")
    await at.work()
    api.acts = True
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, api.named()) == (TaskState.FINISHED, 2)
    assert "looked for in vain and sent again" in task.reason


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("jump", "date"), [(jump, date) for jump, date in zip(OFFSETS, (None, 0.0, 3600.0, -YEARS) * 3, strict=False)]
)
@pytest.mark.parametrize("killed", [True, False])
async def test_no_jump_of_our_clock_makes_a_list_settle_sooner(
    begun: Any, kind: str, jump: float, killed: bool, date: float | None
) -> None:
    at, api, number = await begun(kind, lag=20.0, lost=0 if killed else 1, date=date)
    await (at.cut_off() if killed else at.work())
    at.shared.wall = lambda: at.clock() + jump
    for _ in range(100):
        await at.work()
        at.clock.now += 1
    task = await at.task(number)
    if task.state is TaskState.WAITING:  # until a time that the clock which jumped has named
        at.clock.now = max(task.due, at.clock.now)
        await at.until_ended()
    task = await at.task(number)
    assert (task.state, api.named()) == (TaskState.FINISHED, 1)


@pytest.mark.parametrize("oldest_first", [True, False])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_list_may_have_an_order_of_its_own(begun: Any, kind: str, oldest_first: bool) -> None:
    at, api, number = await begun(kind, oldest_first=oldest_first)
    for n in range(250):
        api.put(name=f"other-{n}")
    api.put(name="products")
    await at.work()
    await at.until_ended()
    assert ((await at.task(number)).state, api.named()) == (TaskState.FINISHED, 2)


async def test_the_window_counts_from_the_end_of_a_long_call(begun: Any) -> None:
    at, api, number = await begun(takes=500.0, lag=520.0)
    await at.work()
    await at.until_ended()
    assert ((await at.task(number)).state, api.named()) == (TaskState.FINISHED, 1)


@pytest.mark.parametrize("date", [None, 0.0])
async def test_a_call_that_was_killed_may_take_as_long_as_it_may_take(begun: Any, date: float | None) -> None:
    at, api, number = await begun(lost=0, lag=615.0, date=date)
    await at.cut_off()
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, api.named(), len(task.calls)) == (TaskState.FINISHED, 1, 1)


async def test_what_shows_soon_after_a_kill_ends_the_wait(begun: Any) -> None:
    at, api, number = await begun(lost=0, lag=8.0)
    await at.cut_off()
    began = at.clock()
    await at.work()
    waits = (await at.task(number)).reason
    until = datetime.fromtimestamp(began + 630).astimezone()
    assert f"vector stores create may still take effect until {until:%H:%M:%S %Z}; it is looked for" in waits
    await at.until_ended()
    assert ((await at.task(number)).state, api.named(), api.listed) == (TaskState.FINISHED, 1, 3)
    assert at.clock() - began <= 15


async def test_a_list_is_not_asked_all_the_time(begun: Any) -> None:
    at, api, number = await begun(lost=0, acts=False)
    await at.cut_off()
    api.acts = True
    await at.until_ended()
    assert ((await at.task(number)).state, api.named(), api.listed) == (TaskState.FINISHED, 1, 10)


async def test_a_process_that_comes_back_late_need_not_wait(begun: Any) -> None:
    at, api, _ = await begun(lost=0, date=7.0)
    await at.work()
    api.acts = False
    [other] = await at.accept({"name": "late"})
    await at.cut_off()
    api.acts = True
    at.clock.now += 700
    began = at.clock()
    await at.until_ended()
    assert ((await at.task(other)).state, api.named("late")) == (TaskState.FINISHED, 1)
    assert at.clock() - began < 10


async def test_how_long_a_list_settles_is_configured(begun: Any) -> None:
    at, api, number = await begun(acts=False, given={"timeouts": {"settling": 5}})
    began = at.clock()
    await at.work()
    api.acts = True
    await at.until_ended()
    assert (await at.task(number)).state is TaskState.FINISHED
    assert at.clock() - began < 15


async def test_what_shows_too_late_is_named(begun: Any) -> None:
    at, api, number = await begun(lag=1000.0)
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, api.named()) == (TaskState.FINISHED, 2)
    assert "looked for in vain and sent again, so it may have taken effect twice" in task.reason
    assert task.calls[0].outcome["missing"] is True


def whole(shown: list[dict[str, Any]]) -> bytes:
    return json.dumps({"data": shown, "has_more": False}).encode()


def reset(_: list[dict[str, Any]]) -> httpx.Response:
    raise httpx.ReadError("reset")


SPOILT: dict[str, Callable[[list[dict[str, Any]]], httpx.Response]] = {
    "cut": lambda shown: httpx.Response(200, content=whole(shown)[:-20], headers={"content-type": "application/json"}),
    "reset": reset,
    "500": lambda _: httpx.Response(500, json={"error": {"message": "no"}}),
    "502": lambda _: httpx.Response(502, text="<html>bad gateway"),
    "429": lambda _: httpx.Response(429, json={"error": {"message": "slow down"}}),
    "no JSON": lambda _: httpx.Response(200, text="<html>log in", headers={"content-type": "text/html"}),
    "an error": lambda _: httpx.Response(200, json={"error": {"message": "try again", "code": "server_error"}}),
    "no list": lambda _: httpx.Response(200, json={"object": "list"}),
    "null": lambda _: httpx.Response(200, json={"data": None, "has_more": False}),
    "empty, and more": lambda _: httpx.Response(200, json={"data": [], "has_more": True}),
    "empty, and more somewhere": lambda _: httpx.Response(200, json={"data": [], "has_more": True, "last_id": "x"}),
    "a redirect": lambda _: httpx.Response(302, headers={"location": "https://portal.example/"}),
    "a part": lambda shown: httpx.Response(200, json={"data": [{"id": "y"}], "has_more": True, "last_id": "y"}),
}
ENDS = ("empty, and more somewhere", "a part")
"""After which the next page is asked for, and says that there is no more."""


@pytest.mark.parametrize("spoilt", SPOILT)
@pytest.mark.parametrize("acts", [True, False])
async def test_only_a_complete_list_is_a_verdict(begun: Any, spoilt: str, acts: bool) -> None:
    at, api, number = await begun(acts=acts)
    await at.work()
    api.acts = True
    again: list[Any] = [SPOILT[spoilt]] * 5
    if spoilt in ENDS:
        again = [SPOILT[spoilt], SPOILT["500"]] * 3
    api.lists = again
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, api.named()) == (TaskState.FINISHED, 1)
    assert not api.lists
    assert bool(task.reason) is not acts


async def test_a_list_that_never_is_one_leaves_the_task_unknown(begun: Any) -> None:
    at, api, number = await begun()
    api.lists = [SPOILT["no JSON"]] * 1000
    await at.until_ended(most=2000)
    task = await at.task(number)
    assert task.state is TaskState.UNKNOWN
    assert "cannot be looked up" in task.reason


@dataclass
class Changed:
    """What somebody changes in a configuration between a kill and the next run."""

    client: str = "openai"
    publisher: dict[str, Any] = field(default_factory=lambda: KINDS["own key"])
    base: str = ""
    more: dict[str, Any] = field(default_factory=dict)


def through(client: str) -> dict[str, Any]:
    return {"prototype": "openai", "parameters": {"client": client, "entity": "vector stores"}}


CHANGES = {
    "another name and account": Changed("another", through("another"), more={"account": {"organization": "org-2"}}),
    "another account": Changed(more={"account": {"organization": "org-2"}}),
    "another project": Changed(more={"account": {"project": "proj-2"}}),
    "another address": Changed(more={"account": {"base_uri": "https://other.example/v1"}}),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_client_that_is_not_what_it_was_leaves_the_task_unknown(
    open_bench: Any, tmp_path: Any, change: str
) -> None:
    api, changed = Api(lost=0), CHANGES[change]
    out = {"publisher": KINDS["own key"], "request": NAMED}
    async with open_bench(tmp_path, api, out=out) as at:
        api.now = api.clock = at.clock
        [number] = await at.accept({"name": "products"})
        await at.cut_off()
    other = {"publisher": changed.publisher, "request": NAMED}
    async with open_bench(tmp_path, api, out=other, client=changed.client, **changed.more) as at:
        api.now = api.clock = at.clock
        await at.until_ended()
        task = await at.task(number)
    assert (task.state, api.named()) == (TaskState.UNKNOWN, 1)
    assert "may have taken effect in attempt 1" in task.reason
    assert "client" in task.reason
    assert "retry" in task.reason
    # Put back, and retried by hand: it is looked for before anything is sent.
    async with open_bench(tmp_path, api, out=out) as at:
        api.now = api.clock = at.clock
        await at.store.retry(Filter(ids=[number]))
        await at.until_ended()
        assert ((await at.task(number)).state, api.named()) == (TaskState.FINISHED, 1)


@dataclass
class Paying:
    """Answers chats, and makes stores."""

    stores: Api
    chats: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/chat/completions"):
            return self.stores(request)
        self.chats += 1
        return httpx.Response(200, json={"choices": [{"message": {"content": "yes"}}]})


def asking(client: str) -> dict[str, Any]:
    payload = {"model": "m", "messages": [{"role": "user", "content": "&{name}"}]}
    asked = {"client": client, "entity": "chat completions", "action": "create", "payload": payload}
    return {"publisher": through(client), "request": NAMED, "chain": [{"openai": {**asked, "destination": "thought"}}]}


async def test_a_client_of_another_name_is_the_same_for_what_was_asked_and_paid(
    open_bench: Any, tmp_path: Path
) -> None:
    api = Paying(Api(lost=0))
    async with open_bench(tmp_path, api, out=asking("openai")) as at:
        api.stores.now = api.stores.clock = at.clock
        [number] = await at.accept({"name": "products"})
        await at.cut_off()
    async with open_bench(tmp_path, api, out=asking("another"), client="another") as at:
        api.stores.now = api.stores.clock = at.clock
        await at.until_ended()
        task = await at.task(number)
    assert (task.state, task.reason, api.stores.named(), api.chats) == (TaskState.FINISHED, "", 1, 1)


async def test_what_is_gathered_names_a_paid_answer_that_was_not_used(open_bench: Any, tmp_path: Path) -> None:
    api = Paying(Api(lost=0))
    gathers = {"aggregate": {"size": 1, "seconds": 0.1}}
    to = {"publisher": through("openai"), "request": {"payload": {"name": "all"}}}

    def chain(said: str) -> list[Any]:
        payload = {"model": "m", "messages": [{"role": "user", "content": said}]}
        asked = {"client": "openai", "entity": "chat completions", "action": "create", "payload": payload}
        made = {"client": "openai", "entity": "vector stores", "action": "create", "payload": {"name": "&{name}"}}
        return [
            {"openai": {**asked, "destination": "thought"}},
            {"openai": {**made, "destination": "made"}},
            gathers,
        ]

    async with open_bench(tmp_path, api, out=to, route={"chain": chain("one &{name}")}) as at:
        api.stores.now = api.stores.clock = at.clock
        await at.accept({"name": "products"})
        tasks = await at.store.lease("r", 1)
        await at.delivery().carry(tasks)
        await at.crash()
    async with open_bench(tmp_path, api, out=to, route={"chain": chain("another &{name}")}) as at:
        api.stores.now = api.stores.clock = at.clock
        for _ in range(3):
            change = await at.delivery().carry(await at.store.lease("r", 10))
            await at.store.commit(change)
        await at.until_ended("r:gathered")
        states = [(task.route, task.state, task.reason) for task in await at.store.tasks(Filter(), limit=10)]
    assert api.chats == 2
    assert {state for _, state, _ in states} == {TaskState.FINISHED}
    assert any("a paid answer was not used: chat completions create in attempt 1" in reason for *_, reason in states)


async def test_a_catalogue_without_the_list_leaves_the_task_unknown(
    begun: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connector.delivery import lookup
    from connector.errors import UnknownName

    at, api, number = await begun(lost=0)
    await at.cut_off()

    def gone(*_: Any) -> Any:
        raise UnknownName("entity", "vector stores", [])

    monkeypatch.setattr(lookup, "Subscriber", gone)
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, api.named()) == (TaskState.UNKNOWN, 1)


async def test_a_delete_through_a_client_of_another_name_is_finished(open_bench: Any, tmp_path: Any) -> None:
    gone: list[str] = []

    def api(request: httpx.Request) -> httpx.Response:
        if gone:
            return httpx.Response(404, json={"error": {"message": "no such file"}})
        gone.append(request.url.path)
        return httpx.Response(200, json={"id": "file-a", "deleted": True})

    def out(client: str) -> dict[str, Any]:
        parameters = {"client": client, "entity": "files", "action": "delete"}
        publisher = {"prototype": "openai", "parameters": parameters}
        return {"publisher": publisher, "request": {"path": {"file_id": "file-a"}}}

    async with open_bench(tmp_path, api, out=out("openai")) as at:
        [number] = await at.accept({"text": "a"})
        await at.cut_off()
    async with open_bench(tmp_path, api, out=out("another"), client="another") as at:
        await at.until_ended()
        assert (await at.task(number)).state is TaskState.FINISHED
