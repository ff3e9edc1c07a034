"""One table of a database, and rows written to it in one transaction, or one by one when some are refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.documents import dump
from connector.errors import ConfigurationError, ConnectorError
from connector.model import JSON, Outcome, State, is_list, is_object
from connector.publishers.intent import BLOCKED
from connector.request.display import join_names
from connector.sql import DatabaseAway, ErrorCause, classify_error, create_engine, describe_error, sqlalchemy
from connector.suggestions import closest, did_you_mean

__all__ = ["Row", "Table"]

Row = dict[str, JSON]


class Table:
    """A table as the database describes it."""

    def __init__(self, url: str, name: str, mode: str, keys: Sequence[str]) -> None:
        self._sql = sqlalchemy()
        self._engine = create_engine(url)
        try:
            self._table = self._describe(name)
            self._columns = {column.name: column for column in self._table.columns}
            self._keys = list(keys) or [column.name for column in self._table.primary_key.columns]
            self._upserts = mode == "upsert"
            self._check_keys(name)
        except ConnectorError:
            self.close()
            raise

    def _check_keys(self, name: str) -> None:
        if self._upserts and not (self._keys and set(self._keys) <= set(self._columns)):
            raise ConfigurationError(f"sql: upsert needs keys that are columns of {name}: {', '.join(self._columns)}")

    def _describe(self, name: str) -> Any:
        schema, _, plain = name.rpartition(".")
        sql = self._sql
        try:
            return sql.Table(plain, sql.MetaData(), schema=schema or None, autoload_with=self._engine)
        except sql.exc.NoSuchTableError:
            raise ConfigurationError(f"sql: there is no table {name!r}; create it first") from None
        except sql.exc.SQLAlchemyError as error:
            away = isinstance(error, sql.exc.OperationalError) and classify_error(error) is not ErrorCause.BLOCKED
            away = away and self._engine.dialect.name != "sqlite"
            fault = DatabaseAway if away or classify_error(error) is ErrorCause.AWAY else ConfigurationError
            raise fault(f"sql: the database cannot be used: {describe_error(error)}") from None

    def close(self) -> None:
        self._engine.dispose()

    def write(self, rows: list[Row]) -> list[Outcome]:
        """Write rows and return the outcome of each; those that are done are committed."""
        fitted = [self._fit(row) for row in rows]
        good = [row for row in fitted if not isinstance(row, str)]
        try:
            written = iter([self._commit(good)] * len(good))
        except Exception:  # noqa: BLE001  a driver may raise anything for a value, and the other rows must not fail with it
            written = iter([self._write_one(row) for row in good])
        return [Outcome(State.REFUSED, reason=row) if isinstance(row, str) else next(written) for row in fitted]

    def _write_one(self, row: Row) -> Outcome:
        try:
            return self._commit([row])
        except Exception as error:  # noqa: BLE001  drivers raise errors of their own for values that they cannot send
            return _outcome_of(error)

    def _commit(self, rows: list[Row]) -> Outcome:
        """Commit all rows or none; not sent when the database went away before the commit."""
        try:
            with self._engine.connect() as connection:
                transaction = connection.begin()
                for row in rows:
                    self._put(connection, row)
                return self._end(transaction)
        except self._sql.exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return Outcome(State.NOT_SENT, reason=f"the database went away: {describe_error(error)}")

    def _end(self, transaction: Any) -> Outcome:
        try:
            transaction.commit()
        except self._sql.exc.SQLAlchemyError as error:
            if not getattr(error, "connection_invalidated", False):
                raise
            reason = f"the database went away while it was to keep the rows: {describe_error(error)}"
            return Outcome(State.UNKNOWN, reason=f"{reason}; look whether they are there")
        return Outcome(State.DONE)

    def _put(self, connection: Any, row: Row) -> None:
        insert = self._insert()
        if not self._upserts:
            connection.execute(insert, row)
            return
        others = [name for name in row if name not in self._keys]
        if hasattr(insert, "on_conflict_do_update"):
            updated = {name: insert.excluded[name] for name in others}
            kept = insert.on_conflict_do_nothing(index_elements=self._keys)
            changed = insert.on_conflict_do_update(index_elements=self._keys, set_=updated) if others else kept
            connection.execute(changed, row)
        elif hasattr(insert, "on_duplicate_key_update"):
            names = others or self._keys
            connection.execute(insert.on_duplicate_key_update({name: insert.inserted[name] for name in names}), row)
        else:
            self._update_or_insert(connection, row, others)

    def _update_or_insert(self, connection: Any, row: Row, others: list[str]) -> None:
        """Update or insert in one transaction, for databases without an upsert."""
        same = self._sql.and_(*(self._columns[name] == row.get(name) for name in self._keys))
        found = connection.execute(self._sql.select(self._sql.literal(1)).select_from(self._table).where(same)).first()
        if found is None:
            connection.execute(self._table.insert(), row)
        elif others:
            connection.execute(self._table.update().where(same).values({name: row[name] for name in others}))

    def _insert(self) -> Any:
        """Return the dialect's own insert, where it can update."""
        from importlib import import_module

        name = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}.get(
            self._engine.dialect.name
        )
        return import_module(f"sqlalchemy.dialects.{name}").insert(self._table) if name else self._table.insert()

    def _fault(self, row: Row) -> str:
        unknown = [name for name in row if name not in self._columns]
        if unknown:
            meant = did_you_mean(closest(unknown[0], self._columns))
            known = f"the table has {join_names(self._columns)}"
            return "; ".join(part for part in (f"no column is named {join_names(unknown)}", known, meant) if part)
        missing = [name for name in self._keys if self._upserts and row.get(name) is None]
        return f"the row has no {join_names(missing)}, which upsert needs" if missing else ""

    def _fit(self, row: Row) -> Row | str:
        """Return the row as its columns take it, or why they do not: JSON as text, dates as dates."""
        fault = self._fault(row)
        if fault:
            return fault
        try:
            return {name: self._value(self._columns[name], value) for name, value in row.items()}
        except (ConnectorError, ValueError, TypeError) as error:
            return str(error)

    def _value(self, column: Any, value: JSON) -> Any:
        if is_object(value) or is_list(value):
            return value if isinstance(column.type, self._sql.JSON | self._sql.ARRAY) else dump(value).decode()
        if isinstance(value, str) and isinstance(column.type, self._sql.DateTime | self._sql.Date | self._sql.Time):
            try:
                return column.type.python_type.fromisoformat(value)
            except ValueError:
                return value
        return value


def _outcome_of(error: Exception) -> Outcome:
    """Return the outcome of a row that failed: refused by itself, or not sent because no row can be written now."""
    trouble = classify_error(error)
    if trouble is ErrorCause.ROW:
        return Outcome(State.REFUSED, reason=f"the database refused the row: {describe_error(error)}")
    action = BLOCKED if trouble is ErrorCause.BLOCKED else ""
    return Outcome(State.NOT_SENT, reason=f"the database cannot take rows now: {describe_error(error)}", action=action)
