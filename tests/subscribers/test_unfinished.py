"""A file whose end is half written: on routes it waits, wherever it is cut; who reads once takes it."""

from __future__ import annotations

import gzip
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from connector.errors import ConfigurationError
from connector.subscribers import Bookmark, Context, UnreadableDocument, prototypes

ROWS: list[dict[str, Any]] = [
    {"id": "1", "text": "hello"},
    {"id": "2", "text": 'wörld, "x"\nline'},
    {"id": "3", "text": "é"},
]
CSV = 'id,text\r\n1,hello\r\n2,"wörld, ""x""\nline"\r\n3,é\r\n'
FILES = {
    "in.csv": CSV,
    "in.tsv": CSV.replace("\r\n1,", "\r\n1\t").replace("id,text", "id\ttext").replace("2,", "2\t").replace("3,", "3\t"),
    "in.jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS),
    "in.json": json.dumps(ROWS, ensure_ascii=False),
}


async def read(
    folder: Path, name: str, known: Bookmark | None = None, **more: Any
) -> tuple[list[Any], list[UnreadableDocument], Bookmark]:
    """Return what a route would take now, what is lost, and where it goes on."""
    marks: list[Bookmark] = [known or Bookmark(name)]
    lost: list[UnreadableDocument] = []
    context = Context(
        folder=folder,
        on_unreadable=lost.append,
        on_bookmark=marks.append,
        find_bookmark=lambda _: marks[0],
        is_repeated=True,
    )
    kind = prototypes().find("file")
    reading = kind.build(kind.parameters.model_validate({"url": name, **more}))
    return [one async for one in reading.documents(context)], lost, marks[-1]


@pytest.mark.parametrize("name", FILES)
async def test_wherever_a_file_is_cut_nothing_half_is_taken(tmp_path: Path, name: str) -> None:
    whole = FILES[name].encode()
    for cut in range(len(whole) + 1):
        (tmp_path / name).write_bytes(whole[:cut])
        found, lost, mark = await read(tmp_path, name)
        assert found == ROWS[: len(found)], whole[:cut]
        assert lost == [], whole[:cut]
        (tmp_path / name).write_bytes(whole)
        rest, lost, _ = await read(tmp_path, name, mark)
        resumed = name == "in.jsonl" and len(rest) < len(ROWS)
        assert (found + rest if resumed else rest) == ROWS, whole[:cut]
        assert lost == []


async def test_numbers_and_words_wait_and_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "in.jsonl").write_text("1\n12")
    with caplog.at_level(logging.WARNING):
        assert (await read(tmp_path, "in.jsonl"))[0] == [1]
    assert "in.jsonl, line 2: the last line has no line end; it waits until it is whole" in caplog.text


async def test_it_waits_as_long_as_the_file_is_as_it_was_and_can_be_taken(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,text\n1,a\n2,hel")
    found, _, mark = await read(tmp_path, "in.csv")
    assert found == [{"id": "1", "text": "a"}]
    again, _, mark = await read(tmp_path, "in.csv", mark)
    assert again == []
    taken, _, _ = await read(tmp_path, "in.csv", mark, last_line="take")
    assert {"id": "2", "text": "hel"} in taken


async def test_who_reads_once_takes_it(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,text\n1,a\n2,hel")
    kind = prototypes().find("file")
    for more, count in (({}, 2), ({"last_line": "wait"}, 1)):
        reading = kind.build(kind.parameters.model_validate({"url": "in.csv", **more}))
        assert len([one async for one in reading.documents(Context(folder=tmp_path))]) == count


async def test_what_is_wrong_and_not_only_cut_is_lost(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('[{"a": 1}, {"a": nonsense and more of it}]')
    assert len((await read(tmp_path, "in.json"))[1]) == 1
    (tmp_path / "in.jsonl").write_text('{"a": \n{"a": 1}\n')
    assert len((await read(tmp_path, "in.jsonl"))[1]) == 1


@pytest.mark.parametrize("cut", [1, 9, 30])
async def test_a_packed_file_that_is_cut_is_a_sentence(tmp_path: Path, cut: int) -> None:
    packed = gzip.compress(b'{"a": 1}\n' * 1000)
    (tmp_path / "in.jsonl.gz").write_bytes(packed[:-cut])
    with pytest.raises(ConfigurationError, match=r"cannot unpack .*it is read again"):
        await read(tmp_path, "in.jsonl.gz")
