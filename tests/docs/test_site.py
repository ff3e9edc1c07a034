"""The site is made of the same pages without a warning, and every public name has its place in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import connector
from connector import blocking, plugins
from tests.docs.test_examples import ROOT

MKDOCS = Path(sys.executable).parent / "mkdocs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not MKDOCS.exists():
        pytest.skip("the site's tools are not installed: `make site` installs them, `make docs-check` too")
    folder = tmp_path_factory.mktemp("site")
    words = [str(MKDOCS), "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def test_every_page_of_the_documentation_is_in_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    made = {path.relative_to(site) for path in site.rglob("*.html")}
    named_index = {page.with_name("index.html") if page.name == "README.html" else page for page in pages}
    assert named_index <= made


def test_every_public_class_and_function_is_described_with_its_signature(site: Path) -> None:
    text = (site / "reference" / "python.html").read_text(encoding="utf-8")
    described = set(re.findall(r'id="(connector\.[\w.]+)"', text))
    public = {
        f"{module.__name__}.{name}"
        for module in (connector, blocking, plugins)
        for name in module.__all__
        if callable(getattr(module, name)) and getattr(module, name).__module__.startswith("connector")
    }
    assert len(public) > 40
    assert public <= described


def test_a_page_asks_no_other_host_for_anything(site: Path) -> None:
    loaded = re.compile(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']?(https?:)?//[^>]+>")
    found = [
        match[0]
        for path in site.rglob("*.html")
        for match in loaded.finditer(path.read_text(encoding="utf-8"))
        if 'rel="canonical"' not in match[0]
    ]
    assert found == []
