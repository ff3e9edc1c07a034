"""The catalogue: operations are found, explained and sent once; models show where they are in their lives."""

from __future__ import annotations

import json
import re

import pytest
from playwright.async_api import expect

from tests.studio.browser.conftest import Open, find_violations

pytestmark = pytest.mark.asyncio(loop_scope="session")

CREATE = "/catalogue/operations/chat%20completions/create"


async def test_operation_is_found_and_opened_by_keyboard(opened: Open) -> None:
    page = await opened("/catalogue")
    await page.get_by_role("searchbox", name="Search operations").fill("chat completions create")
    rows = page.locator("tbody tr[data-place]")
    wanted = rows.filter(has_text="chat completions create")
    await expect(wanted).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"search=chat"))
    await wanted.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="chat completions create", level=1)).to_be_focused()
    field = page.get_by_role("table", name="Parameters and payload").get_by_role("row").filter(has_text="messages")
    await expect(field.first).to_contain_text("needed")
    await page.go_back()
    await expect(page.get_by_role("searchbox", name="Search operations")).to_have_value("chat completions create")


async def test_ctrl_k_finds_an_operation(opened: Open) -> None:
    page = await opened("/money")
    await expect(page.get_by_role("heading", name="Money", level=1)).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.get_by_role("combobox", name="Find tasks, routes and pages").fill("vector_stores create")
    await expect(page.get_by_role("option").filter(has_text="POST /vector_stores").first).to_be_visible()


async def test_request_is_explained_and_sent_once_after_its_effect_and_price_were_said(opened: Open) -> None:
    page = await opened(CREATE, role="operator")
    request = page.get_by_label("The request as JSON: path, query, payload, headers")
    await expect(request).to_have_value(re.compile('"messages"'))
    await request.fill("{")
    await expect(page.get_by_role("button", name="Explain")).to_be_disabled()
    given = {"payload": {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Good morning"}]}}
    await request.fill(json.dumps(given))
    await page.get_by_role("button", name="Explain").click()
    shown = page.get_by_role("region", name="What would be sent", exact=True)
    await expect(shown).to_contain_text(re.compile(r"a sandbox, by the client\s+openai"))
    await expect(shown).to_contain_text(re.compile(r"at most \$\d"))
    await expect(shown.get_by_role("table", name="Where each value came from")).to_contain_text("payload")
    await expect(shown).not_to_contain_text("canary")
    await page.get_by_role("button", name="Send once").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(re.compile(r"to a sandbox\. Its effect: .*\. It costs at most \$\d"))
    assert await find_violations(page) == []
    await dialog.get_by_role("button", name=re.compile(r"Send once · up to \$")).click()
    answer = page.get_by_role("region", name="Answer", exact=True)
    await expect(answer).to_contain_text(re.compile(r"Status 200 · .* cost \$\d"))
    await expect(answer.get_by_role("figure", name="Body of the answer")).to_contain_text("choices")
    assert await find_violations(page) == []


async def test_request_that_is_not_valid_says_where(opened: Open) -> None:
    page = await opened(CREATE)
    await page.get_by_label("The request as JSON: path, query, payload, headers").fill('{"payload": {"model": 7}}')
    await page.get_by_role("button", name="Explain").click()
    await expect(page.get_by_role("alert")).to_contain_text("payload.messages")


async def test_viewer_reads_why_nothing_can_be_sent(opened: Open) -> None:
    page = await opened(CREATE, role="viewer")
    button = page.get_by_role("button", name="Send once")
    await expect(button).to_be_disabled()
    await expect(button).to_have_accessible_description(re.compile("sending needs the role of an operator"))


async def test_model_that_retires_is_told_by_more_than_colour(opened: Open) -> None:
    page = await opened("/models?show=retires")
    rows = page.locator("tbody tr[data-place]")
    await expect(rows.first).to_contain_text("retires soon")
    await expect(rows.first.locator(".retires svg path")).to_have_count(1)
    await expect(rows.first).to_contain_text(re.compile(r"20\d\d-\d\d-\d\d"))
    assert await find_violations(page) == []
    await page.get_by_label("Which").select_option("Named by the configuration")
    await expect(rows).to_have_count(1)
    await rows.first.click()
    await expect(page.get_by_role("heading", name="gpt-6-luna", level=1)).to_be_focused()
    await expect(page.get_by_role("table", name="Prices by tier")).to_contain_text("batch")
