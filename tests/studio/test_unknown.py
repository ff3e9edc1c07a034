"""The inbox of tasks in doubt: what is known of their calls, and the verdicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connector.engine import Store, TaskState
from connector.studio.context import StudioContext

Bearer = Callable[[str], httpx.AsyncClient]


@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
async def test_the_inbox_shows_what_is_known(call: Any) -> None:
    page = await call("GET", "/unknown")
    assert page["next"] is None
    [doubt] = page["items"]
    assert (doubt["route"], doubt["key"], doubt["can_be_done"]) == ("tickets", "c3", True)
    assert doubt["reason"].startswith("unknown: the connection was lost")
    assert doubt["document"]["custom_id"] == "c3"
    [sent] = doubt["calls"]
    assert (sent["operation"], sent["attempt"], sent["state"], sent["ended"]) == (
        "chat completions create", 1, "", None,
    )  # fmt: skip
    assert sent["started"] == "2026-01-01T11:30:00.000Z"
    assert sent["request"]["body"]["messages"][0]["content"] == "Greet customer c1."
    assert sent["request_bytes"] > 100
    assert sent["repeat_cost"]["amount"] is None
    assert "does not limit its answer" in sent["repeat_cost"]["why"]


async def test_a_call_that_was_done_is_not_made_again(call: Any, store: Store) -> None:
    answer = {"id": "chatcmpl-9", "choices": [{"message": {"content": "Hello"}}]}
    task = await call("POST", "/unknown/3/settle", json={"verdict": "done", "answer": answer, "reason": "their log"})
    assert task["state"] == "new"
    kept = await store.task(3)
    assert kept is not None
    [done] = kept.calls
    assert (done.state, done.outcome["body"], done.outcome["by_hand"]) == ("done", answer, "their log")
    assert (await call("GET", "/unknown"))["items"] == []
    [entry] = (await call("GET", "/audit"))["items"]
    assert (entry["action"], entry["subject"], entry["detail"]) == ("unknown done", "task 3", {"reason": "their log"})


@pytest.mark.parametrize(
    ("verdict", "state"), [("repeat", TaskState.NEW), ("skip", TaskState.SKIPPED), ("done", TaskState.NEW)]
)
async def test_of_two_operators_one_settles(call: Any, bearer: Bearer, store: Store, verdict: str, state: Any) -> None:
    await call("POST", "/unknown/3/settle", json={"verdict": verdict})
    late = await bearer("operator").post("/api/v1/unknown/3/settle", json={"verdict": "skip"})
    assert late.status_code == 409
    assert late.json()["detail"] == f"task 3 is {state.value} now: it is in doubt no longer"
    known = await store.task(3)
    assert known is not None
    assert known.state is state


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        ({"verdict": "skip", "answer": {}}, "answer"),
        ({"verdict": "done", "attempt": 2}, "which call"),
        ({"verdict": "done", "answer": {"a": "sk-canary-0123456789"}}, "secret"),
        ({"verdict": "maybe"}, "verdict"),
    ],
)
async def test_a_verdict_that_is_none_is_refused(bearer: Bearer, store: Store, wish: dict[str, Any], word: str) -> None:
    answer = await bearer("operator").post("/api/v1/unknown/3/settle", json=wish)
    assert answer.status_code == 422
    assert word in answer.text
    assert "canary" not in answer.text
    known = await store.task(3)
    assert known is not None
    assert known.state is TaskState.UNKNOWN


async def test_between_look_and_verdict_a_run_may_take_the_task(
    bearer: Bearer, context: StudioContext, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store decides at last: what was read before may be stale."""
    stale = await store.task(3)
    await bearer("operator").post("/api/v1/unknown/3/settle", json={"verdict": "repeat"})

    async def read(_: int) -> Any:
        return stale

    monkeypatch.setattr(store, "task", read)
    for verdict in ("done", "skip", "repeat"):
        answer = await bearer("operator").post("/api/v1/unknown/3/settle", json={"verdict": verdict})
        assert answer.status_code == 409, answer.text
