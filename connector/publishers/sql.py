"""Rows into any database that SQLAlchemy reaches: inserted, or updated where they are there already."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from pydantic import Field, SecretStr, model_validator

from connector.errors import ConfigurationError, ConnectorError
from connector.http.parameters import Section
from connector.model import JSON, Effect, Fault, Outcome, State, is_object
from connector.publishers.intent import BLOCKED, Begin, CallIntent, OnUnknown
from connector.publishers.prototype import Context, Prototype
from connector.publishers.sql_table import Row, Table
from connector.sql import DatabaseAway, mask_url
from connector.transform.template import compile_template

__all__ = ["SQL"]


class Parameters(Section):
    """Which table of which database."""

    url: SecretStr = Field(description="The database's SQLAlchemy URL, such as postgresql+psycopg://host/name.")
    table: str = Field(description="A table that is there, perhaps with its schema: name or schema.name.")
    row: dict[str, JSON] | None = Field(
        default=None, description="The values by column, with placeholders; the document itself unless given."
    )
    mode: Literal["insert", "upsert"] = Field(
        default="insert", description="What becomes of a row that is there already."
    )
    keys: tuple[str, ...] = Field(
        default=(), description="With upsert: the columns that tell a row; the primary key unless given."
    )

    @model_validator(mode="after")
    def _check_keys(self) -> Parameters:
        if self.keys and self.mode == "insert":
            raise ValueError("keys are for mode upsert")
        return self


class SqlWriter:
    """Commits rows that arrive meanwhile together; a refused row does not take the others with it."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._row = compile_template(
            "&{@}" if parameters.row is None else parameters.row, where="publisher.parameters.row"
        )
        self._table: Table | None = None
        self._waiting: list[tuple[Row, asyncio.Future[Outcome]]] = []
        self._running: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outgoing")

    async def publish(self, document: JSON, context: Context) -> Outcome:
        try:
            row = self._row_of(document, context)
        except ConnectorError as error:
            fault = Fault("publisher.parameters.row", str(error), "an object of columns and values")
            return Outcome(State.NOT_SENT, reason=str(error), faults=(fault,))

        async def make(_: CallIntent, __: OnUnknown | None, begin: Begin | None) -> Outcome:
            if begin is not None:
                await begin()
            return await self._enqueue(row)

        asked = self._parameters
        intent = CallIntent(
            target=f"sql {asked.table}",
            operation=asked.mode,
            effect=Effect.IDEMPOTENT if asked.mode == "upsert" else Effect.OPAQUE,
            content=row,
            make=make,
            on_unknown=context.on_unknown,
        )
        return await context.perform(intent)

    async def _enqueue(self, row: Row) -> Outcome:
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, done))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._write_waiting())
        return await done

    async def explain(self, document: JSON, context: Context) -> JSON:
        shown = {"url": mask_url(self._parameters.url.get_secret_value()), "table": self._parameters.table}
        return {**shown, "mode": self._parameters.mode, "row": self._row_of(document, context)}

    async def finish(self) -> None:
        if self._running is not None:
            await self._running
        if self._table is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._table.close)
        self._thread.shutdown(wait=False)

    async def abandon(self) -> list[str]:
        await self.finish()
        return []

    def _row_of(self, document: JSON, context: Context) -> Row:
        row = self._row(document, context.scope)
        if not is_object(row) or not row:
            raise ConfigurationError("a row is an object of columns and values; make one in the chain or with `row`")
        return dict(row)

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            rows = [row for row, _ in batch]
            try:
                outcomes = await asyncio.get_running_loop().run_in_executor(self._thread, self._write, rows)
            except ConnectorError as error:
                action = "" if isinstance(error, DatabaseAway) else BLOCKED
                outcomes = [Outcome(State.NOT_SENT, reason=str(error), action=action)] * len(batch)
            except Exception as error:  # noqa: BLE001  raised again where this batch is awaited
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
                continue
            for (_, done), outcome in zip(batch, outcomes, strict=True):
                if not done.done():
                    done.set_result(outcome)

    def _write(self, rows: list[Row]) -> list[Outcome]:
        if self._table is None:
            asked = self._parameters
            self._table = Table(asked.url.get_secret_value(), asked.table, asked.mode, asked.keys)
        return self._table.write(rows)


SQL = Prototype(
    "sql",
    "Rows of any database that SQLAlchemy reaches: insert or upsert.",
    Parameters,
    SqlWriter,
    ("row",),
    performs=True,
)
