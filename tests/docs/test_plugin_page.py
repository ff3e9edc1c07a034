"""The page for authors of plug-ins runs where its example is installed, and shows the example as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs.examples import blocks
from tests.docs.test_examples import EXAMPLES, PLUGIN_PAGE, ROOT, run_block
from tests.installed import build_wheel, clean_environment

pytestmark = pytest.mark.long

EXAMPLE = EXAMPLES / "mailbox-plugin"


def test_the_page_runs_with_the_wheel_of_its_example(tmp_path: Path) -> None:
    """In a clean environment, so that neither this checkout nor the example's folder can be what is imported."""
    shutil.copytree(EXAMPLE, tmp_path / "source", ignore=shutil.ignore_patterns("__pycache__"))
    wheels = build_wheel(ROOT, tmp_path / "ours"), build_wheel(tmp_path / "source", tmp_path / "theirs")
    tools = clean_environment(tmp_path / "env", *wheels)
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("letters.mbox", "mailbox.yaml"):
        shutil.copy(EXAMPLE / name, folder)
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "OPENAI_API_KEY": "sk-example"}
    run = [block for block in blocks(PLUGIN_PAGE) if block.language == "console"]
    for block in run:
        run_block(PLUGIN_PAGE, block, environment, folder)
    assert sum(len(block.commands()) for block in run) >= 6


def test_the_page_shows_the_example_as_it_is() -> None:
    shown = {block.title: block.text for block in blocks(PLUGIN_PAGE) if block.title}
    files = {str(path.relative_to(EXAMPLE)) for path in EXAMPLE.rglob("*.py") if path.name != "__init__.py"}
    assert set(shown) == files | {"mailbox.yaml"}
    for name, text in shown.items():
        assert text.strip() == (EXAMPLE / name).read_text(encoding="utf-8").strip(), name
    points = (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    (declared,) = [block.text for block in blocks(PLUGIN_PAGE) if block.language == "toml"]
    assert declared.strip() in points
