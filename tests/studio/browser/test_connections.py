"""The configuration as forms beside its text, from nothing to a task, and what may go wrong on the way."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from connector.config.tree import read_text
from connector.sandbox import Sandbox, in_thread
from tests.studio.browser.attacks import ATTACKS
from tests.studio.browser.conftest import COMMAND, Open, Site, find_violations, sign_in, started_studio
from tests.studio.kit import CONFIGURATION, TOKENS

pytestmark = [pytest.mark.asyncio(loop_scope="session")]

TOKENS_ONLY = "# Ours\n" + CONFIGURATION[CONFIGURATION.index("studio:") :]


@pytest.fixture
def own_site(tmp_path: Path, site: Site) -> Generator[Site]:
    """A studio of its own, whose configuration says nothing but who may sign in."""
    (tmp_path / "connector.yaml").write_text(TOKENS_ONLY, encoding="utf-8")
    (tmp_path / "tickets.jsonl").write_text(
        "".join(json.dumps({"id": f"t{number}", "text": f"Ticket {number}"}) + "\n" for number in range(3)), "utf-8"
    )
    with started_studio(tmp_path) as running:
        yield running


async def _open(browser: Browser, site: Site, path: str, role: str = "editor") -> Page:
    context = await browser.new_context(base_url=site.url, viewport={"width": 1440, "height": 900})
    await context.add_cookies([await sign_in(site, role)])
    page = await context.new_page()
    page.set_default_timeout(20_000)
    await page.goto(path)
    return page


def _read(site: Site) -> str:
    return (site.folder / "connector.yaml").read_text(encoding="utf-8")


async def _set(page: Page, path: str, value: str) -> None:
    """Write into the field at a path, and wait until the text says it."""
    field = (
        page.locator(f'[data-path="{path}"]')
        .get_by_role("textbox")
        .or_(page.locator(f'[data-path="{path}"]').get_by_role("combobox"))
    )
    await field.last.fill(value)
    await field.last.press("Tab")
    await expect(page.get_by_label("connector.yaml")).to_have_value(re.compile(re.escape(value)))


async def _save(page: Page) -> None:
    await page.get_by_role("button", name="Review and save").click()
    await page.get_by_role("button", name="Save 1 file").click()
    await expect(page.get_by_role("status").filter(has_text="No errors")).to_be_visible()
    await expect(page.get_by_text("1 file changed, not saved")).to_have_count(0)


async def test_a_route_is_made_by_forms_saved_run_and_its_task_is_there(browser: Browser, own_site: Site) -> None:
    with in_thread(Sandbox(seed=1)) as sandbox:
        page = await _open(browser, own_site, "/connections")
        await expect(page.get_by_text("There are no clients yet")).to_be_visible()
        await page.get_by_role("link", name="Make the first client").click()
        await page.get_by_label("Name", exact=True).fill("main")
        await page.get_by_role("button", name="Create the client").click()
        await page.locator("summary").filter(has_text="more setting").first.click()
        await _set(page, "clients.main.parameters.base_uri", sandbox.url)
        text = page.get_by_label("connector.yaml")
        await text.fill((await text.input_value()).replace("${OPENAI_API_KEY}", "sk-typed-0123456789"))
        await page.get_by_role("button", name="Try the client").click()
        await expect(page.get_by_text("client 'main' works", exact=False)).to_be_visible()

        for section, one, begins, name in (
            ("incoming", "incoming connection", "File", "tickets"),
            ("outgoing", "outgoing connection", "Chat completion", "reply"),
            ("routes", "route", "", "route"),
        ):
            await page.get_by_role("link", name=f"New {one}").first.click()
            if begins:
                await page.get_by_role("radio", name=re.compile(f"^{begins}")).check()
            if section != "routes":
                await page.get_by_label("Name", exact=True).fill(name)
            await page.get_by_role("button", name=f"Create the {one}").click()
            await expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
            if section == "incoming":
                await _set(page, "incoming.tickets.subscriber.parameters.url", "tickets.jsonl")
                await page.get_by_role("button", name="Read a sample").click()
                await expect(page.get_by_text("gives documents; these are the first 3", exact=False)).to_be_visible()
            if section == "outgoing":
                await _set(page, "outgoing.reply.chain.0.chat-prompt.model", "gpt-6-luna")
                await _set(page, "outgoing.reply.chain.0.chat-prompt.prompt", "Answer: &{text}")
                await page.get_by_label("A document to try it with").fill('{"text": "Hello"}')
                await page.get_by_role("button", name="Explain the request").click()
                await page.get_by_role("button", name="2 fields").click()
                await expect(page.get_by_text("Answer: Hello").first).to_be_visible()
        await _save(page)
        values: Any = read_text(_read(own_site), "connector.yaml").value
        assert values["routes"] == {"route": {"incoming": "tickets", "outgoing": "reply"}}
        assert values["clients"]["main"]["parameters"] == {"token": "sk-typed-0123456789", "base_uri": sandbox.url}
        assert _read(own_site).startswith("# Ours\n")
        source = str(own_site.folder / "connector.yaml")
        ran = await asyncio.to_thread(
            subprocess.run, [*COMMAND, "run", "--once", "-f", source], capture_output=True, timeout=60, check=False
        )
        assert ran.returncode == 0, ran.stderr
        await page.goto("/tasks?route=route")
        await expect(page.get_by_role("row").filter(has_text="finished")).to_have_count(3)
        await page.context.close()


async def test_form_and_text_are_in_step_and_every_change_can_be_undone(browser: Browser, own_site: Site) -> None:
    page = await _open(browser, own_site, "/connections?section=variables")
    text = page.get_by_label("connector.yaml")
    await text.fill("# mine\nvariables:\n  shop: Books # the name\n  size: 3\n" + TOKENS_ONLY)
    await page.get_by_role("link", name="shop").first.click()
    await expect(page.locator('[data-path="variables.shop"] input')).to_have_value("Books")
    await _set(page, "variables.shop", "Bikes")
    await expect(text).to_have_value(re.compile("# mine\nvariables:\n  shop: Bikes # the name\n  size: 3\n"))
    await text.press_sequentially(" ")
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator('[data-path="variables.shop"] input')).to_have_value("Books")
    await page.get_by_role("button", name="Redo").click()
    await expect(page.locator('[data-path="variables.shop"] input')).to_have_value("Bikes")
    await text.fill("variables: [")
    await expect(page.get_by_text("cannot be read as it is")).to_be_visible()
    await expect(page.locator('[data-path="variables.shop"] input')).to_have_attribute("readonly", "")
    assert _read(own_site) == TOKENS_ONLY, "nothing is saved by itself"
    await page.context.close()


async def test_who_saves_second_merges_and_nothing_is_lost(browser: Browser, own_site: Site) -> None:
    page = await _open(browser, own_site, "/connections")
    text = page.get_by_label("connector.yaml")
    await text.fill(TOKENS_ONLY + "currency: EUR\n")
    await expect(page.get_by_text("1 file changed, not saved")).to_be_visible()
    async with httpx.AsyncClient(base_url=own_site.url, headers={"authorization": f"Bearer {TOKENS['editor']}"}) as api:
        (file,) = (await api.get("/api/v1/config")).json()["files"]
        theirs = file["text"].replace("# Ours", "# Ours and theirs")
        saved = await api.put(
            "/api/v1/config",
            json={"file": file["name"], "text": theirs},
            headers={"if-match": f'"{file["etag"]}"'},
        )
        assert saved.is_success, saved.text
    await expect(page.get_by_text("was saved by somebody else meanwhile")).to_be_visible()
    await expect(page.get_by_text("Both changes fit together")).to_be_visible()
    assert await find_violations(page) == []
    await page.get_by_role("button", name="Take both changes").click()
    await _save(page)
    assert _read(own_site) == TOKENS_ONLY.replace("# Ours", "# Ours and theirs") + "currency: EUR\n"
    await page.context.close()


async def test_a_list_is_ordered_by_keyboard_and_comments_move_along(browser: Browser, own_site: Site) -> None:
    page = await _open(browser, own_site, "/connections?section=chains")
    chain = "chains:\n  tidy:\n    # first\n    - trim-all: {}\n    # second\n    - value-setter: {a: 1}\n"
    await page.get_by_label("connector.yaml").fill(chain + TOKENS_ONLY)
    await page.get_by_role("link", name="tidy").first.click()
    button = page.get_by_role("button", name="Move step 2 of tidy up").or_(
        page.get_by_role("button", name="Move item 2 of tidy up")
    )
    await button.focus()
    await page.keyboard.press("Enter")
    moved = "    # second\n    - value-setter: {a: 1}\n    # first\n    - trim-all: {}\n"
    await expect(page.get_by_label("connector.yaml")).to_have_value(re.compile(re.escape(moved)))
    await page.get_by_role("button", name="Rename").click()
    await page.get_by_label("New name", exact=True).fill("clean")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="clean")).to_be_visible()
    await expect(page.get_by_label("connector.yaml")).to_have_value(re.compile("  clean:\n"))
    await page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    [
        "?section=outgoing&entry=reply",
        "?section=clients",
        "?section=clients&entry=openai",
        "?section=gateway",
        "?section=variables",
        "?section=incoming&new=1",
    ],
)
async def test_nothing_is_in_the_way_of_anybody(opened: Open, path: str, theme: str) -> None:
    page = await opened(f"/connections{path}", theme=theme, viewport={"width": 1440, "height": 900})
    await expect(page.get_by_label("connector.yaml")).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text="No errors")).to_be_visible()
    assert await find_violations(page) == []


async def test_a_viewer_looks_and_changes_nothing(opened: Open) -> None:
    page = await opened("/connections?section=routes&entry=tickets", role="viewer")
    await expect(page.get_by_text("changing the configuration needs the role of an editor")).to_be_visible()
    await expect(page.locator('[data-path="routes.tickets.key"] input')).to_have_attribute("readonly", "")
    await expect(page.get_by_role("button", name="Review and save")).to_have_count(0)
    await expect(page.get_by_role("button", name="Remove")).to_have_count(0)


async def test_secrets_are_replaced_and_never_read(opened: Open) -> None:
    page = await opened("/connections?section=clients&entry=openai", viewport={"width": 1440, "height": 900})
    await expect(page.get_by_text("A secret; it stays on the server")).to_be_visible()
    assert "sk-canary" not in await page.content()
    await page.get_by_role("button", name="Replace the secret of token").click()
    await page.get_by_placeholder("of the environment, or the secret").fill("${OPENAI_API_KEY}")
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("connector.yaml")).to_have_value(re.compile(r"token: [\"']?\$\{OPENAI_API_KEY\}"))


async def test_models_are_proposed_with_life_cycle_and_price(opened: Open) -> None:
    page = await opened("/connections?section=outgoing&entry=reply", viewport={"width": 1440, "height": 900})
    field = page.locator('[data-path="outgoing.reply.chain.0.chat-prompt.model"] input')
    await field.fill("gpt-6")
    option = page.locator("li[role=option]").first
    await expect(option).to_contain_text("in this account")
    await expect(option).to_contain_text("a million tokens")
    await field.press("Escape")
    operation = page.get_by_label("operation")
    await operation.fill("embeddings cre")
    await operation.press("ArrowDown")
    await operation.press("Enter")
    await expect(page.get_by_label("connector.yaml")).to_have_value(re.compile("entity: embeddings, action: create"))


async def test_steps_conditions_and_payloads_are_chosen_and_filled(browser: Browser, own_site: Site) -> None:
    page = await _open(browser, own_site, "/connections?section=chains&new=1")
    await page.get_by_role("button", name="Create the chain").click()
    step = page.get_by_label("What step 1 is")
    await step.fill("conditional")
    await step.press("ArrowDown")
    await step.press("Enter")
    await page.get_by_role("button", name="Add filters").click()
    await expect(page.get_by_label("connector.yaml")).to_have_value(re.compile(r"- conditional:\s*\{?filters:"))
    await page.get_by_role("link", name="New outgoing connection").first.click()
    await page.get_by_role("radio", name=re.compile("^Any operation")).check()
    await page.get_by_role("button", name="Create the outgoing connection").click()
    await page.locator("summary").filter(has_text="more settings").last.click()
    await page.get_by_role("button", name="Add request").click()
    await page.get_by_role("button", name="Add payload").click()
    more = page.get_by_label(re.compile("^Add one of"))
    await more.fill("instructions")
    await more.press("ArrowDown")
    await more.press("Enter")
    await _set(page, "outgoing.any-operation.request.payload.instructions", "Be short.")
    assert await find_violations(page) == []
    await page.context.close()


async def test_hostile_names_and_values_are_shown_as_text(browser: Browser, own_site: Site) -> None:
    named = {f"n{number}": attack for number, attack in enumerate(ATTACKS)}
    (own_site.folder / "connector.yaml").write_text(
        json.dumps({"x-note": 1, "variables": named}, ensure_ascii=True)[:-1]
        + ", "
        + json.dumps({"studio": read_text(TOKENS_ONLY, "x.yaml").value["studio"]})[1:],
        encoding="utf-8",
    )
    errors: list[str] = []
    page = await _open(browser, own_site, "/connections?section=variables")
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    await expect(page.get_by_role("rowheader", name="n0", exact=True)).to_be_visible()
    await page.goto("/connections?section=variables&entry=n0")
    await expect(page.get_by_role("heading", name="n0", exact=True)).to_be_visible()
    assert await page.evaluate("window.pwned ?? null") is None
    assert errors == []
    await page.context.close()


async def test_a_form_of_another_platform_becomes_an_entry(browser: Browser, own_site: Site) -> None:
    page = await _open(browser, own_site, "/connections?section=outgoing&new=1")
    await page.get_by_label("Or as you know it from").select_option("prismatic-create-chat-completion")
    await expect(page.get_by_role("heading", name="Create Chat Completion")).to_be_visible()
    await expect(page.locator('[data-path$="model"] input')).to_have_attribute("placeholder", "gpt-3.5-turbo")
    assert await find_violations(page) == []
    await page.locator('[data-path$="prompt"] textarea').fill("Answer: &{text}")
    await page.get_by_role("button", name="Make it ours").click()
    await expect(page.get_by_text("there was no client 'openai'; it is made")).to_be_visible()
    await page.get_by_role("link", name="Open the entry").click()
    await expect(page.get_by_role("heading", name="create-chat-completion")).to_be_visible()
    text = await page.get_by_label("connector.yaml").input_value()
    entry = read_text(text, "x.yaml").value["outgoing"]["create-chat-completion"]
    assert entry["request"]["payload"]["temperature"] == 1
    assert entry["request"]["payload"]["messages"] == [{"role": "user", "content": "Answer: &{text}"}]
    await page.context.close()
