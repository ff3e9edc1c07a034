"""Signing in by the printed link, the frame around every page, both themes, and the keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from tests.studio.browser.conftest import Open, find_violations, started_studio

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = {
    "/": "Overview",
    "/tasks": "Tasks",
    "/unknown": "Unknown",
    "/catalogue": "Catalogue",
    "/catalogue/operations/chat%20completions/create": "chat completions create",
    "/models": "Models",
    "/models/gpt-6-luna": "gpt-6-luna",
    "/money": "Money",
    "/gateway": "Gateway",
    "/sandbox": "Sandbox",
}
EMPTY = "clients: {}\n"


async def test_printed_link_signs_in_and_leaves_no_trace(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "connector.yaml").write_text(EMPTY, encoding="utf-8")
    with started_studio(tmp_path) as site:
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(site.link)
        await expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
        assert page.url == f"{site.url}/"
        cookies = await context.cookies()
        assert [(cookie.get("httpOnly"), cookie.get("sameSite")) for cookie in cookies] == [(True, "Strict")]
        assert await page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
        # The link has worked once; whoever finds it later is told what to do.
        other = await browser.new_context()
        late = await other.new_page()
        await late.goto(site.link)
        await expect(late.get_by_role("heading", name="Sign in")).to_be_visible()
        await expect(late.get_by_role("alert")).to_contain_text("a code works once", ignore_case=True)
        assert await find_violations(late) == []
        await context.close()
        await other.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("path", "title"), PAGES.items())
async def test_axe_finds_nothing(opened: Open, path: str, title: str, theme: Literal["light", "dark"]) -> None:
    page = await opened(path, theme=theme)
    await expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert await find_violations(page) == []


async def test_theme_can_be_chosen_and_stays(opened: Open) -> None:
    page = await opened("/", theme="light")
    await page.get_by_role("button", name="Theme").click()
    await page.get_by_role("button", name="Dark").click()
    background = "getComputedStyle(document.documentElement).backgroundColor"
    dark = await page.evaluate(background)
    await page.reload()
    await expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    assert await page.evaluate(background) == dark != "rgb(255, 255, 255)"


async def test_everybody_sees_that_this_is_a_sandbox(opened: Open) -> None:
    page = await opened("/")
    await expect(page.get_by_role("banner")).to_contain_text("Sandbox")
    striped = "getComputedStyle(document.querySelector('header'), '::before').backgroundImage"
    assert "repeating-linear-gradient" in await page.evaluate(striped)


async def test_ctrl_k_goes_to_a_page_by_keyboard_alone(opened: Open) -> None:
    page = await opened("/")
    await expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Find tasks, routes and pages")).to_be_focused()
    await page.keyboard.type("unkn")
    await expect(page.get_by_role("option", name="Unknown").first).to_have_attribute("aria-selected", "true")
    assert await find_violations(page) == []
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Unknown", level=1)).to_be_focused()
    await page.go_back()
    await expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()


@pytest.mark.parametrize("width", [390, 720, 1024])
async def test_nothing_is_wider_than_the_page(opened: Open, width: int) -> None:
    page = await opened("/", viewport={"width": width, "height": 800})
    for path, title in PAGES.items():
        await page.goto(path)
        await expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
        wide = "[...document.querySelectorAll('html, main')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
        assert await page.evaluate(wide) == 0, path


async def test_rail_opens_on_a_phone(opened: Open) -> None:
    page = await opened("/", viewport={"width": 390, "height": 800})
    rail = page.get_by_role("navigation", name="Pages")
    await expect(rail).to_be_hidden()
    await page.get_by_role("button", name="Pages").click()
    await rail.get_by_role("link", name="Tasks").click()
    await expect(page.get_by_role("heading", name="Tasks", level=1)).to_be_visible()
    await expect(rail).to_be_hidden()
