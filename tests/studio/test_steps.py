"""A document through the chains of its route, with the configuration of now and of when it was accepted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.engine import Change, Store
from connector.pipeline import load_configuration
from connector.runtime.kept_configuration import CONFIGURATIONS, STARTS, find_kept, keep_configuration
from connector.studio.context import StudioContext
from tests.studio.kit import CONFIGURATION, NOW

Bearer = Callable[[str], httpx.AsyncClient]
OTHER = "Wave to customer"
LINE = 1 + next(index for index, line in enumerate(CONFIGURATION.splitlines()) if "chat-prompt" in line)


@pytest.fixture
async def kept(context: StudioContext, store: Store) -> None:
    """A run began with the configuration as it is, before any task was accepted."""
    await keep_configuration(store, context.configuration, NOW - 7200)


def change(context: StudioContext, old: str, new: str) -> None:
    path: Path = context.source
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    context.configuration = load_configuration(path)


async def test_every_step_is_shown_with_its_line(call: Any) -> None:
    steps = await call("GET", "/tasks/2/steps")
    assert [step["step"] for step in steps] == list(range(len(steps)))
    assert (steps[0]["name"], steps[0]["document"]["custom_id"]) == ("as it came", "c2")
    [outer] = [step for step in steps if step["where"] == "outgoing.reply.chain[0].chat-prompt"]
    assert (outer["name"], outer["line"], outer["error"]) == ("chat-prompt", LINE, None)
    assert "Greet customer c2." in str(outer["document"])


async def test_the_original_is_the_configuration_of_then(call: Any, context: StudioContext, kept: None) -> None:
    change(context, "Greet customer", OTHER)
    assert OTHER in str(await call("GET", "/tasks/2/steps"))
    original = await call("GET", "/tasks/2/steps?configuration=original")
    assert "Greet customer c2." in str(original)
    assert all(step["line"] is None for step in original)


async def test_without_a_kept_configuration_there_is_no_original(bearer: Bearer) -> None:
    answer = await bearer("viewer").get("/api/v1/tasks/2/steps?configuration=original")
    assert (answer.status_code, "is not kept" in answer.json()["detail"]) == (404, True)


async def test_a_retry_with_the_original_says_when_it_cannot_be(
    call: Any, bearer: Bearer, context: StudioContext, kept: None
) -> None:
    change(context, "note: {publisher", "other: {publisher: {prototype: none}}\n  note: {publisher")
    assert (await call("POST", "/tasks/2/retry", json={"configuration": "original"}))["state"] == "new"
    change(context, "Greet customer", OTHER)
    wish = {"configuration": "original", "repeat_unknown": True}
    answer = await bearer("operator").post("/api/v1/tasks/3/retry", json=wish)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:openai-connector:configuration-changed"


async def test_a_step_that_fails_is_the_last(call: Any, context: StudioContext) -> None:
    change(context, "chain: [{chat-prompt", "chain: [{exception: {message: no more}}, {chat-prompt")
    steps = await call("GET", "/tasks/2/steps")
    assert [step["name"] for step in steps] == ["as it came", "exception"]
    assert "no more" in steps[-1]["error"]


async def test_each_distinct_configuration_is_kept_once(context: StudioContext, store: Store) -> None:
    for at in (NOW, NOW + 1, NOW + 2):
        await keep_configuration(store, context.configuration, at)
    assert (len(await store.records(STARTS)), len(await store.records(CONFIGURATIONS))) == (1, 1)
    first = context.configuration
    change(context, "Greet customer", OTHER)
    await keep_configuration(store, context.configuration, NOW + 3)
    await keep_configuration(store, first, NOW + 4)
    assert (len(await store.records(STARTS)), len(await store.records(CONFIGURATIONS))) == (3, 2)
    found = [await find_kept(store, at) for at in (NOW - 1, NOW + 2.5, NOW + 3.5, NOW + 9)]
    assert found[0] is None
    digests = [one.digest for one in found[1:] if one is not None]
    assert digests[0] == digests[2] != digests[1]
    assert "canary" not in str(await store.records(CONFIGURATIONS))


async def test_what_is_too_old_is_forgotten(context: StudioContext, store: Store) -> None:
    old = {(STARTS, str(number).zfill(17)): f"digest-{number}" for number in range(250)}
    await store.commit(Change(records={**old, (CONFIGURATIONS, "digest-3"): {"routes": {}}}))
    await keep_configuration(store, context.configuration, NOW)
    assert len(await store.records(STARTS)) == 200
    assert len(await store.records(CONFIGURATIONS)) == 1
