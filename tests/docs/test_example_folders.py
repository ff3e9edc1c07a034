"""Every page of an example folder runs in a copy of that folder, against a sandbox of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from connector.sandbox import Sandbox, in_thread
from tests import warm
from tests.docs.examples import blocks
from tests.docs.test_examples import EXAMPLES, ROOT, RUNNABLE, run_block

pytestmark = pytest.mark.long

PAGES = sorted(EXAMPLES.glob("*/README.md"))


@pytest.mark.parametrize("page", PAGES, ids=[page.parent.name for page in PAGES])
def test_every_command_of_an_examples_page_runs(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / page.parent.name
    shutil.copytree(page.parent, folder)
    with in_thread(Sandbox(seed=1, pace=0.1)) as sandbox:
        for block in blocks(page):
            if block.language in RUNNABLE:
                run_block(page, block, _environment(sandbox.url), folder)


def test_every_example_has_a_page_that_the_overview_names() -> None:
    folders = {path.parent.name for path in EXAMPLES.glob("*/connector.yaml")}
    overview = (ROOT / "docs" / "guides" / "examples.md").read_text(encoding="utf-8")
    assert folders == {page.parent.name for page in PAGES}
    assert all(f"(../examples/{name}/README.md)" in overview for name in folders)
    assert len(folders) >= 8


def _environment(url: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OPENAI_") or name == "OPENAI_CONNECTOR_TODAY"
    }
    return kept | {"PATH": warm.path(), "OPENAI_BASE_URL": url, "OPENAI_API_KEY": "any", "OPENAI_ADMIN_KEY": "any"}
