"""The tiers and windows that a task with a deadline may take beside batches and standard calls."""

from __future__ import annotations

from typing import Any

import pytest

from connector.delivery.batch.lines import is_batch_line
from connector.delivery.call_history import read_history, transport_of_call
from connector.engine import Change
from connector.model import State
from tests.delivery.batch.test_background import OUT as ANSWERED
from tests.delivery.batch.test_moving_up import paid

ASK = {"payload": {"model": "gpt-6.1-terra", "messages": [{"role": "user", "content": "&{text}"}]}}
RESPOND = {"payload": {"model": "gpt-6.1-terra", "input": "&{text}"}}
RESPONSES = {**ANSWERED, "transport": "batch", "request": RESPOND}
NO_ROOM = {"when": "payload.service_tier == 'flex'", "answer": {"status": 429, "error": {"message": "no room"}}}


async def picked(at: Any, *texts: str) -> list[Any]:
    """Takes on tasks, and attempts those that go by themselves; as they are then."""
    numbers = await at.accept(*texts)
    tasks = list(await at.store.lease("r", 100))
    for task in await at.delivery("r").pick_single(tasks):
        await at.store.commit(await at.delivery("r").attempt(task))
    return [await at.task(number) for number in numbers]


def choose_always(at: Any) -> None:
    """Also what is done later goes by the transport that is chosen then."""

    async def gather(*, rest: bool = True) -> Any:
        tasks = list(await at.store.lease("r", 100))
        single = await at.delivery("r").pick_single(tasks)
        for task in single:
            await at.store.commit(await at.delivery("r").attempt(task))
        await at.store.commit(await at.delivery("r").carry([task for task in tasks if task not in single]))
        await at.store.commit(await at.delivery("r").carry_rest())
        return tasks

    at.gather = gather


def tiers(task: Any) -> list[str]:
    return [transport_of_call(call) for call in task.calls if not is_batch_line(call)]


@pytest.mark.parametrize(
    ("within", "allowed", "model", "tier"),
    [
        ("6h", ["flex", "priority"], "gpt-6.1-terra", "flex"),  # as cheap as a batch, and sooner
        ("6h", ["priority"], "gpt-6.1-terra", None),
        ("30m", ["flex", "priority"], "gpt-6.1-terra", "standard"),  # no time left if flex has no room
        ("50s", ["flex", "priority"], "gpt-6.1-terra", "priority"),
        ("50s", ["flex"], "gpt-6.1-terra", "standard"),
        ("6h", ["flex"], "gpt-6.2-sol", None),  # flex is not on gpt-6.2
        ("50s", ["priority"], "nobody-knows-it", "standard"),
    ],
)
async def test_the_cheapest_that_is_in_time(bench, within: str, allowed: list[str], model: str, tier: str) -> None:
    request = {"payload": {**ASK["payload"], "model": model}}
    at = await bench(out={"request": request}, route={"within": within, "transports": allowed})
    [task] = await picked(at, "one")
    assert tiers(task) == ([tier] if tier else [])
    if tier:
        assert task.state == "finished"
        assert task.reason.startswith(f"{tier}: 95 % take ")
        sent = at.sandbox.requests[-1]["payload"].get("service_tier")
        assert sent == (None if tier == "standard" else tier)
    assert at.shared.observer.metrics.transports.values["r", tier or "batch"] == 1


async def test_what_flex_has_no_room_for_goes_another_way(bench) -> None:
    at = await bench([NO_ROOM], out={"request": ASK}, route={"within": "6h", "transports": ["flex"], "attempts": 2})
    [task] = await picked(at, "one")
    assert (task.state, tiers(task)) == ("waiting", ["flex"])
    await at.pass_time(3_600.0)
    [again] = await at.store.lease("r", 10)
    assert await at.delivery("r").pick_single([again]) == []  # a batch, since there is time for one
    await at.store.commit(await at.delivery("r").carry([again]))
    await at.store.commit(await at.delivery("r").carry_rest())
    await at.live()
    assert await at.states() == {"finished": 1}
    assert paid(at) == 1


@pytest.mark.parametrize(("within", "window"), [("20h", "window-8h"), ("5h", "window-2h")])
async def test_a_window_takes_no_place_while_it_lasts(bench, within: str, window: str) -> None:
    """The batch is not worth it here: all that were seen took a day."""
    at = await bench(out=RESPONSES, route={"within": within, "transports": ["window-8h", "window-2h"]})
    delivery = at.delivery("r")
    await delivery.pick_single([])
    plan = delivery._plan
    plan._batch = plan._batch.__class__("batch", 0.9, plan._batch.takes, plan._batch.settles)
    at.sandbox.backend.options = at.sandbox.backend.options.__class__(pace=100.0)
    [task] = await picked(at, "one")
    assert tiers(task)[0] == window
    assert task.state == "waiting"
    assert " is " in task.reason
    due, asked = task.due, len(at.sandbox.requests)
    assert due > at.clock.now
    await at.pass_time(3_600.0)
    [again] = await at.store.lease("r", 10)
    [same] = await at.delivery("r").pick_single([again])
    await at.store.commit(await at.delivery("r").attempt(same))
    task = await at.task(task.id)
    assert task.state == "finished"
    made = [one for one in at.sandbox.requests if one["operation"] == "responses create"]
    assert len(made) == 1
    assert len(at.sandbox.requests) > asked
    assert made[0]["payload"]["background_options"] == {"completion_window": window.removeprefix("window-")}
    history = await read_history(at.store, at.shared.prices, "r")
    assert [(one.transport, one.lasted >= 3_600) for one in history.calls] == [(window, True)]
    standard = at.shared.prices.compute_cost("gpt-6.1-terra", history.calls[0].usage)
    assert at.shared.observer.metrics.cost.total() == pytest.approx((0.6 if "8h" in window else 0.7) * standard)


async def test_a_window_that_another_process_goes_on_with_is_asked_for_once(bench) -> None:
    at = await bench(out=RESPONSES, route={"within": "20h", "transports": ["window-8h"]})
    delivery = at.delivery("r")
    await delivery.pick_single([])
    plan = delivery._plan
    plan._batch = plan._batch.__class__("batch", 0.9, plan._batch.takes, plan._batch.settles)
    at.sandbox.backend.options = at.sandbox.backend.options.__class__(pace=100.0)
    await picked(at, "one")
    await at.crash()
    await at.pass_time(7_200.0)
    choose_always(at)
    await at.live()
    assert await at.states() == {"finished": 1}
    assert sum(one["operation"] == "responses create" for one in at.sandbox.requests) == 1


async def test_a_paid_answer_is_asked_for_in_the_same_way(bench) -> None:
    """The call is done, and what follows it failed: however little time is left, nothing else is asked for."""
    at = await bench(out={"request": ASK}, route={"within": "6h", "transports": ["flex", "priority"]})
    await at.accept("one")
    [task] = await at.store.lease("r", 10)
    delivery = at.delivery("r")
    assert await delivery.pick_single([task]) == [task]
    change = await delivery.attempt(task)
    await at.store.commit(Change(intend=change.intend, end=change.end))  # and then the process ended
    await at.crash()
    await at.pass_time(6 * 3_600.0 - 30.0)
    choose_always(at)
    await at.live()
    task = await at.task(task.id)
    assert task.state == "finished"
    assert [(call.state, transport_of_call(call)) for call in task.calls] == [(State.DONE, "flex")]
    assert paid(at) == 1
