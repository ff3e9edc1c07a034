"""A real studio, a sandbox behind it, and a real browser in front of it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    async_playwright,
    expect,
)

from connector.sandbox import Sandbox, in_thread
from tests.programs import missing, needed_browser
from tests.studio.browser.crowd import fill_store
from tests.studio.kit import TOKENS
from tools import studio as pages

COMMAND = (sys.executable, "-m", "connector")
CONFIGURATION = Path(__file__).with_name("connector.yaml")
PATIENCE = 20_000
"""Milliseconds that the browser waits for what should be there at once; a busy machine is slow."""
expect.set_options(timeout=PATIENCE)
AXE = pages.SOURCES / "node_modules" / "axe-core" / "axe.min.js"
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4")
"""What a browser says of an answer that refuses; the page shows it."""
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@dataclass(frozen=True)
class Site:
    """A studio that runs.

    Attributes:
        link: the printed link; it works once.
        folder: where its configuration is.
    """

    url: str
    link: str
    folder: Path


@contextmanager
def started_studio(folder: Path) -> Generator[Site]:
    """Start the command on a configuration, and end it."""
    command = [*COMMAND, "studio", "-f", str(folder / "connector.yaml"), "--port", "0", "--no-open"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_API")}
    given: dict[str, Any] = {"cwd": folder, "env": kept, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **given) as process:
        try:
            assert process.stdout
            link = process.stdout.readline().strip()
            assert "#code=" in link, f"it printed {link!r}"
            yield Site(link.partition("/#")[0], link, folder)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Site]:
    """A studio over a store with tasks in every state; its clients call a sandbox."""
    if pages.is_stale():
        missing("the studio's pages are not built from these sources: make studio")
    folder = tmp_path_factory.mktemp("site")
    with in_thread(Sandbox(seed=1)) as sandbox:
        text = CONFIGURATION.read_text(encoding="utf-8").replace("SANDBOX", sandbox.url)
        (folder / "connector.yaml").write_text(text, encoding="utf-8")
        shutil.copy(CONFIGURATION.with_name("tickets.jsonl"), folder)
        await fill_store(f"sqlite:///{folder / 'connector.db'}")
        with started_studio(folder) as running:
            yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Browser]:
    """A browser of this machine; none is fetched."""
    program = needed_browser()
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=program, args=options)
        yield found
        await found.close()


@dataclass
class Watched:
    """What went wrong in pages, and what left them.

    Attributes:
        own: the address of the studio, which everything is asked of.
    """

    own: str
    errors: list[str] = field(default_factory=list[str])
    outside: list[str] = field(default_factory=list[str])

    def watch(self, page: Page) -> None:
        """Note errors, violations of the policy, dialogs and windows, and every request to anything but the studio."""
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("popup", lambda popup: self.errors.append(f"a window: {popup.url}"))
        page.on("dialog", self._dialog)
        page.on("console", self._console)
        page.on("request", self._request)

    async def _dialog(self, dialog: Dialog) -> None:
        self.errors.append(f"a dialog: {dialog.message}")
        await dialog.dismiss()

    def _console(self, said: ConsoleMessage) -> None:
        if said.type == "error" and not REFUSED.match(said.text):
            self.errors.append(said.text)

    def _request(self, asked: Request) -> None:
        if not asked.url.startswith(self.own):
            self.outside.append(asked.url)


Open = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="session")
async def opened(browser: Browser, site: Site) -> AsyncGenerator[Open]:
    """Opens pages of the studio as somebody of a role; afterwards nothing may have failed in them, and nothing left."""
    contexts: list[BrowserContext] = []
    watched = Watched(site.url)

    async def open_page(
        path: str = "/", *, role: str = "editor", theme: Literal["light", "dark"] = "light", **options: Any
    ) -> Page:
        given: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **options}
        context = await browser.new_context(base_url=site.url, color_scheme=theme, **given)
        contexts.append(context)
        await context.add_cookies([await sign_in(site, role)])
        page = await context.new_page()
        page.set_default_timeout(PATIENCE)
        watched.watch(page)
        await page.goto(path)
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert watched.errors == []
    assert watched.outside == []


async def sign_in(site: Site, role: str) -> Any:
    """Sign in with a token, and return the cookie as the browser takes it."""
    async with httpx.AsyncClient(base_url=site.url, headers={"origin": site.url}) as client:
        answer = await client.post("/api/v1/session", json={"token": TOKENS[role]})
    assert answer.status_code == 201, answer.text
    ((name, value),) = answer.cookies.items()
    return {"name": name, "value": value, "url": site.url, "httpOnly": True, "sameSite": "Strict"}


async def find_violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong with the page as it is shown now."""
    if not AXE.is_file():
        missing("axe-core is not here: make studio")
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", list(RULES)
    )
    return [
        f"{violation['id']}: {node['target']}: {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
