"""Every example of the documentation runs, and prints what the page says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import warm
from tests.docs.examples import Block, Command, blocks, matches
from tests.programs import needed
from tests.upstream import upstream

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
FOLDERS = set(EXAMPLES.glob("*/README.md"))
"""Pages that run in their own folders."""
PLUGIN_PAGE = ROOT / "docs" / "guides" / "plugins.md"
"""Runs where its example is installed."""
PAGES = sorted({ROOT / "README.md", *(ROOT / "docs").rglob("*.md")} - FOLDERS - {PLUGIN_PAGE})
RUNNABLE = ("console", "python")
COLD = (ROOT / "README.md", ROOT / "docs" / "tutorial.md")
"""What people try first runs as they begin it; the other pages run the same commands in forks of a warm process."""


@pytest.fixture(scope="module")
def base_uri() -> Iterator[str]:
    with upstream() as address:
        yield address


@pytest.fixture
def environment(base_uri: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OPENAI_") or name == "OPENAI_CONNECTOR_TODAY"
    }
    return kept | {
        "PATH": warm.path(),
        "OPENAI_BASE_URL": base_uri,
        "OPENAI_API_KEY": "sk-example",
        "OPENAI_ADMIN_KEY": "sk-admin",
    }


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_example_of_a_page_runs(page: Path, environment: dict[str, str], tmp_path: Path) -> None:
    if page in COLD:
        environment = {**environment, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    example_files(tmp_path)
    for block in blocks(page):
        if block.title:
            (tmp_path / block.title).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.title).write_text(f"{block.text}\n", encoding="utf-8")
        elif block.language in RUNNABLE:
            run_block(page, block, environment, tmp_path)


def test_only_set_up_escapes_the_runner() -> None:
    """An `sh` block is for what the runner has already done."""
    lines = [
        line
        for page in PAGES
        for block in blocks(page)
        if block.language in ("sh", "bash", "shell")
        for line in block.text.splitlines()
    ]
    assert lines
    assert all(line.startswith(("make ", "source .venv/", ".venv/bin/")) for line in lines)


def example_files(folder: Path) -> None:
    """What the pages take for granted: small files with the names that they use."""
    (folder / "speech.mp3").write_bytes(b"ID3\x04\x00\x00\x00\x00\x00\x00")
    (folder / "tickets.jsonl").write_text('{"custom_id": "1"}\n', encoding="utf-8")


def run_block(page: Path, block: Block, environment: dict[str, str], folder: Path) -> None:
    if block.language == "python":
        run(page, block.line, ["python", "-W", "error", "-c", block.text], environment, folder)
        return
    for command in block.commands():
        printed = run(page, command.line, [needed("bash"), "-c", command.text], environment, folder, command.exit_code)
        expect_output(page, command, printed)


def run(page: Path, line: int, words: list[str], environment: dict[str, str], folder: Path, exit_code: int = 0) -> str:
    done = subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    told = f"{page.relative_to(ROOT)}:{line}\n{words[-1]}\nexit {done.returncode}\n{done.stdout}{done.stderr}"
    assert done.returncode == exit_code, told
    return done.stdout + done.stderr


def expect_output(page: Path, command: Command, printed: str) -> None:
    expected = "\n".join(command.output)
    told = f"{page.relative_to(ROOT)}:{command.line}\n{command.text}\n--- the page\n{expected}\n--- printed\n{printed}"
    assert not expected.strip() or matches(expected, printed), told
