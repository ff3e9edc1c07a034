"""The list of tasks and the page of one, as a person uses them: find, read, edit, retry, settle."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.async_api import Page, expect

from tests.studio.browser.conftest import Open, find_violations
from tests.studio.browser.crowd import CROWD

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def open_task(opened: Open, key: str, **options: Literal["light", "dark"]) -> Page:
    """Find a task by its key, and open it from the list."""
    page = await opened(f"/tasks?route=tickets&key={key}", **options)
    await page.get_by_role("row").filter(has_text=key).click()
    await expect(page.get_by_role("heading", name=key, level=1)).to_be_visible()
    return page


async def test_list_is_filtered_by_state_text_and_field_and_the_address_says_so(opened: Open) -> None:
    page = await opened("/tasks?route=tickets")
    rows = page.locator("tbody tr[data-place]")
    await expect(rows.first).to_be_visible()
    await page.get_by_role("list", name="States").get_by_role("link", name=re.compile("^failed")).click()
    await expect(page).to_have_url(re.compile(r"[?&]state=failed"))
    await expect(rows.filter(has_text="lamp-2")).to_be_visible()
    await expect(rows.filter(has_text="lamp-1")).to_have_count(0)
    await page.get_by_role("button", name="Field").click()
    await page.get_by_label("Field of the document").fill("id")
    await page.get_by_label("is", exact=True).fill("lamp-6")
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"field=id%3Alamp-6"))
    address = page.url
    again = await opened(address)
    await expect(again.locator("tbody tr[data-place]")).to_have_count(1)
    await page.go_back()
    await page.go_forward()
    await expect(rows).to_have_count(1)


async def test_field_of_the_document_becomes_a_column(opened: Open) -> None:
    page = await opened("/tasks?route=tickets&key=lamp-1")
    await page.get_by_role("button", name="Columns").click()
    await page.get_by_role("button", name="customer.country").click()
    await expect(page.get_by_role("columnheader", name="customer.country")).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text="lamp-1")).to_contain_text("NL")


async def test_only_the_rows_in_sight_are_drawn_and_all_can_be_scrolled_to(opened: Open) -> None:
    page = await opened("/tasks?route=orders&state=finished&sort=id")
    region = page.get_by_role("region", name="Tasks")
    drawn = page.locator("tbody tr[data-place]")
    await expect(drawn.first).to_be_visible()
    assert await drawn.count() < 60
    last = page.locator(f'tr[data-place="{CROWD - 1}"]')
    for _ in range(40):
        await region.evaluate("region => region.scrollTo(0, region.scrollHeight)")
        if await last.count():
            break
        await page.wait_for_timeout(50)
    await expect(last).to_contain_text(f"o-{CROWD - 1}")
    assert await drawn.count() < 60


async def test_list_goes_by_keyboard(opened: Open) -> None:
    page = await opened("/tasks?route=tickets&sort=id")
    await expect(page.locator("tbody tr[data-place]").first).to_be_visible()
    await page.get_by_role("region", name="Tasks").focus()
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await expect(page.locator('tr[data-place="1"]')).to_be_focused()
    await page.keyboard.press("x")
    await expect(page.get_by_role("toolbar")).to_contain_text("1 task selected")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="lamp-2", level=1)).to_be_focused()
    await page.keyboard.press("j")
    await expect(page.get_by_role("heading", name="lamp-3", level=1)).to_be_visible()
    await page.keyboard.press("k")
    await expect(page.get_by_role("heading", name="lamp-2", level=1)).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_in_a_task(opened: Open, theme: Literal["light", "dark"]) -> None:
    page = await open_task(opened, "lamp-2", theme=theme)
    for view in ("Timeline", "Document, step by step", "Document", "Edit and retry"):
        await page.get_by_role("list", name="Views").get_by_role("link", name=view, exact=True).click()
        await expect(page.locator("[aria-busy=true]")).to_have_count(0)
        assert await find_violations(page) == [], view


async def test_call_is_read_with_request_answer_and_evidence(opened: Open) -> None:
    page = await open_task(opened, "lamp-1")
    call = page.get_by_role("button", name=re.compile("chat completions create"))
    await expect(call).to_have_attribute("aria-expanded", "true")
    await expect(page.get_by_role("region", name="Request")).to_contain_text("Greet customer c1.")
    await expect(page.get_by_role("region", name="Answer")).to_contain_text("Good morning!")


async def test_document_is_followed_step_by_step(opened: Open) -> None:
    page = await open_task(opened, "lamp-1")
    await page.get_by_role("link", name="Document, step by step").click()
    await expect(page.get_by_role("heading", name="After chat-prompt")).to_be_visible()
    changed = page.get_by_role("region", name="What the step changed")
    await expect(changed.locator(".added").filter(has_text='"model": "gpt-6-luna"')).to_have_count(1)


async def test_edited_document_is_retried_and_the_dialog_says_what_happens(opened: Open) -> None:
    page = await open_task(opened, "edited")
    await page.get_by_role("link", name="Edit and retry").first.click()
    document = page.get_by_label("The document")
    await document.fill('{"id": "edited", "text": ')
    await expect(page.get_by_text(re.compile(r"Line 1, column \d+"))).to_be_visible()
    await document.fill('{"id": "edited", "text": "Mended", "number": 12345678901234567890}')
    await page.get_by_role("region", name="What is changed").get_by_text("Mended").wait_for()
    await page.locator("form.edit").get_by_role("button", name="Retry …").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("replaced for good")
    assert await find_violations(page) == []
    await dialog.get_by_role("button", name=re.compile("^Retry")).click()
    await expect(page.get_by_role("status").filter(has_text="waits for its next attempt")).to_be_visible()
    await page.get_by_role("link", name="Document", exact=True).click()
    # A number that no browser can hold comes back as it was typed.
    await expect(page.get_by_role("figure", name="The document as it came")).to_contain_text("12345678901234567890")


async def test_many_are_counted_before_they_are_skipped(opened: Open) -> None:
    page = await opened("/tasks?route=tickets&state=waiting&key=skipped")
    await page.get_by_role("checkbox", name="Select all that are loaded").check()
    await page.get_by_role("toolbar").get_by_role("button", name="Skip …").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Skip 1 task").click()
    await expect(page.get_by_role("status").filter(has_text="1 task skipped")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("status").filter(has_text="1 task put back")).to_be_visible()
    await expect(page.get_by_text("No task matches")).to_be_visible()


async def test_doubtful_call_is_settled(opened: Open) -> None:
    page = await opened("/unknown")
    await page.get_by_role("navigation", name="Tasks in doubt").get_by_role("link").filter(has_text="settled").click()
    doubt = page.get_by_role("article", name="Task in doubt")
    await expect(doubt).to_contain_text("may be paid for again")
    await doubt.get_by_role("button", name="Skip …").click()
    dialog = page.get_by_role("dialog")
    settle = dialog.get_by_role("button", name="Skip it")
    await expect(settle).to_have_attribute("aria-disabled", "true")
    await dialog.get_by_role("textbox").fill("the log of the provider has no such request")
    await settle.click()
    await expect(page.get_by_role("status").filter(has_text="The task is skipped")).to_be_visible()
    await expect(page.get_by_role("navigation", name="Tasks in doubt")).not_to_contain_text("settled")


async def test_change_made_elsewhere_is_seen_without_asking(opened: Open) -> None:
    page = await opened("/tasks?route=tickets&key=elsewhere")
    row = page.get_by_role("row").filter(has_text="elsewhere")
    await expect(row).to_contain_text("failed")
    other = await open_task(opened, "elsewhere")
    await other.get_by_role("button", name="Skip …").click()
    await other.get_by_role("textbox", name=re.compile("^Why")).fill("not needed")
    await other.get_by_role("button", name="Skip this task").click()
    await expect(row).to_contain_text("skipped")
    await other.get_by_role("button", name="Undo").click()
    await expect(row).to_contain_text("new")


async def test_viewer_sees_all_and_is_offered_nothing_else(opened: Open) -> None:
    page = await opened("/tasks?route=tickets", role="viewer")
    await expect(page.get_by_role("row").filter(has_text="lamp-1")).to_be_visible()
    await expect(page.get_by_role("checkbox")).to_have_count(0)
    await expect(page.get_by_role("button", name=re.compile("Retry|Skip|Remove"))).to_have_count(0)
