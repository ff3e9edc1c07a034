"""What arrived can be read, filtered and cleared, and holds no key."""

from __future__ import annotations

import json
from typing import Any

from connector.sandbox.http.request_log import RequestLog, RequestRecord

KEY = "sk-test-of-the-sandbox"


async def _lines(running: Any, query: str = "") -> list[Any]:
    status, text = await running.call("GET", f"/sandbox/requests{query}")
    assert status == 200
    return [json.loads(line) for line in text.splitlines()]


async def test_the_journal_says_what_arrived_and_what_became_of_it(running: Any) -> None:
    made = await running.made("/organization/projects", {"name": f"one {KEY}"})
    await running.call("GET", "/organization/projects?limit=3")
    await running.call("POST", "/organization/projects", {"nam": "two"})
    first, second, third = await _lines(running)
    assert (first["method"], first["path"], first["operation"]) == (
        "POST",
        "/v1/organization/projects",
        "projects create",
    )
    assert (first["status"], first["effects"], first["fault"]) == (200, [made["id"]], None)
    assert (second["query"], second["effects"]) == ({"limit": 3}, [])
    assert (third["status"], third["payload"]) == (400, {"nam": "two"})
    assert KEY not in json.dumps([first, second, third])
    assert first["key"] == second["key"] != None  # noqa: E711  the same key has the same mark


async def test_the_journal_is_filtered_and_cleared(running: Any) -> None:
    await running.call("GET", "/models")
    await running.call("GET", "/nothing")
    assert [line["path"] for line in await _lines(running, "?status=404")] == ["/v1/nothing"]
    assert [line["path"] for line in await _lines(running, "?operation=models%20list")] == ["/v1/models"]
    assert (await running.call("DELETE", "/sandbox/requests"))[1] == {"cleared": True}
    assert await _lines(running) == []


def test_the_oldest_entries_go_where_there_is_no_room() -> None:
    journal = RequestLog(entries=3, most_bytes=100)
    for number in range(5):
        journal.add(RequestRecord(float(number), "GET", "/models"))
    assert [one["time"] for one in journal] == [2.0, 3.0, 4.0]
    journal.add(RequestRecord(5.0, "POST", "/files", size=90))
    journal.add(RequestRecord(6.0, "POST", "/files", size=90))
    assert [one["time"] for one in journal] == [6.0]
    journal.clear()
    assert len(journal) == 0
