"""Tasks over the API: lists, counts, one with everything, and what people do to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Bearer = Callable[[str], httpx.AsyncClient]


async def ids(call: Any, query: str = "") -> list[int]:
    page = await call("GET", f"/tasks?{query}")
    assert page["next"] is None
    assert page["searched"]["complete"]
    return [task["id"] for task in page["items"]]


async def test_a_list_shows_what_is_known(call: Any) -> None:
    page = await call("GET", "/tasks?sort=id&columns=customer.name,none,id")
    assert [task["id"] for task in page["items"]] == list(range(1, 9))
    first = page["items"][0]
    assert first == {
        "id": 1, "route": "tickets", "state": "finished", "key": "c1", "attempts": 1, "reason": "",
        "created": "2026-01-01T11:01:00.000Z", "updated": "2026-01-01T11:30:00.000Z", "due": None,
        "cost": first["cost"], "columns": {"customer.name": "Customer 1", "none": None, "id": 1},
    }  # fmt: skip
    assert first["cost"]["amount"] > 0
    assert page["items"][1]["cost"] is None
    assert page["searched"]["count"] == page["searched"]["stored"] == 8


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=-id&route=orders", [8, 6]),
        ("state=failed&state=unknown&sort=id", [2, 3, 6]),
        ("key=c5", [5]),
        ("reason=rate+limit", [5]),
        ("text=customer%207", [7]),
        ("field=customer.name:Customer%203", [3]),
        ("field=id:4", [4]),
        ("field=id:4&field=custom_id:c5", []),
        ("created_from=2026-01-01T11:07:00Z&sort=id", [7, 8]),
        ("created_to=2026-01-01T12:02:00%2B01:00", [1]),
        ("updated_to=2026-01-01T11:30:00&sort=id", [7, 8]),
        ("sort=-updated&limit=50&state=new", [8, 7]),
    ],
)
async def test_a_filter_selects(call: Any, query: str, expected: list[int]) -> None:
    assert await ids(call, query) == expected
    counts = await call("GET", f"/tasks/counts?{query}")
    assert (counts["total"], counts["exact"]) == (len(expected), True)


@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
async def test_pages_follow_each_other(call: Any) -> None:
    first = await call("GET", "/tasks?sort=-state&limit=3")
    second = await call("GET", f"/tasks?sort=-state&limit=3&cursor={first['next']}")
    third = await call("GET", f"/tasks?sort=-state&limit=3&cursor={second['next']}")
    states = [task["state"] for page in (first, second, third) for task in page["items"]]
    assert states == ["unknown", "skipped", "failed", "failed", "finished", "waiting", "new", "new"]
    assert third["next"] is None
    assert (await call("GET", "/tasks/counts"))["by_state"] == {
        "finished": 1, "failed": 2, "unknown": 1, "skipped": 1, "waiting": 1, "new": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "word"),
    [("sort=nothing", "sort"), ("field=a", "field"), ("columns=a..b", "place"), ("cursor=x", "cursor"),
     ("state=lost", "query.state"), ("limit=0", "query.limit"), ("created_from=today", "created_from")],
)  # fmt: skip
async def test_what_is_no_query_is_refused(bearer: Bearer, query: str, word: str) -> None:
    answer = await bearer("viewer").get(f"/api/v1/tasks?{query}")
    assert answer.status_code == 422
    assert word in answer.text


async def test_a_task_shows_its_calls(call: Any) -> None:
    task = await call("GET", "/tasks/1")
    assert (task["state"], task["document"]["custom_id"], task["cut"]) == ("finished", "c1", [])
    [attempt] = task["timeline"]
    [made] = attempt["calls"]
    assert (attempt["number"], attempt["waited"]) == (1, None)
    assert made["operation"] == "chat completions create"
    assert made["request"]["body"]["model"] == "gpt-6-luna"
    assert made["answer"]["choices"][0]["message"]["content"] == "Good morning!"
    assert made["evidence"] == {"status": 200, "headers": {"x-request-id": "req_1"}}
    assert made["usage"] == {"input": 1000, "output": 100}
    assert made["cost"] == task["cost"]
    assert task["cost"]["amount"] > 0
    assert await call("GET", "/tasks/1/calls/1/0/answer") == made["answer"]


async def test_what_is_missing_is_said(bearer: Bearer) -> None:
    viewer = bearer("viewer")
    for path in ("/tasks/99", "/tasks/1/calls/7/0/request", "/tasks/99/document", "/tasks/99/steps"):
        answer = await viewer.get(f"/api/v1{path}")
        assert answer.status_code == 404, path
        assert answer.json()["next"]


async def test_large_values_are_cut_and_can_be_read_whole(call: Any) -> None:
    large = {"text": "x" * 100_000, "list": list(range(20_000)), "deep": [[[["y" * 9000]]]]}
    await call("POST", "/tasks/2/retry", json={"document": large})
    task = await call("GET", "/tasks/2")
    assert len(str(task["document"])) < 12_000
    assert task["document"]["text"].endswith("(98,000 characters more)")
    assert task["document"]["list"][-1] == "… (19,950 more)"
    [cut] = task["cut"]
    assert cut["where"] == "document"
    assert cut["bytes"] > 200_000
    assert await call("GET", cut["whole"].removeprefix("/api/v1")) == large


async def test_no_secret_leaves(call: Any) -> None:
    secret = "sk-canary-0123456789"
    await call("POST", "/tasks/2/skip", json={"reason": f"holds {secret}"})
    await call("POST", "/tasks/6/retry", json={"document": {"key": secret}})
    for path in ("/tasks?columns=key", "/tasks/2", "/tasks/6", "/tasks/6/document", "/audit"):
        assert "canary" not in str(await call("GET", path))


async def test_a_task_is_retried_with_another_document(call: Any) -> None:
    task = await call("POST", "/tasks/2/retry", json={"document": {"custom_id": "mended"}})
    assert (task["state"], task["document"], task["attempts"]) == ("new", {"custom_id": "mended"}, 0)
    assert task["timeline"][0]["calls"][0]["settled"]
    assert await ids(call, "text=mended") == [2]
    [entry] = (await call("GET", "/audit"))["items"]
    assert (entry["action"], entry["subject"], entry["detail"]) == (
        "task retry", "task 2", {"was": "failed", "edited": True},
    )  # fmt: skip


async def test_a_skip_can_be_undone(call: Any) -> None:
    assert (await call("POST", "/tasks/5/skip", json={"reason": "no use"}))["reason"] == "no use"
    assert (await call("POST", "/tasks/5/retry", json={}))["state"] == "new"


async def test_a_skip_of_many_is_undone_for_those_that_wait(call: Any) -> None:
    asked = {"filter": {"route": ["tickets"]}, "expected": 4}
    done = await call("POST", "/tasks/skip", json=asked)
    assert (done["count"], sorted(done["undo"])) == (4, [5, 7])
    assert {(await call("GET", f"/tasks/{one}"))["state"] for one in (2, 3, 5, 7)} == {"skipped"}
    again = {"filter": {"ids": done["undo"], "state": ["skipped"]}, "expected": 2}
    assert (await call("POST", "/tasks/retry", json=again))["count"] == 2
    assert {(await call("GET", f"/tasks/{one}"))["state"] for one in (5, 7)} == {"new"}
    assert {(await call("GET", f"/tasks/{one}"))["state"] for one in (2, 3)} == {"skipped"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/tasks/7/retry", "task 7 is new; it can be retried once it has ended"),
        ("/tasks/1/skip", "task 1 is finished; it can be skipped while it is new, waiting, failed or unknown"),
        ("/tasks/3/retry", "task 3 is unknown: a call may have taken effect, and a repeat may be paid for twice"),
    ],
)
async def test_what_does_not_fit_is_a_sentence(bearer: Bearer, path: str, text: str) -> None:
    answer = await bearer("operator").post(f"/api/v1{path}", json={})
    assert (answer.status_code, answer.json()["detail"]) == (409, text)


@pytest.mark.parametrize(
    ("action", "given", "count", "left_out"),
    [
        ("retry", {"state": ["failed", "new"]}, 2, {"new": 2}),
        ("retry", {"ids": [1, 2, 3, 99]}, 1, {"finished": 1, "unknown": 1}),
        ("retry", {"text": "customer"}, 3, {"finished": 1, "unknown": 1, "waiting": 1, "new": 2}),
        ("skip", {"route": ["tickets"]}, 4, {"finished": 1, "skipped": 1}),
        ("skip", {"field": ["id:5"]}, 1, {}),
        ("purge", {"route": ["tickets"]}, 3, {"unknown": 1, "waiting": 1, "new": 1}),
        ("purge", {"state": ["unknown"]}, 1, {}),
    ],
)
async def test_many_are_counted_first_and_then_done(
    call: Any, action: str, given: dict[str, Any], count: int, left_out: dict[str, int]
) -> None:
    counted = await call("POST", f"/tasks/{action}", json={"filter": given, "dry_run": True})
    assert (counted["count"], counted["left_out"]) == (count, left_out)
    assert (counted["cost"] is not None) is (action == "retry")
    before = await call("GET", "/tasks/counts")
    done = await call("POST", f"/tasks/{action}", json={"filter": given, "expected": count, "reason": "so"})
    assert done["count"] == count
    after = await call("GET", "/tasks/counts")
    assert before["total"] - after["total"] == (count if action == "purge" else 0)


async def test_more_than_expected_is_refused_and_nothing_done(call: Any, bearer: Bearer) -> None:
    operator, wish = bearer("operator"), {"filter": {"state": ["failed"]}, "expected": 1}
    answer = await operator.post("/api/v1/tasks/retry", json=wish)
    assert answer.status_code == 409
    assert answer.json()["detail"] == "2 tasks fit now, and 1 were expected; nothing was done"
    assert await ids(call, "state=failed&sort=id") == [2, 6]


@pytest.mark.parametrize(
    "wish",
    [
        {"filter": {}, "dry_run": True},
        {"filter": {"state": ["failed"]}},
        {"filter": {"state": ["failed"]}, "dry_run": True, "expected": 2},
        {"filter": {"ids": [1], "text": "x"}, "dry_run": True},
        {"filter": {"unknown_name": 1}, "dry_run": True},
    ],
)
async def test_what_is_not_said_clearly_is_refused(bearer: Bearer, wish: dict[str, Any]) -> None:
    answer = await bearer("operator").post("/api/v1/tasks/purge", json=wish)
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_unknown_tasks_are_repeated_only_when_asked(call: Any) -> None:
    wish = {"filter": {"state": ["unknown"]}, "dry_run": True}
    assert (await call("POST", "/tasks/retry", json=wish))["count"] == 0
    assert (await call("POST", "/tasks/retry", json={**wish, "repeat_unknown": True}))["count"] == 1
    done = {"filter": {"state": ["unknown"]}, "expected": 1, "repeat_unknown": True}
    assert (await call("POST", "/tasks/retry", json=done))["count"] == 1


async def test_a_viewer_looks_and_changes_nothing(bearer: Bearer, call: Any) -> None:
    viewer = bearer("viewer")
    for path in ("/tasks/2/retry", "/tasks/2/skip", "/tasks/retry", "/tasks/skip", "/tasks/purge", "/unknown/3/settle"):
        assert (await viewer.post(f"/api/v1{path}", json={})).status_code == 403
    assert (await call("GET", "/tasks/counts"))["by_state"]["failed"] == 2


async def test_the_same_wish_sent_again_takes_effect_once(bearer: Bearer, call: Any) -> None:
    operator, wish = bearer("operator"), {"filter": {"state": ["failed"]}, "expected": 2}
    answers = [
        await operator.post("/api/v1/tasks/retry", json=wish, headers={"idempotency-key": "one"}) for _ in range(2)
    ]
    assert [answer.json()["count"] for answer in answers] == [2, 2]
    assert [entry["action"] for entry in (await call("GET", "/audit"))["items"]] == ["tasks retry"]
