"""What tells the rows of a table apart: within their load, or by what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.errors import ConfigurationError
from connector.hosts.rows.publisher import key_of
from connector.model import JSON

if TYPE_CHECKING:
    from dlt.common.schema import TTableSchema

__all__ = ["LoadTable"]

LOAD, ROW = "_dlt_load_id", "_dlt_id"
"""The columns by which dlt knows a load package and a row of it."""
TAKEN = ("append", "merge")


@dataclass(frozen=True, slots=True)
class LoadTable:
    """A table of a load package.

    Attributes:
        primary_key: the columns that tell its rows apart, in every load; without any a row belongs to its load.
    """

    name: str
    primary_key: tuple[str, ...]

    @classmethod
    def of(cls, table: TTableSchema) -> LoadTable:
        """Return a table as dlt describes it; ConfigurationError for one that cannot be published."""
        name, disposition = str(table.get("name")), table.get("write_disposition") or TAKEN[0]
        if disposition not in TAKEN:
            raise ConfigurationError(
                f"its write disposition is {disposition!r}; rows are published, and cannot be taken back:"
                f" {' or '.join(TAKEN)} is expected"
            )
        columns = (table.get("columns") or {}).items()
        key = tuple(column for column, about in columns if about.get("primary_key"))
        return cls(name, key)

    def key_of(self, row: Mapping[str, JSON], document: JSON, place: str) -> str:
        """Return what makes the repeats of a row one call.

        Args:
            row: as dlt has it, with its columns of its own.
            document: what is published.
            place: where the row is in its load package, for rows that dlt gives no identity.
        """
        if self.primary_key:
            return key_of(self.name, document, [[column] for column in self.primary_key], "")
        if row.get(LOAD) is None or row.get(ROW) is None:
            return f"{self.name} {place}"
        return f"{self.name} {row[LOAD]} {row[ROW]}"
