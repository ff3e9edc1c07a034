"""Costs and usage: buckets of the asked time, page by page; made up before the first request, true from then on."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from connector.catalogue import Catalogue
from connector.errors import ConfigurationError
from connector.sandbox.bill.payers import Payer
from connector.sandbox.bill.tariff import Tariff
from connector.sandbox.bill.terms import Terms

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


NOW = START + 30 * DAY + 100


def chat(**more: Any) -> dict[str, Any]:
    return {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Good morning"}], **more}


async def read(running: Any, report: str, *query: str, since: int = START + 30 * DAY) -> list[Any]:
    """Return the results of all buckets of a report."""
    asked = "&".join((f"start_time={since}", *query))
    status, body = await running.call("GET", f"/organization/{report}?{asked}")
    assert status == 200, body
    return [result for bucket in body["data"] for result in bucket["results"]]


async def test_what_was_asked_is_in_the_reports_from_the_first_request_on(running: Any) -> None:
    before = await read(running, "usage/completions", since=START)
    assert before
    assert before[-1]["input_tokens"] > 100
    _, answer = await running.call("POST", "/chat/completions", chat())
    await running.call("POST", "/chat/completions", {"model": "gpt-6-luna"})
    await running.call("POST", "/embeddings", {"model": "text-embedding-3-small", "input": "one two"})
    (found,) = await read(running, "usage/completions")
    usage = answer["usage"]
    assert (found["input_tokens"], found["output_tokens"]) == (usage["prompt_tokens"], usage["completion_tokens"])
    assert (found["num_model_requests"], found["model"], found["batch"]) == (1, None, None)
    (vectors,) = await read(running, "usage/embeddings")
    assert (vectors["object"], vectors["input_tokens"]) == ("organization.usage.embeddings.result", 2)
    assert await read(running, "usage/images") == []
    # What is in the report of a day that has begun before the first request is of this sandbox alone.
    assert (await read(running, "usage/completions", "limit=31", since=START))[-1] == found


async def test_results_are_grouped_and_filtered_by_every_key(running: Any) -> None:
    for payload in (chat(), chat(service_tier="flex"), chat(model="gpt-6.1-terra"), chat()):
        await running.call("POST", "/chat/completions", payload)
    groups = [
        f"group_by[]={name}" for name in ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")
    ]
    results = await read(running, "usage/completions", *groups)
    assert [(one["model"], one["service_tier"], one["batch"], one["num_model_requests"]) for one in results] == [
        ("gpt-6-luna", "default", False, 2), ("gpt-6-luna", "flex", False, 1), ("gpt-6.1-terra", "default", False, 1)
    ]  # fmt: skip
    (key,) = {one["api_key_id"] for one in results}
    assert key.startswith("key_")
    assert {one["project_id"] for one in results} == {"proj_default"}
    by_model = await read(running, "usage/completions", "models[]=gpt-6-luna", "group_by[]=model")
    assert [(one["model"], one["num_model_requests"]) for one in by_model] == [("gpt-6-luna", 3)]
    assert await read(running, "usage/completions", "api_key_ids[]=key_other") == []
    assert await read(running, "usage/completions", "project_ids[]=proj_other") == []
    assert await read(running, "usage/completions", "batch=true") == []
    assert len(await read(running, "usage/completions", "batch=false", f"api_key_ids[]={key}")) == 1


async def test_costs_are_the_registrys_prices_line_by_line(running: Any) -> None:
    for tier in ("default", "flex"):
        await running.call("POST", "/chat/completions", chat(model="gpt-6.1-terra", service_tier=tier))
    usage = (await read(running, "usage/completions", "group_by[]=service_tier"))[0]
    sent, received = usage["input_tokens"], usage["output_tokens"]
    lines = {one["line_item"]: one for one in await read(running, "costs", "group_by[]=line_item")}
    assert lines["gpt-6.1-terra, input"]["amount"] == {"value": pytest.approx(sent * 1.5e-6), "currency": "usd"}
    assert lines["gpt-6.1-terra, output"]["amount"]["value"] == pytest.approx(received * 7.5e-6)
    assert (lines["gpt-6.1-terra, output"]["quantity"], lines["gpt-6.1-terra, output"]["quantity_unit"]) == (
        2 * received, "tokens"
    )  # fmt: skip
    (whole,) = await read(running, "costs")
    assert whole["amount"]["value"] == pytest.approx(sum(one["amount"]["value"] for one in lines.values()))
    assert (whole["line_item"], whole["quantity"]) == (None, None)
    (one,) = await read(running, "costs", "line_items[]=gpt-6.1-terra, input", "group_by[]=line_item")
    assert one == lines["gpt-6.1-terra, input"]


@pytest.mark.parametrize(("width", "buckets"), [("1m", 10), ("1h", 1), ("1d", 1)])
async def test_buckets_of_every_width_add_up_to_the_same(start: Any, width: str, buckets: int) -> None:
    now = [float(START + DAY)]
    running = await start(clock=lambda: now[0], billing=["fresh"])
    for _ in range(10):
        await running.call("POST", "/chat/completions", chat())
        now[0] += 60
    now[0] -= 1
    seen: list[Any] = []
    page = ""
    while True:
        path = f"/organization/usage/completions?start_time={START + DAY}&bucket_width={width}&limit=4{page}"
        _, body = await running.call("GET", path)
        seen += body["data"]
        if not body["has_more"]:
            break
        page = f"&page={body['next_page']}"
    assert len(seen) == buckets
    assert sum(result["num_model_requests"] for bucket in seen for result in bucket["results"]) == 10


async def test_usage_comes_late_and_amounts_are_rounded_as_the_terms_say(start: Any) -> None:
    now = [float(NOW)]
    running = await start(clock=lambda: now[0], billing=["late:3600", "random:600", "round:4", "fresh"])
    await running.call("POST", "/chat/completions", chat(model="gpt-6.1-terra", n=30))
    assert await read(running, "costs", since=START) == []
    now[0] += 3500
    assert await read(running, "usage/completions", since=START) == []
    now[0] += 800
    (cost,) = await read(running, "costs", "limit=100", since=START)
    assert cost["amount"]["value"] == round(cost["amount"]["value"], 4) > 0
    assert len(await read(running, "usage/completions", "limit=31", since=START)) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lat:5", "unknown kind 'lat'; allowed: late:SECONDS"),
        ("late:soon", "found 'soon'; allowed: seconds"),
        ("round:1.5", "found '1.5'; allowed: 0 to 12 digits"),
        ("random:-1", "found '-1'"),
    ],
)
def test_terms_that_cannot_be_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        Terms.parse([text])


async def test_a_region_is_billed_with_its_surcharge_and_a_reset_forgets_everything(running: Any) -> None:
    ledger, payer = running.sandbox.backend.ledger, Payer(regional=True)
    body = {"model": "gpt-6.1-terra", "usage": {"prompt_tokens": 1000, "completion_tokens": 0}}
    ledger.record("POST /chat/completions", {}, body, payer)
    (cost,) = await read(running, "costs")
    assert cost["amount"]["value"] == pytest.approx(0.0011)
    running.sandbox.reset()
    await running.call("POST", "/moderations", {"input": "hello"})
    assert await read(running, "costs") == []


def test_the_tariff_reads_names_dates_and_tiers_by_itself() -> None:
    tariff = Tariff(Catalogue.open().folder)
    assert tariff.find("gpt-6.1-terra-2026-10-01") == tariff.find("gpt-6.1-terra")
    assert tariff.find("gpt-5.6") == tariff.find("gpt-5.6-sol")
    assert tariff.find("ft:gpt-4.1-2025-04-14:acme::1") == tariff.find("gpt-4.1")
    assert tariff.find("unheard-of") == {}
    assert (tariff.is_long("gpt-6-luna", 272_001), tariff.is_long("gpt-6-luna", 272_000)) == (True, False)

    def price(tier: str, *, day: str = "2026-11-28", long: bool = False) -> Decimal:
        at = int(datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp())
        units = {"in_text": 1_000_000}
        charges = tariff.charges("completions", "o3", tier, units, at=at, long=long, regional=False)
        return sum((charge.amount for charge in charges), Decimal(0))

    assert [price(tier) for tier in ("default", "batch", "priority")] == [Decimal(2), Decimal(1), Decimal("3.5")]
    assert price("default", day="2025-06-01") == Decimal(10)
    assert price("batch", day="2026-10-01") == Decimal(1)


REPORTS = [each for each in Catalogue.open().operations() if "bucket_width" in each.query]


def values_of(declared: Any) -> list[str]:
    """Return the choices that a field of the catalogue declares, wherever it does."""
    found = declared.get("enum") or declared.get("items", {}).get("enum") or ()
    return [*found, *(each for branch in declared.get("anyOf", ()) for each in values_of(branch))]


async def use_everything(running: Any) -> None:
    """Ask for something that each report tells of."""
    terra, luna = "gpt-6.1-terra", "gpt-6-luna"
    beta = {"headers": {"OpenAI-Beta": "assistants=v2"}}
    _, store = await running.call("POST", "/vector_stores", {"name": "s"}, **beta)
    web, files = {"type": "web_search"}, {"type": "file_search", "vector_store_ids": [store["id"]]}
    questions = [{"type": "predicate", "instructions": "Polite?"}]
    for path, payload in (
        ("/chat/completions", chat()),
        ("/responses", {"model": terra, "input": "New?", "tools": [web], "tool_choice": "required"}),
        ("/responses", {"model": luna, "input": "Hi", "tools": [files]}),
        ("/decisions", {"model": luna, "input": "Hi", "questions": questions}),
        ("/embeddings", {"model": "text-embedding-3-small", "input": "x"}),
        ("/moderations", {"input": "x"}),
        ("/images/generations", {"model": "gpt-image-2.5-flare", "prompt": "x"}),
        ("/audio/speech", {"model": "tts-1", "input": "Hi", "voice": "alloy"}),
        ("/containers", {"name": "c"}),
    ):
        async with running.session.post(f"{running.sandbox.url}{path}", json=payload) as answer:
            assert answer.status == 200, path
    form = aiohttp.FormData({"model": "gpt-transcribe"})
    form.add_field("file", b"This is what was said.", filename="speech.txt")
    assert (await running.call("POST", "/audio/transcriptions", data=form))[0] == 200


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
async def test_every_report_has_every_group_and_filter_that_the_catalogue_declares(running: Any, report: Any) -> None:
    await use_everything(running)
    path = report.template.removeprefix("/organization/")
    groups = values_of(report.query["group_by"])
    assert "project_id" in groups
    for group in groups:
        results = await read(running, path, f"group_by[]={group}")
        assert results or path.endswith("vector_stores")
        assert [one for one in results if one.get(group) is None and group != "user_id"] == []
    whole = await read(running, path)
    for name, declared in report.query.items():
        if name.endswith("s") and "array" in str(declared):
            other = (*values_of(declared), "none-of-them")[-2 if values_of(declared) else -1]
            assert await read(running, path, f"{name}[]={other}") == []
    for width in values_of(report.query["bucket_width"]):
        narrow = await read(running, path, f"bucket_width={width}", since=NOW - 40)
        assert [one["object"] for one in narrow] == [one["object"] for one in whole]


async def test_what_was_used_this_very_second_is_in_the_report(start: Any) -> None:
    running = await start(clock=lambda: float(START + DAY), billing=["fresh"])
    await running.call("POST", "/chat/completions", chat())
    assert await read(running, "usage/completions", "bucket_width=1d", since=START)
    assert await read(running, "costs", since=START)
