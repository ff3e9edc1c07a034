"""What a route takes again: every combination of key and version, for every kind of source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.engine import NewTask
from connector.intake.cursor import reset_cursor

SAME = {"id": "a", "number": 1, "text": "first", "updated": 1}
EDITED = {**SAME, "text": "edited"}
UPDATED = {**EDITED, "updated": 2}
OTHER = {**SAME, "id": "b"}
LISTED = {"prototype": "openai", "parameters": {"client": "openai", "entity": "files", "action": "list"}}
FETCHED = {"prototype": "http", "parameters": {"client": "api", "request": {"path": "/rows"}}}
FILED = {"prototype": "file", "parameters": {"url": "in.json"}}

NEITHER: dict[str, Any] = {}
KEY = {"key": "id"}
VERSION = {"version": "updated"}
BOTH = {**KEY, **VERSION}
TABLE = [
    # what the route says, what is read then, and whether it is taken again
    (NEITHER, SAME, False),
    (NEITHER, EDITED, True),
    (NEITHER, UPDATED, True),
    (KEY, SAME, False),
    (KEY, EDITED, False),
    (KEY, UPDATED, False),
    (VERSION, SAME, False),
    (VERSION, EDITED, False),
    (VERSION, UPDATED, True),
    (BOTH, SAME, False),
    (BOTH, EDITED, False),
    (BOTH, UPDATED, True),
]


class Source:
    """A file, a list of an API and rows of another one, all of which hold the same."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "in.json"
        self.put(SAME)

    def put(self, *documents: Any) -> None:
        self.documents = [*documents]
        self._path.write_text(json.dumps(self.documents))

    def __call__(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": self.documents, "has_more": False})


@pytest.mark.parametrize("order", [{}, {"order": "number"}])
@pytest.mark.parametrize("subscriber", [LISTED, FETCHED, FILED], ids=["list", "rows", "file"])
@pytest.mark.parametrize(("says", "then", "taken"), TABLE)
async def test_what_is_taken_again(
    readings: Any, tmp_path: Path, says: Any, then: Any, order: Any, subscriber: Any, *, taken: bool
) -> None:
    source = Source(tmp_path)
    async with readings({"subscriber": subscriber}, source, route={**says, **order}) as at:
        await at.reading().run()
        source.put(then)
        tally = await at.reading().run()
        assert tally.accepted == taken
        source.put(then, OTHER)
        assert (await at.reading().run()).accepted == 1
    assert at.documents == [SAME, *([then] if taken else []), OTHER]


@pytest.mark.parametrize("says", [NEITHER, KEY, VERSION, BOTH])
async def test_a_reset_takes_what_was_seen_once_more(readings: Any, tmp_path: Path, says: Any) -> None:
    async with readings({"subscriber": LISTED}, Source(tmp_path), route=says) as at:
        await at.reading().run()
        for times in (2, 3):
            await at.store.commit(await reset_cursor(at.store, "route"))
            await at.reading().run()
            assert (await at.reading().run()).accepted == 0
            assert len(at.documents) == times


async def test_what_was_seen_by_an_earlier_version_of_the_program_is_seen(readings: Any, tmp_path: Path) -> None:
    """It kept a digest of the document as the version of a key without one."""
    async with readings({"subscriber": LISTED}, Source(tmp_path), route=KEY) as at:
        at.store.versions["route", "a"] = ("0f1e2d", 1)
        assert (await at.reading().run()).accepted == 0


@pytest.mark.parametrize("says", [KEY, BOTH])
async def test_a_document_that_was_gone_is_taken_when_it_comes_back(readings: Any, tmp_path: Path, says: Any) -> None:
    source = Source(tmp_path)
    incoming = {"subscriber": LISTED, "mode": "full"}
    async with readings(incoming, source, route={**says, "deletions": "tombstone"}) as at:
        for documents in ([SAME], [], [], [SAME], [SAME]):
            source.put(*documents)
            await at.reading().run()
    assert at.documents == [SAME, {"key": "a", "deleted": True}, SAME]


@pytest.mark.parametrize(
    ("unique", "version", "seen", "repeats"),
    [
        ("version", "1", "1", True),
        ("version", "1", "2", False),
        ("version", "1", None, False),
        ("key", "", "anything", True),
        ("key", "", "deleted", False),
        ("key", "1:", "anything", False),
        ("key", "1:", "1:anything", True),
        ("key", "", None, False),
    ],
)
def test_by_what_a_document_is_known_again(unique: Any, version: str, seen: str | None, *, repeats: bool) -> None:
    assert NewTask(route="r", document={}, key="k", version=version, unique=unique).repeats(seen) is repeats
