"""Whatever a document, a key or an upstream says is shown as text: nothing of it runs, nothing leaves."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.async_api import Page, expect

from tests.studio.browser.attacks import ATTACKS
from tests.studio.browser.conftest import Open
from tests.studio.browser.crowd import CHUNK, HOSTILE

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEEN = 12
"""Tasks that are opened one by one; the documents of the others hold the rest."""
MADE = "script, iframe, object, embed, img, link, base, meta, form[action], [style*=url]"
"""Elements that only a text that became markup would make."""


async def check(page: Page) -> None:
    """Nothing ran, and no element was made of a text. Dialogs, windows, requests and violations fail the fixture."""
    assert await page.evaluate("window.pwned") is None
    assert await page.locator("main").locator(MADE).count() == 0
    assert await page.title() != "pwned"


async def test_there_are_enough_attacks() -> None:
    assert len(set(ATTACKS)) == len(ATTACKS) >= 140


async def test_list_shows_them_as_text(opened: Open) -> None:
    page = await opened(f"/tasks?route={HOSTILE}&state=failed&sort=id&columns=id,columns")
    region = page.get_by_role("region", name="Tasks")
    await expect(page.locator("tbody tr[data-place]").first).to_be_visible()
    await expect(region).to_contain_text("<script>window.pwned=1</script>")
    for place in range(0, 6000, 900):
        await region.evaluate("(region, place) => region.scrollTo(0, place)", place)
        await check(page)


async def test_pages_of_tasks_show_them_as_text(opened: Open) -> None:
    page = await opened(f"/tasks?route={HOSTILE}&state=failed&sort=id")
    await expect(page.locator("tbody tr[data-place]").first).to_be_visible()
    await page.get_by_role("region", name="Tasks").focus()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    for number in range(SEEN):
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(rf"^{number} "))
        await expect(page).to_have_title(re.compile(rf"^{number} "))
        await check(page)
        await page.keyboard.press("j")


@pytest.mark.parametrize("chunk", range(0, len(ATTACKS), CHUNK))
async def test_calls_and_documents_show_them_as_text(opened: Open, chunk: int) -> None:
    page = await opened(f"/tasks?route={HOSTILE}&key=chunk-{chunk // CHUNK}")
    await page.locator("tbody tr[data-place]").first.click()
    folded = page.locator("button.head[aria-expanded=false]")
    await expect(folded).to_have_count(2)
    await folded.last.click()
    await folded.first.click()
    await expect(page.get_by_role("region", name="Request").first).to_contain_text("POST")
    await check(page)
    views = page.get_by_role("list", name="Views")
    for view in ("Document, step by step", "Document"):
        await views.get_by_role("link", name=view, exact=True).click()
        await expect(page.locator("main")).to_contain_text("texts")
        await check(page)
    await views.get_by_role("link", name="Edit and retry").click()
    await expect(page.get_by_label("The document")).to_have_value(re.compile("texts"))
    await check(page)


async def test_doubtful_calls_show_them_as_text(opened: Open) -> None:
    page = await opened("/unknown")
    doubts = page.get_by_role("navigation", name="Tasks in doubt").get_by_role("link").filter(has_text="chunk-")
    await expect(doubts.first).to_be_visible()
    for place in range(await doubts.count()):
        await doubts.nth(place).click()
        await expect(page.get_by_role("article", name="Task in doubt")).to_contain_text(f"chunk-{place}")
        await check(page)


async def test_address_and_search_show_them_as_text(opened: Open) -> None:
    page = await opened("/tasks")
    for text in ATTACKS[::15]:
        query = urlencode({"text": text, "field": f"a:{text}", "columns": text[:50]})
        await page.evaluate("query => history.pushState(null, '', `/tasks?${query}`)", query)
        await page.evaluate("dispatchEvent(new PopStateEvent('popstate'))")
        await expect(page.get_by_role("heading", name="Tasks", level=1)).to_be_visible()
        await check(page)
    await page.keyboard.press("Control+k")
    for text in ATTACKS[::15]:
        await page.get_by_role("combobox", name="Find tasks, routes and pages").fill(text)
        await check(page)
