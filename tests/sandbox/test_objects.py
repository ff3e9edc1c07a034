"""Objects in the order of their making, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ConfigurationError
from connector.sandbox.object_store import CursorNotFound, ObjectStore


@pytest.fixture
def objects() -> Iterator[ObjectStore]:
    made = ObjectStore()
    yield made
    made.close()


def test_a_put_again_keeps_its_place(objects: ObjectStore) -> None:
    for name in "abc":
        objects.put("x", {"id": name, "turn": 1})
    objects.put("x", {"id": "a", "turn": 2})
    assert [(one["id"], one["turn"]) for one in objects.all("x")] == [("a", 2), ("b", 1), ("c", 1)]
    assert objects.count("x") == 3


def test_what_comes_out_is_a_copy(objects: ObjectStore) -> None:
    objects.put("x", {"id": "a", "list": [1]})
    found = objects.get("x", "a")
    assert found is not None
    found["list"].append(2)
    assert objects.get("x", "a") == {"id": "a", "list": [1]}


def test_deleting_takes_all_that_stands_below(objects: ObjectStore) -> None:
    objects.put("threads", {"id": "t"})
    objects.put("threads", {"id": "t0"})
    objects.put("messages", {"id": "m"}, "t")
    objects.put("files", {"id": "f"}, "t/m")
    objects.put("messages", {"id": "other"}, "t0")
    assert objects.delete("threads", "t") is True
    assert objects.delete("threads", "t") is False
    assert (objects.count("messages", "t"), objects.count("files", "t/m")) == (0, 0)
    assert objects.count("messages", "t0") == 1


def test_a_filter_looks_at_as_many_as_it_takes(objects: ObjectStore) -> None:
    for number in range(1000):
        objects.put("x", {"id": str(number), "n": number})
    page = objects.page("x", limit=3, order="asc", where=lambda one: one["n"] % 300 == 299)
    assert ([one["n"] for one in page.items], page.has_more) == ([299, 599, 899], False)


def test_a_reader_may_write_while_it_reads(objects: ObjectStore) -> None:
    for number in range(600):
        objects.put("x", {"id": str(number)})
    for one in objects.all("x"):
        objects.delete("x", one["id"])
    assert objects.count("x") == 0


def test_a_lost_cursor_is_named(objects: ObjectStore) -> None:
    with pytest.raises(CursorNotFound, match="gone"):
        objects.page("x", limit=1, after="gone")


@given(
    number=st.integers(0, 12),
    limit=st.integers(1, 5),
    order=st.sampled_from(["asc", "desc"]),
    at=st.none() | st.integers(0, 11),
    side=st.sampled_from(["after", "before"]),
)
def test_pages_are_what_a_list_would_give(number: int, limit: int, order: str, at: int | None, side: str) -> None:
    objects = ObjectStore()
    for index in range(number):
        objects.put("x", {"id": str(index)})
    names = [str(index) for index in range(number)][:: 1 if order == "asc" else -1]
    cursor = None if at is None or at >= number else str(at)
    page = objects.page("x", limit=limit, order=order, **{side: cursor})
    place = None if cursor is None else names.index(cursor)
    if place is None:
        whole, expected = names, names[:limit]
    elif side == "after":
        whole, expected = names[place + 1 :], names[place + 1 :][:limit]
    else:
        whole, expected = names[:place], names[:place][-limit:]
    assert [one["id"] for one in page.items] == expected
    assert page.has_more == (len(whole) > limit)
    objects.close()


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with apsw.Connection(str(path)) as connection:
        connection.execute("PRAGMA user_version = 77")
    connection.close()
    with pytest.raises(ConfigurationError, match="another version"):
        ObjectStore(str(path))


def test_a_file_is_written_ahead_so_that_a_kill_loses_nothing(tmp_path: Path) -> None:
    objects = ObjectStore(str(tmp_path / "state.db"))
    objects.put("x", {"id": "a"})
    assert (tmp_path / "state.db-wal").exists()
    objects.close()


def test_the_oldest_of_many_go_first_and_nothing_else(objects: ObjectStore) -> None:
    for name in "abcde":
        objects.put("x", {"id": name}, "room")
        objects.put("y", {"id": name}, "room")
    objects.put("x", {"id": "a"}, "other")
    objects.delete_some("x", "room", 3)
    assert [one["id"] for one in objects.all("x", "room")] == ["d", "e"]
    assert (objects.count("x", "room"), objects.count("y", "room"), objects.count("x", "other")) == (2, 5, 1)


def test_what_lies_below_stays_when_an_object_goes_alone(objects: ObjectStore) -> None:
    objects.put("x", {"id": "a"})
    objects.put("y", {"id": "b"}, "a")
    assert objects.delete_alone("x", "a")
    assert not objects.delete_alone("x", "a")
    assert objects.count("y", "a") == 1


def test_bytes_in_parts_are_read_and_deleted_as_one(objects: ObjectStore) -> None:
    for part in (b"one ", b"two ", b"three"):
        objects.append_content("file", part)
    objects.append_content("other", b"4")
    assert objects.content("file") == b"one two three"
    objects.delete_content("file")
    assert objects.content("file") is None
    assert objects.content("other") == b"4"
