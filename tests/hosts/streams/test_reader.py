"""What a stream gives, and from where it goes on: nothing is lost at a kill, whatever was read before."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import httpx
import pytest

from connector.errors import ConfigurationError
from connector.hosts.streams.reader import Row
from connector.hosts.streams.source import cause_of
from connector.model import CallFailed
from tests.hosts.streams.rig import DAY, NOW, Api, drain, entities, source


async def test_a_whole_list_is_read_page_after_page() -> None:
    api = Api({"/files": entities(1, 2, 3, 4, 5)})
    async with source(api) as opened:
        rows, states = await drain(opened, "files", whole=True)
    assert rows == ["e5", "e4", "e3", "e2", "e1"]
    assert states == []


async def test_an_incremental_reading_stops_where_everything_is_known() -> None:
    api = Api({"/files": entities(*(NOW - day * DAY for day in range(10)))})
    async with source(api, lookback_days=1) as opened:
        rows, states = await drain(opened, "files", {"cursor": NOW - 2 * DAY})
    assert rows == [f"e{NOW - day * DAY}" for day in range(4)]
    assert states[-1] == {"cursor": NOW}
    assert len(api.asked) == 3


async def test_a_list_without_order_is_read_to_its_end_and_only_what_is_new_is_given() -> None:
    kept = entities(1, 2, 3, 4, 5)
    api = Api({"/batches": [kept[4], kept[0], kept[2], kept[1], kept[3]]})
    async with source(api, lookback_days=0) as opened:
        rows, states = await drain(opened, "batches", {"cursor": 4})
    assert rows == ["e5", "e4"]
    assert states[-1] == {"cursor": 5}


@pytest.mark.parametrize("kills", range(1, 5))
async def test_a_reading_that_is_broken_off_goes_on_from_its_last_state(kills: int) -> None:
    api = Api({"/files": entities(1, 2, 3, 4, 5, 6, 7)}, fail_after=kills - 1)
    given: list[str] = []
    state: Any = None
    async with source(api, lookback_days=0) as opened:
        with suppress(CallFailed):
            async for one in opened.reader.read(opened.find("files")):
                if isinstance(one, Row):
                    given.append(str(one.data["id"]))
                else:
                    state = one.state
        api.fail_after = None
        api.lists["/files"] = entities(8, 1, 2, 3, 4, 5, 6, 7)
        rows, states = await drain(opened, "files", state)
        later, _ = await drain(opened, "files", states[-1])
    assert {*given, *rows, *later} == {f"e{when}" for when in range(1, 9)}
    assert len(given) + len(rows) == (8 if kills == 1 else 7)
    assert states[-1] == {"cursor": 8 if kills == 1 else 7}


async def test_a_reading_whose_place_was_deleted_begins_again(caplog: pytest.LogCaptureFixture) -> None:
    api = Api({"/files": entities(1, 2, 3)})
    async with source(api) as opened:
        rows, _ = await drain(opened, "files", {"reading": {"query": {"after": "gone"}, "newest": 3}})
    assert rows == ["e3", "e2", "e1"]
    assert "begins again" in caplog.text


async def test_children_have_the_keys_of_their_parents_and_each_its_own_state() -> None:
    lists = {
        "/vector_stores": entities(1, 2, 3),
        "/vector_stores/e1/files": entities(10),
        "/vector_stores/e3/files": entities(30, 31, 32),
    }
    api = Api(lists)
    async with source(api, lookback_days=0) as opened:
        found = [one async for one in opened.reader.read(opened.find("vector_store_files"))]
        told = [(one.data["vector_store_id"], one.data["id"]) for one in found if isinstance(one, Row)]
        lists["/vector_stores/e1/files"] = entities(10, 11)
        rows, states = await drain(opened, "vector_store_files", found[-1].state)  # type: ignore[union-attr]
    assert told == [("e3", "e32"), ("e3", "e31"), ("e3", "e30"), ("e1", "e10")]
    assert rows == ["e32", "e11", "e10"]
    assert states == [{"parents": {"e3": {"cursor": 32}, "e1": {"cursor": 11}}}]
    assert all(row.data["vector_store_id"] for row in found if isinstance(row, Row))


def _report(request: httpx.Request) -> httpx.Response:
    """Days of costs, two a page."""
    begin = int(request.url.params.get("page") or request.url.params["start_time"])
    days = [day for day in (begin, begin + DAY) if day <= NOW]
    results = [{"object": "organization.costs.result", "project_id": name, "amount": {"value": 1}} for name in "ab"]
    data = [{"object": "bucket", "start_time": day, "end_time": day + DAY, "results": results} for day in days]
    more = days[-1] + DAY < NOW
    return httpx.Response(
        200, json={"object": "page", "data": data, "has_more": more, "next_page": str(days[-1] + DAY) if more else None}
    )


async def test_a_report_has_a_row_for_each_result_with_an_id_that_stays() -> None:
    asked: list[httpx.URL] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return _report(request)

    async with source(answer, lookback_days=2) as opened:
        rows, states = await drain(opened, "costs")
        again, later = await drain(opened, "costs", states[-1])
    today = NOW - NOW % DAY
    assert len(rows) == len({*rows}) == 2 * 31
    assert int(asked[0].params["start_time"]) == today - 30 * DAY
    assert "line_item" in str(asked[0])
    assert states[0] == {"reading": {"start_time": today - 29 * DAY}}
    assert states[-1] == later[-1] == {"cursor": today}
    assert again == rows[-6:]


async def test_a_state_of_somebody_else_is_refused() -> None:
    async with source(Api({"/files": []})) as opened:
        with pytest.raises(ConfigurationError, match="none of this source"):
            await drain(opened, "files", {"cursor": "2026-01-01"})


@pytest.mark.parametrize(
    ("status", "cause"), [(401, "config"), (403, "config"), (404, "system"), (429, "transient"), (503, "transient")]
)
async def test_whose_an_error_is(status: int, cause: str) -> None:
    async def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json={"error": {"message": "no"}})

    async with source(answer) as opened:
        with pytest.raises(CallFailed) as failed:
            await drain(opened, "files")
    assert cause_of(failed.value) == cause
