"""A POST that is sent again with its key takes effect once: at once, side by side, and after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connector.engine import Store
from connector.studio.app import create_app
from connector.studio.context import StudioContext
from connector.studio.idempotency import SPACE
from tests.engine.engines import Clock
from tests.studio.kit import ORIGIN, TOKENS

Bearer = Callable[[str], httpx.AsyncClient]
PAUSE = "/api/v1/routes/tickets/pause"


async def pause(client: httpx.AsyncClient, reason: str = "closed", key: str = "one") -> httpx.Response:
    return await client.post(PAUSE, json={"reason": reason}, headers={"idempotency-key": key})


async def entries(call: Any) -> int:
    return len((await call("GET", "/audit"))["items"])


async def test_a_repeat_gets_the_first_answer(bearer: Bearer, call: Any) -> None:
    first = await pause(bearer("operator"))
    again = await pause(bearer("operator"))
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert await entries(call) == 1
    assert (await pause(bearer("operator"), key="two")).is_success
    assert (await pause(bearer("editor"))).is_success, "another one's key is another key"
    assert await entries(call) == 3


async def test_another_wish_with_the_same_key_is_refused(bearer: Bearer, call: Any) -> None:
    await pause(bearer("operator"))
    refused = await pause(bearer("operator"), reason="another")
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:openai-connector:idempotency-key"
    assert await entries(call) == 1


async def test_the_key_outlives_the_studio(context: StudioContext, bearer: Bearer, call: Any) -> None:
    first = await pause(bearer("operator"))
    restarted = StudioContext(
        source=context.source, configuration=context.configuration, store=context.store, origins=(ORIGIN,),
        clock=context.clock,
    )  # fmt: skip
    transport = httpx.ASGITransport(create_app(restarted))
    headers = {"authorization": f"Bearer {TOKENS['operator']}"}
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as client:
        assert (await pause(client)).json() == first.json()
    assert await entries(call) == 1


async def test_what_was_cut_off_is_not_repeated_in_silence(
    bearer: Bearer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, commits = store.commit, list[Any]()

    async def die(change: Any) -> Any:
        commits.append(change)
        if len(commits) == 2:
            raise RuntimeError("killed")
        return await commit(change)

    monkeypatch.setattr(store, "commit", die)
    assert (await pause(bearer("operator"))).status_code == 500
    refused = await pause(bearer("operator"))
    assert refused.status_code == 409
    assert "may have taken effect" in refused.json()["detail"]


async def test_what_was_refused_may_be_sent_again(bearer: Bearer, store: Store) -> None:
    resume = "/api/v1/routes/tickets/resume"
    headers = {"idempotency-key": "r"}
    assert (await bearer("operator").post(resume, headers=headers)).status_code == 409
    assert await store.records(SPACE) == {}
    await pause(bearer("operator"))
    assert (await bearer("operator").post(resume, headers=headers)).status_code == 200


async def test_two_at_once_take_effect_once(bearer: Bearer, call: Any) -> None:
    client = bearer("operator")
    answers = await asyncio.gather(*(pause(client) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (await pause(client)).status_code == 200
    assert await entries(call) == 1


async def test_a_key_is_kept_for_a_day(bearer: Bearer, call: Any, clock: Clock) -> None:
    await pause(bearer("operator"))
    clock.now += 86_401
    assert "idempotency-replayed" not in (await pause(bearer("operator"))).headers
    assert await entries(call) == 2


async def test_a_key_asks_for_a_role_first(connect: Callable[..., httpx.AsyncClient], store: Store) -> None:
    assert (await pause(connect())).status_code == 401
    assert await store.records(SPACE) == {}
