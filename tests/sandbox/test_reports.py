"""Costs and usage: buckets of the asked time, page by page."""

from __future__ import annotations

from typing import Any

import pytest

DAY = 86400
START = 1_767_225_600


@pytest.fixture
async def running(start: Any) -> Any:
    return await start(clock=lambda: START + 30 * DAY + 100.0)


async def test_costs_come_in_daily_buckets_page_by_page(running: Any) -> None:
    path = f"/organization/costs?start_time={START}&end_time={START + 5 * DAY}&limit=2"
    seen: list[tuple[int, int]] = []
    page = ""
    for _ in range(3):
        status, body = await running.call("GET", path + page)
        assert (status, body["object"]) == (200, "page")
        seen += [(bucket["start_time"], bucket["end_time"]) for bucket in body["data"]]
        page = f"&page={body['next_page']}"
    assert seen == [(START + n * DAY, START + (n + 1) * DAY) for n in range(5)]
    assert (body["has_more"], body["next_page"]) == (False, None)
    assert body["data"][0]["results"][0]["amount"]["currency"] == "usd"


async def test_the_same_time_always_has_the_same_numbers(running: Any) -> None:
    path = f"/organization/usage/completions?start_time={START}&limit=3"
    first, second = [(await running.call("GET", path))[1]["data"] for _ in range(2)]
    assert first == second
    assert len({bucket["results"][0]["input_tokens"] for bucket in first}) > 1


async def test_grouping_gives_a_result_for_each_combination(running: Any) -> None:
    path = f"/organization/usage/completions?start_time={START}&limit=1&group_by[]=project_id&group_by[]=model"
    results = (await running.call("GET", f"{path}&models[]=gpt-4.1"))[1]["data"][0]["results"]
    assert {(one["project_id"], one["model"]) for one in results} == {
        ("proj_first", "gpt-4.1"),
        ("proj_second", "gpt-4.1"),
    }


@pytest.mark.parametrize(
    ("report", "name"),
    [("embeddings", "embeddings"), ("web_search_calls", "web_searches"), ("file_search_calls", "file_searches")],
)
async def test_each_report_has_results_of_its_own_kind(running: Any, report: str, name: str) -> None:
    body = (await running.call("GET", f"/organization/usage/{report}?start_time={START}&limit=1"))[1]
    assert body["data"][0]["results"][0]["object"] == f"organization.usage.{name}.result"


async def test_hours_begin_on_the_hour_and_the_last_ends_with_the_window(running: Any) -> None:
    path = f"/organization/usage/images?start_time={START + 60}&end_time={START + 5400}&bucket_width=1h"
    buckets = (await running.call("GET", path))[1]["data"]
    assert [(one["start_time"], one["end_time"]) for one in buckets] == [
        (START, START + 3600),
        (START + 3600, START + 5400),
    ]


async def test_limits_and_pages_that_cannot_be_are_refused(running: Any) -> None:
    path = f"/organization/usage/images?start_time={START}"
    assert (await running.call("GET", f"{path}&limit=32"))[1]["error"]["param"] == "limit"
    assert (await running.call("GET", f"{path}&page=elsewhere"))[1]["error"]["param"] == "page"
