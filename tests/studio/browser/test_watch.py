"""Money, the gateway and the sandbox: figures with what is not known, and faults as switches that can be undone."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from playwright.async_api import Route, expect

from tests.studio.browser.attacks import ATTACKS
from tests.studio.browser.conftest import Open, Site, find_violations
from tests.studio.browser.test_attacks import check

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = ATTACKS[:60:4]
NO_SANDBOX = {
    "title": "Refused",
    "status": 409,
    "detail": "no client of the configuration calls a sandbox",
    "next": "start one with `openai-connector sandbox`",
}


async def answer(route: Route, body: Any, status: int = 200) -> None:
    """Answer in place of the server."""
    await route.fulfill(status=status, body=json.dumps(body), content_type="application/json")


async def test_cost_is_summed_up_for_the_days_of_the_address(opened: Open) -> None:
    page = await opened("/money")
    table = page.get_by_role("table", name="Cost by route")
    await expect(table.get_by_role("row").filter(has_text="tickets")).to_contain_text(re.compile(r"\$\d"))
    await expect(page.get_by_role("img", name=re.compile("^Cost by day from"))).to_be_visible()
    await expect(page.get_by_role("table", name="Budgets of routes")).to_contain_text("$5.00")
    await page.get_by_role("link", name="By model").click()
    await expect(page.get_by_role("table", name="Cost by model")).to_contain_text("gpt-6-luna")
    await page.goto("/money?from=2001-01-01&to=2001-01-07")
    await expect(page.get_by_role("heading", name="No call in these days is known")).to_be_visible()
    await expect(page.get_by_label("From", exact=True)).to_have_value("2001-01-01")


async def test_a_route_is_foretold_beside_what_it_has_cost(opened: Open) -> None:
    page = await opened("/money")
    row = page.get_by_role("table", name="Forecasts of routes").get_by_role("row").filter(has_text="tickets")
    await expect(row).to_contain_text("not asked yet")
    await row.get_by_role("button", name="Foretell tickets").click()
    await expect(row).to_contain_text(re.compile(r"(sure|rough|a guess), by [\d,]+ past calls?"))
    await expect(row.get_by_role("cell").nth(5)).to_contain_text("$")


async def test_what_a_run_costs_is_said_before_it(opened: Open) -> None:
    page = await opened("/")
    await page.get_by_role("button", name="Read now").first.click()
    dialog = page.get_by_role("dialog", name="Run tickets now")
    await expect(dialog).to_contain_text(re.compile(r"documents?, likely \$\d"))
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(dialog).to_be_hidden()


async def test_gateway_that_cannot_be_asked_says_so_and_shows_limits(opened: Open) -> None:
    page = await opened("/gateway")
    await expect(page.get_by_role("main")).to_contain_text("Its counts are not known")
    await page.get_by_role("button", name="atlas").press("Enter")
    await expect(page).to_have_url(re.compile("open=atlas"))
    await expect(page.get_by_role("table", name="Callers")).to_contain_text("chat completions create")
    assert await find_violations(page) == []


async def test_empty_and_failed_pages_say_why(opened: Open) -> None:
    page = await opened("/")
    await page.route("**/api/v1/sandbox/requests?*", lambda route: answer(route, NO_SANDBOX, 409))
    await page.goto("/sandbox")
    await expect(page.get_by_role("heading", name="No client calls a sandbox")).to_be_visible()
    await expect(page.get_by_role("main")).to_contain_text("start one with openai-connector sandbox", ignore_case=True)
    nothing = {"listen": "127.0.0.1:8788", "running": False, "why": "it does not answer", "in_flight": None}
    await page.route(
        "**/api/v1/gateway", lambda route: answer(route, {**nothing, "callers": [], "refusals": [], "latency": []})
    )
    await page.goto("/gateway")
    await expect(page.get_by_role("heading", name="No gateway runs beside this studio")).to_be_visible()
    await expect(page.get_by_role("main")).to_contain_text("openai-connector serve")
    await page.route("**/api/v1/operations?*", lambda route: answer(route, {"detail": "the disk is full"}, 422))
    await page.goto("/catalogue")
    await expect(page.get_by_role("alert")).to_contain_text("The disk is full")


async def test_fault_is_switched_on_and_undone(opened: Open) -> None:
    page = await opened("/sandbox", role="operator")
    switch = page.get_by_role("switch", name="error-mid")
    await expect(switch).to_have_attribute("aria-checked", "false")
    await switch.press("Space")
    await expect(switch).to_have_attribute("aria-checked", "true")
    await expect(page.get_by_label("Share of the requests that meet error-mid")).to_have_value("10")
    assert await find_violations(page) == []
    await page.get_by_role("button", name="Undo").click()
    await expect(switch).to_have_attribute("aria-checked", "false")
    viewer = await opened("/sandbox", role="viewer")
    await expect(viewer.get_by_role("switch", name="error-mid")).to_be_disabled()
    await expect(viewer.get_by_role("main")).to_contain_text("switching faults needs the role of an operator")


async def test_what_arrived_shows_attacks_as_text(opened: Open, site: Site) -> None:
    base = re.search(r"base_uri: \"([^\"]+)", (site.folder / "connector.yaml").read_text(encoding="utf-8"))
    assert base
    async with httpx.AsyncClient() as client:
        await client.post(f"{base[1]}/<img src=x onerror=window.pwned=1>", json={})
        payload = {"model": "omni-moderation-latest", "input": list(HOSTILE)}
        answered = await client.post(
            f"{base[1]}/moderations", json=payload, headers={"authorization": "Bearer sk-sandbox-0123456789"}
        )
    assert answered.is_success
    page = await opened("/sandbox")
    rows = page.get_by_role("table", name="Requests").get_by_role("row")
    await expect(rows.filter(has_text="onerror").first).to_be_visible()
    await check(page)
    await rows.filter(has_text="moderations create").first.click()
    await expect(page.get_by_role("article")).to_contain_text("<script>window.pwned=1</script>")
    await check(page)


async def test_names_of_others_are_shown_as_text(opened: Open) -> None:
    page = await opened("/")
    price = {"amount": None, "currency": "USD", "why": HOSTILE[0]}
    rows = [{"name": text, "calls": 1, "input": 1, "output": 1, "cost": price} for text in HOSTILE]
    report = {"by": "model", "from": None, "to": None, "rows": rows, "total": {**rows[0], "name": ""}}
    money = {**report, "complete": False, "source": HOSTILE[1]}
    await page.route("**/api/v1/money?*", lambda route: answer(route, money))
    await page.goto("/money?by=model")
    await expect(page.get_by_role("table", name="Cost by model").get_by_role("row")).to_have_count(len(HOSTILE) + 2)
    await check(page)
    model = {"kind": None, "life_cycle": None, "shutdown": None, "successor": HOSTILE[2], "input": None, "output": None}
    models = [{**model, "id": text, "available": True, "used": False} for text in HOSTILE]
    account = {"client": HOSTILE[3], "asked": False, "why": HOSTILE[4]}
    await page.route(
        "**/api/v1/models", lambda route: answer(route, {"items": models, "account": account, "as_of": "2026-01-01"})
    )
    await page.goto("/models")
    await expect(page.locator("tbody tr[data-place]").first).to_contain_text("<script>")
    await check(page)
