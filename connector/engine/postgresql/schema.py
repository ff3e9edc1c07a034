"""The tables by version, and their migration."""

from __future__ import annotations

from connector.engine.postgresql.connection import SCHEMA, Connection
from connector.engine.postgresql.jobs import install
from connector.engine.store import StoreError

__all__ = ["VERSIONS", "migrate"]

LOCK = 0x6F70_656E_6169
OLDEST_SERVER = 130_000
LIVE = "state IN ('new', 'processing', 'waiting')"

VERSIONS = (
    f"""
    CREATE TABLE tasks (
        id bigint PRIMARY KEY, route text NOT NULL, state text NOT NULL, document bytea NOT NULL,
        key text NOT NULL, version text NOT NULL, ord text NOT NULL,
        attempts integer NOT NULL DEFAULT 0, due double precision NOT NULL, created double precision NOT NULL,
        updated double precision NOT NULL, reason text NOT NULL DEFAULT '', trace text NOT NULL, source bigint NOT NULL,
        carrier bigint NOT NULL DEFAULT 0, carries boolean NOT NULL DEFAULT false,
        worker text, job bigint NOT NULL DEFAULT 0
    ) WITH (fillfactor = 70);
    CREATE SEQUENCE task_ids OWNED BY tasks.id;
    CREATE INDEX tasks_live ON tasks (route, id) WHERE {LIVE};
    CREATE INDEX tasks_ordered ON tasks (route, ord, id) WHERE ord <> '' AND {LIVE};
    CREATE INDEX tasks_carried ON tasks (carrier, id) WHERE carrier <> 0;
    CREATE TABLE calls (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, task bigint NOT NULL, attempt integer NOT NULL,
        number integer NOT NULL, fingerprint text NOT NULL, target text NOT NULL, operation text NOT NULL,
        effect text NOT NULL, lookup text NOT NULL, request bytea, started double precision NOT NULL,
        ended double precision NOT NULL DEFAULT 0, state text NOT NULL DEFAULT '', outcome bytea
    ) WITH (fillfactor = 70);
    CREATE INDEX calls_of_task ON calls (task, id);
    CREATE TABLE seen (
        route text NOT NULL, key text NOT NULL, version text NOT NULL, reading bigint NOT NULL,
        PRIMARY KEY (route, key)
    );
    CREATE TABLE cursors (name text PRIMARY KEY, value bytea NOT NULL);
    CREATE TABLE records (space text, key text, value bytea NOT NULL, PRIMARY KEY (space, key));
    CREATE TABLE lines (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, place text NOT NULL, data bytea NOT NULL
    );
    CREATE INDEX lines_by_place ON lines (place, number);
    CREATE TABLE places (name text PRIMARY KEY, length bigint NOT NULL);
    CREATE TABLE spent (
        name text, minute bigint, tokens bigint NOT NULL, cost double precision NOT NULL, PRIMARY KEY (name, minute)
    );
    CREATE TABLE counts (
        route text, state text, worker text, number bigint NOT NULL, PRIMARY KEY (route, state, worker)
    ) WITH (fillfactor = 50);
    CREATE TABLE claims (name text, tick text, made timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (name, tick));
    CREATE TABLE leaders (name text PRIMARY KEY, worker text NOT NULL, until timestamptz NOT NULL);
    """,
    """
    ALTER TABLE tasks ADD COLUMN retried integer NOT NULL DEFAULT 0;
    CREATE INDEX tasks_to_look_at ON tasks (state, id) WHERE state IN ('failed', 'skipped', 'unknown');
    CREATE INDEX seen_by_reading ON seen (route, reading);
    """,
    "ALTER TABLE tasks ADD COLUMN cut_off integer NOT NULL DEFAULT 0;",
    """
    CREATE TABLE reserved (
        task bigint NOT NULL, attempt integer NOT NULL, number integer NOT NULL, name text NOT NULL,
        minute bigint NOT NULL, tokens bigint NOT NULL, cost double precision NOT NULL,
        doubtful boolean NOT NULL DEFAULT false, PRIMARY KEY (task, attempt, number)
    );
    CREATE INDEX reserved_doubts ON reserved (name, minute) WHERE doubtful;
    CREATE TABLE reserved_sums (
        name text PRIMARY KEY, calls bigint NOT NULL, tokens bigint NOT NULL, cost double precision NOT NULL
    );
    """,
    """
    CREATE TABLE commits (
        committer text PRIMARY KEY, number bigint NOT NULL, at timestamptz NOT NULL DEFAULT now()
    ) WITH (fillfactor = 50);
    """,
)
"""The statements from each version to the next."""


async def migrate(connection: Connection) -> None:
    """Create or migrate the tables; concurrent migrations wait for each other."""
    if (server := connection.get_server_version()).major * 10_000 < OLDEST_SERVER:
        raise StoreError(f"this PostgreSQL is version {server.major}.{server.minor}; 13 or newer is needed")
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}; SET LOCAL search_path TO {SCHEMA}")
        await connection.execute("CREATE TABLE IF NOT EXISTS versions (version integer PRIMARY KEY)")
        found = await connection.fetchval("SELECT coalesce(max(version), 0) FROM versions")
        if found > len(VERSIONS):
            raise StoreError(
                f"the tasks in this database have version {found}, and this connector knows up to {len(VERSIONS)}: "
                "install a newer connector, or name another database"
            )
        for number, statements in enumerate(VERSIONS[found:], found + 1):
            await connection.execute(statements)
            await connection.execute("INSERT INTO versions VALUES ($1)", number)
        await install(connection)
