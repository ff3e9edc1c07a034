"""The pictures in README and docs show the pages as they are."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from tools.pictures import FOLDER, PICTURES, recorded, source_hash

DOCS = FOLDER.parents[0]
SHOWN = re.compile(r"!\[[^\]]+\]\((?:\.\./|docs/)*pictures/(\w+)\.png\)")


def test_pictures_are_of_the_pages_as_they_are() -> None:
    stale = [picture.name for picture in PICTURES if recorded().get(picture.name) != source_hash(picture)]
    assert stale == [], "taken of other sources: make pictures"


def test_every_picture_is_there_and_every_shown_one_is_taken() -> None:
    taken = {picture.name for picture in PICTURES}
    assert {path.stem for path in FOLDER.glob("*.png")} == taken == set(recorded())
    pages = [DOCS.parent / "README.md", *DOCS.rglob("*.md")]
    shown = {name for page in pages for name in SHOWN.findall(page.read_text(encoding="utf-8"))}
    assert shown
    assert shown <= taken


def test_hash_follows_the_page_and_what_all_pages_share(tmp_path: Path) -> None:
    picture = PICTURES[0]
    for folder in (f"src/pages/{picture.page}", "src/components", "src/styles", "src/pages/other"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "Some.svelte").write_text("one", "utf-8")
    first = source_hash(picture, tmp_path)
    (tmp_path / "src/pages/other/Some.svelte").write_text("two", "utf-8")
    assert source_hash(picture, tmp_path) == first
    (tmp_path / "src/components/Some.svelte").write_text("two", "utf-8")
    assert source_hash(picture, tmp_path) != first
    assert source_hash(replace(picture, theme="dark"), tmp_path) != source_hash(picture, tmp_path)
