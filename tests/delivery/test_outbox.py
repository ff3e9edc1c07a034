"""Lines stand in their file once, whatever was left there by an attempt that broke off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.delivery.outbox import HEADS, FileAppender, append_lines
from connector.engine import Change, Line, PendingLines, Store, open_store
from connector.errors import ConfigurationError


@pytest.fixture
async def store(tmp_path: Path) -> Any:
    store = await open_store(f"sqlite:///{tmp_path / 'tasks.db'}")
    yield store
    await store.close()


async def commit(store: Store, path: Path, *texts: str, head: str = "") -> None:
    records = {(HEADS, str(path)): head} if head else {}
    lines = [Line(place=str(path), data=text.encode()) for text in texts]
    await store.commit(Change(lines=lines, records=records))


async def broken_off(store: Store, path: Path, left: bytes) -> None:
    """What was noted is noted, and so many bytes of what follows reached the file."""
    await FileAppender(store)._begin(await store.pending_lines(str(path), 1000))
    with path.open("ab") as file:
        file.write(left)


async def test_lines_are_appended_in_their_order(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "out.jsonl"
    await commit(store, path, "a\n", "b\n")
    assert await FileAppender(store).write() == 2
    await commit(store, path, "c\n")
    assert await FileAppender(store).write() == 1
    assert await FileAppender(store).write() == 0
    assert path.read_text() == "a\nb\nc\n"


@pytest.mark.parametrize("left", range(13))
async def test_what_a_crash_left_is_written_once(store: Store, tmp_path: Path, left: int) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("before\n")
    await commit(store, path, "first\n", "second\n")
    await broken_off(store, path, b"first\nsecond\n"[:left])
    await FileAppender(store).write()
    assert path.read_text() == "before\nfirst\nsecond\n"


@pytest.mark.parametrize("left", range(16))
async def test_a_header_stands_once_as_well(store: Store, tmp_path: Path, left: int) -> None:
    path = tmp_path / "out.csv"
    await commit(store, path, "1,2\n", head="a,b\n")
    await broken_off(store, path, b"a,b\n1,2\n"[:left])
    await FileAppender(store).write()
    await commit(store, path, "3,4\n", head="a,b\n")
    await FileAppender(store).write()
    assert path.read_text() == "a,b\n1,2\n3,4\n"


async def test_zeros_of_a_power_loss_are_cut(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    await commit(store, path, "first\n", "second\n")
    await broken_off(store, path, b"fir\0\0\0\0\0\0")
    await FileAppender(store).write()
    assert path.read_text() == "first\nsecond\n"


async def test_what_others_write_stays(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("theirs, torn")
    await commit(store, path, "a\n")
    await FileAppender(store).write()
    with path.open("a") as file:
        file.write("theirs too\n")
    await commit(store, path, "b\n")
    await FileAppender(store).write()
    assert path.read_text() == "theirs, torn\na\ntheirs too\nb\n"


async def test_a_file_that_was_replaced_begins_anew(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    for text in ("1,2\n", "3,4\n"):
        await commit(store, path, text, head="a,b\n")
        await FileAppender(store).write()
    path.unlink()
    await commit(store, path, "5,6\n", head="a,b\n")
    await FileAppender(store).write()
    assert path.read_text() == "a,b\n5,6\n"


async def test_lines_that_stand_there_whole_are_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"a\nb\nelse\n")
    place = PendingLines(str(path), 0, [(1, Line(place="", data=b"a\n")), (2, Line(place="", data=b"b\n"))])
    assert append_lines(place, b"").length == 9
    assert path.read_bytes() == b"a\nb\nelse\n"


async def test_a_file_that_cannot_be_written_keeps_no_other_from_it(store: Store, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    await commit(store, tmp_path / "folder", "a\n")
    await commit(store, tmp_path / "good.jsonl", "b\n")
    with pytest.raises(ConfigurationError, match=r"folder.*its lines are kept"):
        await FileAppender(store).write()
    assert (tmp_path / "good.jsonl").read_text() == "b\n"
    (tmp_path / "folder").rmdir()
    await FileAppender(store).write()
    assert (tmp_path / "folder").read_text() == "a\n"


async def test_many_lines_are_written_in_groups(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    await commit(store, path, *(f"{n}\n" for n in range(2500)))
    assert await FileAppender(store).write() == 2500
    assert path.read_text() == "".join(f"{n}\n" for n in range(2500))
