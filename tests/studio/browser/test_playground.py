"""The playground in a real browser: a chain is typed and tried, sent once, kept as a case, taken into its file."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from connector.config.tree import read_text
from connector.pipeline.testing import run_files
from connector.sandbox import Sandbox, in_thread
from tests.studio.browser.attacks import ATTACKS
from tests.studio.browser.conftest import Open, Site, find_violations, started_studio
from tests.studio.browser.crowd import fill_store
from tests.timing import crowding

pytestmark = pytest.mark.asyncio(loop_scope="session")
CONFIGURATION = Path(__file__).with_name("playground.yaml")
REPLY = "/playground?kind=outgoing&name=reply"
SLOWEST = 100.0
"""Milliseconds within which a chain of ten steps on a document of 10 kB is run and shown, from the key to the page."""
TYPE = """number => new Promise(shown => {
  const lines = Array.from({length: 150}, (_, n) => ({sku: `A-${n}`, note: "x".repeat(40)}));
  const region = document.querySelector('[aria-label="Step by step"]');
  const area = [...document.querySelectorAll("textarea")].at(-1);
  const began = performance.now();
  const observer = new MutationObserver(() => {
    if (!region.innerText.includes(`time ${number}`)) return;
    observer.disconnect();
    shown(performance.now() - began);
  });
  observer.observe(region, {subtree: true, childList: true, characterData: true});
  area.value = JSON.stringify({note: `time ${number}`, lines});
  area.dispatchEvent(new InputEvent("input", {bubbles: true}));
})"""
"""Types a document of 10 kB, and waits until the page shows what became of it."""
log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def sandbox() -> Any:
    """The sandbox that the client calls."""
    with in_thread(Sandbox(seed=1)) as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Site]:
    """A studio of its own: these tests change its configuration."""
    folder = tmp_path_factory.mktemp("playground")
    text = CONFIGURATION.read_text(encoding="utf-8").replace("SANDBOX", sandbox.url)
    (folder / "connector.yaml").write_text(text, encoding="utf-8")
    shutil.copy(CONFIGURATION.with_name("tickets.jsonl"), folder)
    await fill_store(f"sqlite:///{folder / 'connector.db'}")
    with started_studio(folder) as running:
        yield running


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


async def _steps(page: Page) -> list[str]:
    found = page.get_by_role("region", name="Step by step").locator("ol > li > a .name")
    return [text.strip() for text in await found.all_inner_texts()]


async def test_a_chain_is_tried_sent_kept_and_taken(opened: Open, site: Site, sandbox: Sandbox) -> None:
    page = await opened(REPLY)
    trace = page.get_by_role("region", name="Step by step")
    await expect(trace.get_by_role("status")).to_contain_text("1 document")
    assert await _steps(page) == ["expression", "value-setter", "chat-prompt"]
    chain, document = page.get_by_label("The steps of the chain"), page.get_by_label("The document as JSON")
    assert "# what the customer wrote" in await chain.input_value()

    await page.get_by_label("Sample document").select_option(label="Typed here")
    await document.fill('{"customer": {"name": "Ada"}, "text": "The lamp flickers."}')
    await expect(trace).to_contain_text("Ada writes: The lamp flickers.")

    before = len(sandbox.requests)
    await page.get_by_role("button", name="Explain the request").click()
    explained = page.get_by_role("region", name="What would be sent")
    await expect(explained).to_contain_text("a sandbox, by the client openai")
    await expect(explained).to_contain_text("Bearer ***")
    await expect(explained).to_contain_text("outgoing.reply.chain[2].chat-prompt")
    await page.get_by_role("button", name="Send once …").click()
    asked = page.get_by_role("dialog")
    await expect(asked).to_contain_text("the sandbox; nothing is paid")
    await expect(asked).to_contain_text("It costs at most $0.0000")
    assert len(sandbox.requests) == before
    await asked.get_by_role("button", name="Send once").dblclick()
    answer = page.get_by_role("region", name="Answer")
    await expect(answer).to_contain_text("Status 200")
    await expect(answer).to_contain_text("cost $0.0000")
    assert len(sandbox.requests) == before + 1

    await page.get_by_label("Save the document as a test case").fill("a lamp that flickers")
    await page.get_by_role("button", name="Save as a test case").click()
    await expect(page.get_by_text("The case is in reply.test.yaml")).to_be_visible()
    cases = site.folder / "reply.test.yaml"
    assert [one.difference async for one in run_files([cases], site.folder / "connector.yaml")] == [""]
    await expect(page.get_by_label("Sample document")).to_contain_text("a lamp that flickers")

    text = await chain.input_value()
    await chain.fill(text.replace('language: "en"}  # for now', 'language: "fr"}  # for ever'))
    await expect(trace).to_contain_text("fr")
    await page.get_by_role("button", name="Take into configuration").click()
    change = page.get_by_role("region", name="What would be changed").first
    await expect(change).to_contain_text("# for ever")
    path = site.folder / "connector.yaml"
    other = _text(path).replace("The assistant of the support desk", "The assistant of the shop")
    path.write_text(other, encoding="utf-8")
    await change.get_by_role("button", name="Save connector.yaml").click()
    await expect(change.get_by_role("status")).to_contain_text("Somebody else has changed the file meanwhile")
    await change.get_by_role("button", name="Save connector.yaml").click()
    await expect(page.get_by_text("connector.yaml is saved")).to_be_visible()
    saved = _text(path)
    assert 'configurations: {language: "fr"}  # for ever' in saved
    assert "The assistant of the shop" in saved
    assert "# what the customer wrote" in saved
    await expect(page.get_by_text("The chain is as it is saved in connector.yaml")).to_be_visible()


async def test_a_link_shows_the_same(opened: Open) -> None:
    page = await opened(f"{REPLY}&sample=")
    await page.get_by_label("The document as JSON").fill('{"text": "from a link"}')
    stop = page.get_by_role("button", name="Stop here").nth(1)
    await stop.click()
    await expect(page.get_by_role("button", name="Stops here")).to_have_attribute("aria-pressed", "true")
    await expect(page).to_have_url(re.compile("document=.*from"))
    await expect(page.get_by_role("button", name="Stop here")).to_have_count(1)
    assert await _steps(page) == ["expression", "value-setter"]
    there = await opened(page.url.removeprefix(page.url.split("/playground", maxsplit=1)[0]))
    await expect(there.get_by_label("The document as JSON")).to_have_value('{"text": "from a link"}')
    await expect(there.get_by_role("button", name="Stops here")).to_be_visible()
    assert await _steps(there) == ["expression", "value-setter"]
    await there.get_by_role("button", name="Run all 3 steps").click()
    await expect(there.get_by_role("region", name="Step by step")).to_contain_text("chat-prompt")


async def test_faults_stand_at_their_lines_and_an_expression_without_end_is_stopped(opened: Open) -> None:
    page = await opened(f"{REPLY}&sample=")
    chain = page.get_by_label("The steps of the chain")
    await chain.fill("- breakpoint-logger\n- value-sitter: {}\n")
    mark = page.get_by_role("button", name=re.compile("Line 2.*unknown step"))
    await mark.click()
    await expect(chain).to_be_focused()
    assert await chain.evaluate("area => area.selectionStart") == len("- breakpoint-logger\n")
    await chain.fill("- breakpoint-logger\n- expression: {expression: 'length(name)'}\n")
    await page.get_by_label("The document as JSON").fill('{"name": 7}')
    trace = page.get_by_role("region", name="Step by step")
    await expect(trace.get_by_role("status")).to_contain_text("It failed")
    await expect(page.get_by_role("button", name=re.compile("Line 2.*length"))).to_be_visible()
    tenfold = "|".join(["[@,@,@,@,@,@,@,@,@,@][]"] * 8)
    await chain.fill(f"- expression: '{tenfold}'\n")
    await expect(trace).to_contain_text("its budget")


async def test_an_older_answer_never_replaces_a_newer_one(opened: Open) -> None:
    page = await opened(f"{REPLY}&sample=")
    document = page.get_by_label("The document as JSON")
    trace = page.get_by_role("region", name="Step by step")
    await expect(trace.get_by_role("status")).to_contain_text("1 document")
    held: list[Route] = []

    async def hold(route: Route) -> None:
        if "the older one" in (route.request.post_data or ""):
            held.append(route)
        else:
            await route.continue_()

    await page.route("**/playground/run", hold)
    async with page.expect_request("**/playground/run"):
        await document.fill('{"text": "the older one"}')
    await document.fill('{"text": "the newer one"}')
    await expect(trace).to_contain_text("the newer one")
    assert held
    await held[0].abort()
    await expect(trace).to_contain_text("the newer one")
    assert "the older one" not in await trace.inner_text()


async def test_a_chain_of_ten_steps_is_shown_within_a_tenth_of_a_second(opened: Open) -> None:
    page = await opened(f"{REPLY}&sample=")
    step = "- expression: {expression: '{note: note, size: length(lines), lines: lines}'}\n"
    await page.get_by_label("The steps of the chain").fill(step * 10)
    await page.get_by_label("The document as JSON").fill('{"lines": []}')
    await expect(page.get_by_role("region", name="Step by step").locator("ol > li")).to_have_count(10)
    seen: list[float] = [await page.evaluate(TYPE, number) for number in range(16)]
    log.info("ten steps, 10 kB: %s ms from the key to the page", ", ".join(f"{one:.0f}" for one in seen))
    assert sorted(seen)[1] < SLOWEST * crowding(), "a busy machine is given some tries, a slow page is not"
    assert len(await _steps(page)) == 10


async def test_it_goes_by_keyboard_and_tab_can_leave(opened: Open) -> None:
    page = await opened(f"{REPLY}&sample=")
    chain = page.get_by_label("The steps of the chain")
    await chain.fill("")
    await chain.press_sequentially("- expression:")
    await chain.press("Enter")
    await chain.press_sequentially("expression: name")
    assert await chain.input_value() == "- expression:\n    expression: name"
    await chain.press("Tab")
    await expect(chain).to_be_focused()
    await chain.press("Shift+Tab")
    await expect(chain).to_be_focused()
    await chain.press("Control+z")
    await chain.press("Escape")
    await expect(page.get_by_text("Tab now leaves the editor.")).to_be_visible()
    await chain.press("Tab")
    await expect(chain).not_to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
async def test_axe_finds_nothing(opened: Open, theme: Literal["light", "dark"], width: int) -> None:
    page = await opened(f"{REPLY}&sample=", theme=theme, viewport={"width": width, "height": 900})
    await page.get_by_role("button", name="Explain the request").click()
    await expect(page.get_by_role("region", name="What would be sent")).to_be_visible()
    assert await find_violations(page) == []
    await page.get_by_label("The steps of the chain").fill("- nothing-of-the-kind: {}\n- expression: '\u202e'\n")
    await expect(page.get_by_role("button", name=re.compile("Line 1.*unknown step"))).to_be_visible()
    assert await find_violations(page) == []
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    box = await page.locator("main").evaluate("main => main.scrollWidth - main.clientWidth")
    assert box <= 0


async def test_what_is_typed_is_text(opened: Open) -> None:
    page = await opened(f"{REPLY}&sample=")
    document = page.get_by_label("The document as JSON")
    value: str = await page.evaluate("list => JSON.stringify({text: list.join(' '), a: list})", list(ATTACKS))
    await document.fill(value)
    await expect(page.get_by_role("region", name="Step by step").get_by_role("status")).to_contain_text("1 document")
    chain = page.get_by_label("The steps of the chain")
    await chain.fill("".join(f"- {one!r}\n" for one in ATTACKS))
    await expect(page.get_by_role("region", name="Step by step")).to_contain_text("fault")


async def test_a_viewer_reads_and_is_told(opened: Open) -> None:
    page = await opened(f"{REPLY}&sample=", role="viewer")
    await expect(page.get_by_text("Trying a chain needs the role of an operator")).to_be_visible()
    await expect(page.get_by_role("button", name="Send once")).to_have_count(0)


async def test_a_saved_chain_takes_parameters_and_keeps_cases(opened: Open, site: Site) -> None:
    page = await opened("/playground?kind=chains&name=greet&sample=")
    await page.get_by_label("Parameters as JSON").fill('{"word": "Dear"}')
    trace = page.get_by_role("region", name="Step by step")
    await expect(trace).to_contain_text("Dear")
    await page.get_by_label("The document as JSON").fill('{"name": "Ada"}')
    await page.get_by_label("Save the document as a test case").fill("dear")
    await expect(trace).to_contain_text("Dear Ada")
    await page.get_by_role("button", name="Save as a test case").click()
    await expect(page.get_by_text("The case is in greet.test.yaml")).to_be_visible()
    cases = site.folder / "greet.test.yaml"
    (case,) = read_text(_text(cases), "x").value
    assert case == {
        "name": "dear", "parameters": {"word": "Dear"}, "input": {"name": "Ada"},
        "output": {"name": "Ada", "greeting": "Dear Ada"},
    }  # fmt: skip


async def test_chains_are_found(opened: Open) -> None:
    page = await opened("/")
    await page.get_by_role("heading", level=1).wait_for()
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Find tasks, routes and pages")).to_be_focused()
    await page.keyboard.type("greet")
    await page.get_by_role("dialog").get_by_role("option", name=re.compile("Says hello")).click()
    await expect(page).to_have_url(re.compile("kind=chains&name=greet"))
    await expect(page.get_by_label("The chain: parameters and steps")).to_be_visible()
