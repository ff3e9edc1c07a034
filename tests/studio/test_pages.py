"""The built pages: small enough, and with nothing in them that the policy of the studio forbids."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest

from tools import studio

FIRST_LOAD = 100_000
IN_ALL = 260_000
FORBIDDEN = (r"\beval\(", r"new Function\(", r"<script>", r"\bstyle=", r"\bon(?:click|error|load)=")
OUTSIDE = re.compile(r"https?://[\w.-]+")
NAMES_ONLY = {"http://www.w3.org", "https://svelte.dev"}
"""Names of namespaces, and of pages that error messages mention; nothing loads them."""


@pytest.fixture(scope="module")
def pages() -> dict[str, bytes]:
    """The built files by name, current ones."""
    if studio.is_stale():
        reason = "the studio's pages are not built from these sources: make studio"
        if os.environ.get("CONNECTOR_REQUIRE_SERVICES"):
            pytest.fail(reason)
        pytest.skip(reason)
    built = (path for path in studio.PAGES.rglob("*") if path.is_file() and path != studio.STAMP)
    return {path.relative_to(studio.PAGES).as_posix(): path.read_bytes() for path in built}


def test_first_load_and_all_files_stay_within_their_budgets(pages: dict[str, bytes]) -> None:
    sizes = {name: len(gzip.compress(data, 9, mtime=0)) for name, data in pages.items()}
    assert 20_000 < sum(sizes.values()) <= IN_ALL
    first = {"index.html", *re.findall(r'(?:src|href)="/([^"]+)"', pages["index.html"].decode())}
    for name in [name for name in first if name.endswith(".js")]:
        first |= {f"assets/{part}" for part in re.findall(r'from"\./([\w.-]+\.js)"', pages[name].decode())}
    # The page that a reader opens first comes with it: the overview and its graph.
    first |= {name for name in sizes if re.match(r"assets/(?:Overview|Flow)-", name)}
    assert len(first) >= 6
    assert 20_000 < sum(sizes[name] for name in first) <= FIRST_LOAD


def test_pages_need_nothing_that_the_policy_forbids(pages: dict[str, bytes]) -> None:
    html = pages["index.html"].decode()
    assert not [pattern for pattern in FORBIDDEN if re.search(pattern, html)]
    code = "".join(data.decode() for name, data in pages.items() if name.endswith((".js", ".css")))
    assert len(code) > 50_000
    assert not [pattern for pattern in FORBIDDEN[:2] if re.search(pattern, code)]
    assert set(OUTSIDE.findall(html + code)) <= NAMES_ONLY


def test_hash_follows_what_pages_are_built_from(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "node_modules").mkdir()
    source = tmp_path / "src" / "main.ts"
    source.write_text("one", "utf-8")
    first = studio.source_hash(tmp_path)
    (tmp_path / "node_modules" / "fetched.js").write_text("anything", "utf-8")
    (tmp_path / "README.md").write_text("words", "utf-8")
    assert studio.source_hash(tmp_path) == first
    source.write_text("two", "utf-8")
    assert studio.source_hash(tmp_path) != first


def test_failure_says_the_line_that_matters() -> None:
    said = (
        "npm warn Unknown user config\nnpm error code ECONNREFUSED\n"
        "npm error errno ECONNREFUSED\nnpm error request to the registry failed"
    )
    assert studio.CannotBuild(said).short == "request to the registry failed"


def test_lock_file_names_no_address_of_a_registry() -> None:
    lock = (studio.SOURCES / "package-lock.json").read_text("utf-8")
    assert '"integrity": "sha512-' in lock
    assert '"resolved"' not in lock
