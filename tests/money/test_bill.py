"""Whose cent was it: bills and verdicts held against the record of a sandbox that bills as the API does."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connector.engine import CallRecord, Change, Filter, Settlement, TaskState
from connector.http import Client
from connector.model import State
from connector.money.ledger.verdicts import Verdict
from connector.runtime.bill_settlement import Settling, plan_settlements, settle_tasks
from connector.sandbox.bill.payers import read_payer
from tests.delivery.conftest import CANARY
from tests.engine.postgres import Database
from tests.money.billed import World, open_world

BILLED, NOT_BILLED, CANNOT_TELL = Verdict


@pytest.fixture(params=["sqlite", "postgresql"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    database: Database | None = None
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres")
    async with open_world(tmp_path, database=database) as made:
        yield made


def draw_texts(seed: int, count: int) -> list[str]:
    """Return texts of which some are dropped; a few are sent more than once."""
    chance, texts = Random(seed), list[str]()
    for number in range(count):
        kind = chance.choice(["good"] * 6 + ["dropped after", "dropped before"])
        texts.append(f"{kind} {number} {'word ' * chance.randint(1, 40)}")
    return texts


async def test_every_unknown_call_has_the_verdict_that_the_sandbox_knows_and_every_cent_its_owner(world: World) -> None:
    await world.say(*draw_texts(1, 40), apart=400)
    bill = await world.reconcile(alone=True)
    states = await world.bench.states()
    assert states[TaskState.UNKNOWN] == len(bill.doubts) > 6
    assert await world.find_wrong(bill) == {}
    assert bill.count(CANNOT_TELL) == 0
    assert min(bill.count(BILLED), bill.count(NOT_BILLED)) > 2
    (owner,) = bill.shares.owners
    assert (owner.kind, owner.name, owner.calls) == ("route", "r", bill.known + bill.count(BILLED))
    assert owner.amount == pytest.approx(bill.shares.charged, abs=1e-9)
    assert owner.amount > 0
    assert (bill.shares.elsewhere, bill.shares.foreign) == (0, 0)
    assert all(doubt.amount for doubt in bill.doubts if doubt.decision.verdict is BILLED)


async def test_calls_of_others_are_elsewhere_and_never_taken_for_ours(world: World) -> None:
    await world.say(*draw_texts(2, 25), apart=400)
    client = world.bench.runtime.client("openai")
    asked = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "not from any route"}]}
    for _ in range(4):
        (await client.send(client.prepare("chat completions create", {"payload": asked}))).require()
        world.bench.clock.now += 240
    bill = await world.reconcile()
    assert await world.find_wrong(bill) == {}
    assert bill.count(BILLED) == 0
    assert bill.count(NOT_BILLED) > 0
    assert bill.shares.foreign == 4 + bill.count(CANNOT_TELL)
    assert bill.shares.elsewhere > 0
    owned = sum(owner.amount for owner in bill.shares.owners)
    assert owned + bill.shares.elsewhere - bill.shares.difference == pytest.approx(bill.shares.charged, abs=1e-9)


async def test_equal_requests_tell_by_their_tokens_without_anybodys_word(world: World) -> None:
    """An answer to the same request says how many tokens it is read as."""
    await world.say("dropped after once", "good day", "dropped before once", apart=600)
    rules = world.box.faults.as_document()
    world.box.faults.clear()
    await world.say("dropped after once", "dropped before once", apart=600)
    world.box.faults.replace(rules=rules["rules"])
    bill = await world.reconcile()
    assert await world.find_wrong(bill) == {}
    assert Counter(doubt.decision.verdict for doubt in bill.doubts) == {BILLED: 1, NOT_BILLED: 1}
    (owner,) = bill.shares.owners
    assert (owner.calls, owner.doubtful) == (4, 1)
    assert owner.amount == pytest.approx(bill.shares.charged, abs=1e-9)


async def test_reports_that_still_come_are_waited_for(tmp_path: Path) -> None:
    async with open_world(tmp_path, billing=("fresh", "late:14400")) as world:
        await world.say("good", "dropped after", "dropped before")
        bill = await world.reconcile(later=3 * 3600, alone=True)
        assert {doubt.decision.reason for doubt in bill.doubts} == {
            "its minutes may not be reported whole yet; ask again later"
        }
        # Whoever promises more than is kept is found out by the calls that are known to be billed.
        bill = await world.reconcile(later=0, alone=True, lateness=60)
        assert {doubt.decision.reason for doubt in bill.doubts} == {
            "the reports lack calls that are known to be billed"
        }
        bill = await world.reconcile(alone=True)
        assert await world.find_wrong(bill) == {}
        assert bill.count(CANNOT_TELL) == 0


async def test_what_was_billed_is_done_and_what_was_not_is_made_again(world: World) -> None:
    await world.say("good", "dropped after", "dropped before", apart=900)
    bill = await world.reconcile(alone=True)
    stores = {"": world.bench.store}
    plans = [plan async for plan in plan_settlements(bill, stores)]
    assert [(plan.task.document["text"], plan.settling) for plan in plans] == [
        ("dropped after", Settling.DONE), ("dropped before", Settling.AGAIN),
    ]  # fmt: skip
    world.box.faults.clear()
    # Somebody else was faster with one of them.
    await world.bench.store.skip(Filter(ids=[plans[1].task.id]), "by hand")
    assert await settle_tasks(plans, stores, world.bench.clock.now) == {
        Settling.DONE: 1, Settling.AGAIN: 0, Settling.LEFT: 1,
    }  # fmt: skip
    await world.bench.store.retry(Filter(ids=[plans[1].task.id]))
    await world.bench.until_ended()
    assert await world.bench.states() == {TaskState.FINISHED: 3}
    sent = [record["payload"]["messages"][0]["content"] for record in world.box.requests if record["payload"]]
    assert sent == ["good", "dropped after", "dropped before", "dropped before"]
    again = await world.reconcile(alone=True)
    # Its first call is shown all the same: it says that the second was not paid for twice.
    (first,) = again.doubts
    assert (first.call.state, first.decision.verdict) == (TaskState.FINISHED, NOT_BILLED)
    assert again.shares.owners[0].amount == pytest.approx(again.shares.charged, abs=1e-9)


async def test_other_keys_and_projects_disturb_only_where_they_are_not_told_apart(tmp_path: Path) -> None:
    async with open_world(tmp_path, project="proj_ours") as world:
        await world.say("good", "dropped after", "dropped before", apart=900)
        own = world.bench.runtime.client("openai")
        for others in ({"token": "sk-of-somebody-else-0123456789"}, {"project": "proj_theirs"}):
            given: dict[str, Any] = {"base_uri": own.base_uri, "token": CANARY, "project": "proj_ours", **others}
            async with Client("openai", environ={}, **given) as other:
                asked = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "from elsewhere"}]}
                (await other.send(other.prepare("chat completions create", {"payload": asked}))).require()
        by_project = await world.reconcile(alone=True)
        assert by_project.told_apart == "project"
        assert [doubt.decision.verdict for doubt in by_project.doubts] == [CANNOT_TELL, NOT_BILLED]
        key = read_payer({"authorization": f"Bearer {CANARY}"}).key
        both = await world.reconcile(alone=True, keys={"openai": key})
        assert both.told_apart == "project and key"
        assert [doubt.decision.verdict for doubt in both.doubts] == [BILLED, NOT_BILLED]
        wrong = await world.reconcile(alone=True, keys={"openai": "key_of_nobody"})
        assert {doubt.decision.reason for doubt in wrong.doubts} == {
            "the reports lack calls that are known to be billed"
        }
        for bill in (by_project, both):
            assert await world.find_wrong(bill) == {}
            assert bill.shares.foreign >= 2


async def test_a_model_that_nobody_knows_may_be_counted_under_any_name(world: World) -> None:
    """Its name in the reports is known once it has answered; until then all models are one sum."""
    store, runtime = world.bench.store, world.bench.runtime
    asked = {"model": "our-own", "messages": [{"role": "user", "content": "dropped after"}]}
    await world.say("good", apart=900)
    client = runtime.client("openai")
    outcome = await client.send(client.prepare("chat completions create", {"payload": asked}))
    assert outcome.state is State.UNKNOWN
    (task,) = await world.bench.accept({"text": "another"})
    (leased,) = await store.lease("r", 1)
    record = CallRecord(
        task=task, attempt=leased.attempts, number=0, fingerprint="f", target="openai", effect="opaque",
        operation="chat completions create", started=world.bench.clock.now,
        request={"method": "POST", "url": f"{client.base_uri}/chat/completions", "body": {**asked, "model": "alias"}},
    )  # fmt: skip
    await store.commit(Change(intend=[record], settle=[Settlement(task=task, state=TaskState.UNKNOWN)]))
    bill = await world.reconcile(alone=True)
    # The reports count `our-own`, the journal has `alias`: they may be the same.
    (doubt,) = bill.doubts
    assert doubt.decision.verdict is BILLED
