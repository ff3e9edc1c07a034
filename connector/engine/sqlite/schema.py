"""The tables by version; a file of an earlier version is migrated in one transaction."""

from __future__ import annotations

from pathlib import Path

from connector.engine import failpoints
from connector.engine.sqlite.driver import Connection
from connector.engine.store import StoreError

__all__ = ["APPLICATION", "V1", "VERSION", "check_version", "migrate"]

APPLICATION = 0x6F616963
"""SQLite's application id: files of other programs are never touched."""
# The small row of a task changes with every step of its life, so it is kept apart from its document, which never does.
# `queue` is the state of a live task (see `rows`): `live` is the only index that every task passes through.
# A call's id is its task's id and its place among the task's calls; its end is a row of its own, so that nothing is
# ever written in the middle of the table.
V1 = """
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL, task INTEGER NOT NULL, line INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES (1, 0, 0, 0);

CREATE TABLE routes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY, route INTEGER NOT NULL, state INTEGER NOT NULL, queue INTEGER NOT NULL, due REAL NOT NULL,
    attempts INTEGER NOT NULL, updated REAL NOT NULL, reason TEXT NOT NULL, ord TEXT,
    carrier INTEGER NOT NULL, members INTEGER NOT NULL
) STRICT;
CREATE INDEX live ON tasks (route, queue, id) WHERE queue > 0;
CREATE INDEX due ON tasks (route, due, id) WHERE queue = 2;
CREATE UNIQUE INDEX turn ON tasks (route, ord) WHERE ord IS NOT NULL AND queue > 0 AND queue <> 3;
CREATE INDEX held ON tasks (route, ord, id) WHERE ord IS NOT NULL AND queue = 3;
CREATE INDEX carried ON tasks (carrier, id) WHERE queue = 4;
CREATE INDEX odd ON tasks (state, id) WHERE state > 3;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, version TEXT NOT NULL, trace TEXT NOT NULL, source INTEGER NOT NULL,
    created REAL NOT NULL, document BLOB NOT NULL
) STRICT;
CREATE TABLE keys (
    route INTEGER NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, reading INTEGER NOT NULL, task INTEGER NOT NULL,
    PRIMARY KEY (route, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE calls (
    id INTEGER PRIMARY KEY, attempt INTEGER NOT NULL, number INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    target TEXT NOT NULL, operation TEXT NOT NULL, effect TEXT NOT NULL, lookup TEXT NOT NULL, request BLOB,
    started REAL NOT NULL
) STRICT;
CREATE TABLE ends (id INTEGER PRIMARY KEY, ended REAL NOT NULL, state TEXT NOT NULL, outcome BLOB) STRICT;
CREATE TABLE counts (
    route INTEGER NOT NULL, state INTEGER NOT NULL, tasks INTEGER NOT NULL, PRIMARY KEY (route, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE cursors (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE records (
    space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (space, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE spent (
    name TEXT NOT NULL, minute INTEGER NOT NULL, tokens INTEGER NOT NULL, cost REAL NOT NULL,
    PRIMARY KEY (name, minute)
) STRICT, WITHOUT ROWID;
CREATE TABLE places (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, length INTEGER NOT NULL) STRICT;
CREATE TABLE lines (number INTEGER PRIMARY KEY, place INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
CREATE INDEX lines_of ON lines (place, number);
CREATE TABLE claims (number INTEGER PRIMARY KEY, name TEXT NOT NULL, tick TEXT NOT NULL, UNIQUE (name, tick)) STRICT;
"""
"""Tasks with their documents and calls, and what is kept beside them."""
V2 = """
ALTER TABLE tasks ADD COLUMN retried INTEGER NOT NULL DEFAULT 0;
CREATE INDEX by_key ON documents (key, id) WHERE key <> '';
"""
"""Tasks are found by their key; a task knows which of its calls a person has looked at."""
V3 = "ALTER TABLE tasks ADD COLUMN cut_off INTEGER NOT NULL DEFAULT 0;"
"""A task knows how often in a row it was cut off before anything was sent."""
V4 = """
CREATE TABLE reserved (
    task INTEGER NOT NULL, attempt INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,
    minute INTEGER NOT NULL, tokens INTEGER NOT NULL, cost REAL NOT NULL, doubtful INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (task, attempt, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX reserved_doubts ON reserved (name, minute, tokens, cost) WHERE doubtful = 1;
CREATE TABLE reserved_sums (
    name TEXT PRIMARY KEY, calls INTEGER NOT NULL, tokens INTEGER NOT NULL, cost REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER reserved_made AFTER INSERT ON reserved BEGIN
    INSERT INTO reserved_sums VALUES (new.name, 1, new.tokens, new.cost) ON CONFLICT (name)
    DO UPDATE SET calls = calls + 1, tokens = tokens + excluded.tokens, cost = cost + excluded.cost;
END;
CREATE TRIGGER reserved_gone AFTER DELETE ON reserved WHEN old.doubtful = 0 BEGIN
    UPDATE reserved_sums SET calls = calls - 1, tokens = tokens - old.tokens,
        cost = iif(calls = 1, 0.0, cost - old.cost)
    WHERE name = old.name;
END;
CREATE TRIGGER reserved_doubtful AFTER UPDATE OF doubtful ON reserved WHEN old.doubtful < new.doubtful BEGIN
    UPDATE reserved_sums SET calls = calls - 1, tokens = tokens - old.tokens,
        cost = iif(calls = 1, 0.0, cost - old.cost)
    WHERE name = old.name;
END;
"""
"""What calls under way may use of budgets is reserved, and summed up as it comes and goes."""
STEPS = (V1, V2, V3, V4)
"""The statements from each version to the next; the first from an empty file."""
VERSION = len(STEPS)


def check_version(connection: Connection, path: Path) -> int:
    """Return the schema version of a file; raise StoreError unless this program can work with it."""
    version, application = connection.pragma("user_version"), connection.pragma("application_id")
    ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    if application != APPLICATION and (tables or version):
        raise StoreError(f"{path}: a database of another program; name another file for the engine")
    if version > VERSION:
        raise StoreError(
            f"{path}: written by a newer version (schema {version}; this one knows up to {VERSION}): "
            "install the newer version, or name another file for the engine"
        )
    return int(version)


def migrate(connection: Connection, path: Path) -> None:
    """Migrate the tables to this version; the caller is alone with the file."""
    with connection:
        for number in range(check_version(connection, path), VERSION):
            connection.execute(STEPS[number])
            failpoints.reach("sqlite.migrate.written")
            connection.pragma("user_version", number + 1)
        connection.pragma("application_id", APPLICATION)
