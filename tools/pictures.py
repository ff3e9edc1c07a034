"""`make pictures`: takes the pictures of the studio's pages that README and docs show, after a run of an example."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from connector.sandbox import Sandbox, in_thread
from connector.studio.examples import prepare
from tools import studio

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["FOLDER", "PICTURES", "Picture", "main", "recorded", "source_hash"]

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
HASHES = FOLDER / "sources.json"
"""What each picture was taken of."""
WORK = ROOT / ".demo" / "pictures"
COMMAND = (sys.executable, "-m", "connector")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FAULTS = ("400:0.03", "drop-after:0.02", "429:0.05")
"""So that there is something to look at."""
SHARED = ("src/components", "src/styles")
WIDTH, HEIGHT = 1280, 800


@dataclass(frozen=True)
class Picture:
    """A picture: of which page, at which address, in which theme.

    Attributes:
        page: its folder below studio/src/pages.
        path: where it is; STATE in braces becomes the id of a task in that state.
        state: of which a task is shown.
    """

    name: str
    page: str
    path: str
    theme: Literal["light", "dark"] = "light"
    state: str = ""


PICTURES = (
    Picture("overview", "overview", "/"),
    Picture("tasks", "tasks", "/tasks?columns=subject"),
    Picture("task", "task", "/tasks/{}", "dark", "failed"),
    Picture("steps", "task", "/tasks/{}?view=steps", "light", "finished"),
    Picture("unknown", "unknown", "/unknown"),
    Picture("playground", "playground", "/playground?kind=outgoing&name=classify"),
    Picture("connections", "connections", "/connections?section=outgoing&entry=classify"),
)


def main() -> int:
    """Runs the example, opens its studio, and takes every picture."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        print("pictures need a browser; on Debian: apt-get install chromium")
        return 1
    studio.main([])
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    with in_thread(Sandbox(seed=7, faults=FAULTS)) as sandbox:
        source = prepare("ticket-triage", WORK, sandbox.url)
        subprocess.run([*COMMAND, "run", "--once", "-f", str(source)], check=False, stdout=subprocess.DEVNULL)
        with _studio(source) as link:
            _take(program, link)
    HASHES.write_text(
        json.dumps({picture.name: source_hash(picture) for picture in PICTURES}, indent=2) + "\n", "utf-8"
    )
    return 0


@contextmanager
def _studio(source: Path) -> Iterator[str]:
    command = [*COMMAND, "studio", "-f", str(source), "--port", "0", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(20)


def _take(program: str, link: str) -> None:
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    address = link.partition("/#")[0]
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=options)
        size = {"width": WIDTH, "height": HEIGHT}
        context = browser.new_context(
            base_url=address, viewport=size, reduced_motion="reduce", timezone_id="Europe/London"
        )
        page = context.new_page()
        page.goto(link)
        page.wait_for_selector("h1")
        for picture in PICTURES:
            page.emulate_media(color_scheme=picture.theme)
            page.goto(picture.path.format(_find(page, picture.state)))
            page.wait_for_load_state("load")
            page.wait_for_selector("h1")
            page.locator("main [aria-busy=true]").wait_for(state="detached")
            page.wait_for_timeout(1000)
            if page.locator("main .empty").count():
                raise SystemExit(f"{picture.name}: {picture.path} has nothing to show")
            page.screenshot(path=FOLDER / f"{picture.name}.png")
            print(f"{picture.name}: {(FOLDER / f'{picture.name}.png').stat().st_size:,} bytes")
        browser.close()


def _find(page: Page, state: str) -> int:
    """The id of a task in a state."""
    if not state:
        return 0
    answer = page.request.get(f"/api/v1/tasks?state={state}&route=triage&limit=1")
    return int(answer.json()["items"][0]["id"])


def source_hash(picture: Picture, sources: Path = studio.SOURCES) -> str:
    """Makes a digest of what the picture shows: the page's own files, and those that all pages share."""
    digest = sha256(repr(picture).encode())
    for folder in (f"src/pages/{picture.page}", *SHARED):
        for path in sorted((sources / folder).rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(sources).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def recorded() -> dict[str, str]:
    """What each picture was taken of."""
    found: dict[str, str] = json.loads(HASHES.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    sys.exit(main())
