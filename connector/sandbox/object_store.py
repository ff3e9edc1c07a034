"""The objects of a sandbox by kind, parent and id, in the order of their creation, in flat time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

import apsw
import orjson

from connector.errors import ConfigurationError
from connector.model import JSON

__all__ = ["CursorNotFound", "ObjectStore", "Page"]

TABLES = """
    CREATE TABLE IF NOT EXISTS objects (
        place INTEGER PRIMARY KEY AUTOINCREMENT, parent TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
        body BLOB NOT NULL);
    CREATE UNIQUE INDEX IF NOT EXISTS objects_by_id ON objects (parent, kind, id);
    CREATE INDEX IF NOT EXISTS objects_in_order ON objects (parent, kind, place);
    CREATE TABLE IF NOT EXISTS counts (
        parent TEXT NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (parent, kind)) WITHOUT ROWID;
    CREATE TRIGGER IF NOT EXISTS one_more AFTER INSERT ON objects BEGIN
        INSERT INTO counts VALUES (new.parent, new.kind, 1) ON CONFLICT DO UPDATE SET number = number + 1; END;
    CREATE TRIGGER IF NOT EXISTS one_less AFTER DELETE ON objects BEGIN
        UPDATE counts SET number = number - 1 WHERE parent = old.parent AND kind = old.kind; END;
    CREATE TABLE IF NOT EXISTS contents (id TEXT PRIMARY KEY, data BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS content_parts (
        id TEXT NOT NULL, part INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (id, part));
    CREATE TABLE IF NOT EXISTS starts (one INTEGER PRIMARY KEY, number INTEGER NOT NULL);
    INSERT INTO starts VALUES (1, 0) ON CONFLICT DO UPDATE SET number = number + 1;
"""
PRAGMAS = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"
PUT = """
    INSERT INTO objects (parent, kind, id, body) VALUES (?, ?, ?, ?)
    ON CONFLICT (parent, kind, id) DO UPDATE SET body = excluded.body
"""
FORWARDS = """
    SELECT place, body FROM objects WHERE parent = ? AND kind = ? AND place > ? AND place < ? ORDER BY place LIMIT ?
"""
BACKWARDS = FORWARDS.replace("ORDER BY place", "ORDER BY place DESC")
BEFORE_ALL, AFTER_ALL = -1, 2**62
VERSION = 1
"""The version of the tables; a file of another version is refused."""
WINDOW = 256
"""Objects that are read at once."""
DELETE_SOME = """
    DELETE FROM objects WHERE place IN (SELECT place FROM objects WHERE parent = ? AND kind = ? ORDER BY place LIMIT ?)
"""
APPEND = """
    INSERT INTO content_parts
    VALUES (?, (SELECT COALESCE(MAX(part), 0) + 1 FROM content_parts WHERE id = ?), ?)
"""
CLEAR = """
    DELETE FROM objects; DELETE FROM contents; DELETE FROM content_parts; DELETE FROM counts;
    UPDATE starts SET number = 0
"""


class CursorNotFound(Exception):
    """A cursor that names no object of the list."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no object {name!r} in this list")


class Page(NamedTuple):
    """A part of a list, and whether more follows in the direction it was read."""

    items: list[dict[str, JSON]]
    has_more: bool


class ObjectStore:
    """The objects of one sandbox, in memory or in a file; results are copies, and `put` saves changes."""

    def __init__(self, path: str = ":memory:") -> None:
        self._connection: Any = apsw.Connection(path, statementcachesize=100)
        if path != ":memory:":
            # A process that is killed loses nothing; only a machine that loses power may lose the last moment.
            # And no second sandbox may write into the same file.
            self._connection.execute(PRAGMAS).fetchall()
        self._run = self._connection.execute
        if self._fetch_one("PRAGMA user_version") not in (0, VERSION):
            self._connection.close()
            raise ConfigurationError(f"{path} was written by another version of the sandbox; name another file")
        self._run(f"{TABLES}; PRAGMA user_version = {VERSION}")

    @property
    def start(self) -> int:
        """How often the file was opened before."""
        return int(self._fetch_one("SELECT number FROM starts"))

    def put(self, kind: str, object: Mapping[str, JSON], parent: str = "") -> None:  # noqa: A002 - the API's word
        """Save an object under its `id`; an existing one is replaced in its place."""
        self._run(PUT, (parent, kind, object["id"], orjson.dumps(object)))

    def get(self, kind: str, id: str, parent: str = "") -> dict[str, JSON] | None:  # noqa: A002 - the API's word
        """Return the object of an id."""
        body = self._fetch_one("SELECT body FROM objects WHERE parent = ? AND kind = ? AND id = ?", (parent, kind, id))
        return None if body is None else orjson.loads(body)

    def delete(self, kind: str, id: str, parent: str = "") -> bool:  # noqa: A002 - the API's word
        """Delete an object with everything below it; return whether it existed."""
        found = self.delete_alone(kind, id, parent)
        if found:
            below = f"{parent}/{id}" if parent else id
            # `0` is the character after `/`: the range holds everything below, and is found in the index.
            self._run(
                "DELETE FROM objects WHERE parent = ? OR (parent > ? AND parent < ?)",
                (below, f"{below}/", f"{below}0"),
            )
        return found

    def delete_alone(self, kind: str, id: str, parent: str = "") -> bool:  # noqa: A002 - the API's word
        """Delete an object, and nothing below it; return whether it existed."""
        query = "DELETE FROM objects WHERE parent = ? AND kind = ? AND id = ? RETURNING 1"
        return self._fetch_one(query, (parent, kind, id)) is not None

    def delete_some(self, kind: str, parent: str, most: int) -> None:
        """Delete the oldest objects of a kind, with nothing below them."""
        self._run(DELETE_SOME, (parent, kind, most))

    def count(self, kind: str, parent: str = "") -> int:
        """Return the number of objects of a kind."""
        return int(self._fetch_one("SELECT number FROM counts WHERE parent = ? AND kind = ?", (parent, kind)) or 0)

    def page(
        self,
        kind: str,
        parent: str = "",
        *,
        limit: int,
        after: str | None = None,
        before: str | None = None,
        order: str = "desc",
        where: Callable[[Mapping[str, JSON]], bool] | None = None,
    ) -> Page:
        """The objects that follow one, or precede another, in the order of their creation; else CursorNotFound.

        With `before` alone these are the last ones before it, in the order asked for.
        """
        backwards = before is not None and after is None
        low, high = self._find_place(kind, parent, after), self._find_place(kind, parent, before)
        if order != "asc":
            low, high = high, low
        between = (BEFORE_ALL if low is None else low, AFTER_ALL if high is None else high)
        found = self._iterate(kind, parent, between, ascending=(order == "asc") != backwards, window=limit + 1)
        wanted = list(islice(found if where is None else filter(where, found), limit + 1))
        items = wanted[:limit]
        return Page(items[::-1] if backwards else items, len(wanted) > limit)

    def all(self, kind: str, parent: str = "") -> Iterator[dict[str, JSON]]:
        """Yield every object of a kind, oldest first; what is put meanwhile comes last."""
        return self._iterate(kind, parent, (BEFORE_ALL, AFTER_ALL), ascending=True, window=WINDOW)

    def content(self, id: str) -> bytes | None:  # noqa: A002 - the API's word
        """Return the bytes of an id."""
        data: bytes | None = self._fetch_one("SELECT data FROM contents WHERE id = ?", (id,))
        if data is None:
            parts = self._fetch_all("SELECT data FROM content_parts WHERE id = ? ORDER BY part", (id,))
            data = b"".join(part for (part,) in parts) if parts else None
        return data

    def save_content(self, id: str, data: bytes) -> None:  # noqa: A002 - the API's word
        """Save bytes under an id."""
        self._run("INSERT OR REPLACE INTO contents VALUES (?, ?)", (id, data))

    def append_content(self, id: str, data: bytes) -> None:  # noqa: A002 - the API's word
        """Save the next part of the bytes of an id."""
        self._run(APPEND, (id, id, data))

    def delete_content(self, id: str) -> None:  # noqa: A002 - the API's word
        """Delete the bytes of an id."""
        self._run("DELETE FROM contents WHERE id = ?", (id,))
        self._run("DELETE FROM content_parts WHERE id = ?", (id,))

    def clear(self) -> None:
        """Delete everything."""
        self._run(CLEAR)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _iterate(
        self, kind: str, parent: str, between: tuple[int, int], *, ascending: bool, window: int
    ) -> Iterator[dict[str, JSON]]:
        """Yield objects between two places, in windows, so that a reader may write in between."""
        low, high = between
        query = FORWARDS if ascending else BACKWARDS
        while True:
            rows = self._fetch_all(query, (parent, kind, low, high, window))
            for _, body in rows:
                yield orjson.loads(body)
            if len(rows) < window:
                return
            low, high = (rows[-1][0], high) if ascending else (low, rows[-1][0])
            window = WINDOW

    def _find_place(self, kind: str, parent: str, id: str | None) -> int | None:  # noqa: A002 - the API's word
        if id is None:
            return None
        found = self._fetch_one(
            "SELECT place FROM objects WHERE parent = ? AND kind = ? AND id = ?", (parent, kind, id)
        )
        if found is None:
            raise CursorNotFound(id)
        return int(found)

    def _fetch_one(self, query: str, values: tuple[Any, ...] = ()) -> Any:
        return self._run(query, values).get

    def _fetch_all(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        return self._run(query, values).fetchall()
