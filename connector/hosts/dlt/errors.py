"""How what went wrong is told to dlt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dlt.common.destination.exceptions import DestinationTerminalException, DestinationTransientException

from connector.calls.host_calls import CallConflict
from connector.errors import ConfigurationError, ConnectorError, InvalidDocument, UnknownName
from connector.model import InvalidRequest

if TYPE_CHECKING:
    from connector.hosts.rows.publisher import Trouble

__all__ = ["SourceFailed", "as_load_error", "as_rows_error"]

MOST = 20
"""Rows that one error names; the others are found among the tasks of the engine."""
FINAL = (CallConflict, ConfigurationError, InvalidDocument, InvalidRequest, UnknownName)
"""What a repeat does not mend."""


class SourceFailed(ConnectorError):
    """A resource that could not be read to its end: nothing of this run is kept, and the next one reads it again."""


def as_load_error(message: str, error: ConnectorError) -> Exception:
    """Return the error by which a job fails: terminally, or to be tried again by dlt."""
    return _fail(message, is_final=isinstance(error, FINAL))


def as_rows_error(table: str, troubles: Sequence[Trouble]) -> Exception:
    """Return the error for rows that were not published, with the evidence of those that may have been.

    What waits for a person, or was refused, is terminal: dlt keeps the package, and its next run gives the rows again.
    """
    is_final = any(one.cause != "transient" for one in troubles)
    shown = sorted(troubles, key=lambda one: one.cause != "config")[:MOST]
    more = f" … and {len(troubles) - MOST} more" if len(troubles) > MOST else ""
    told = "; ".join(one.message for one in shown)
    return _fail(f"{table}: {len(troubles)} rows were not published: {told}{more}", is_final=is_final)


def _fail(message: str, *, is_final: bool) -> Exception:
    error: Exception = (DestinationTerminalException if is_final else DestinationTransientException)(message)
    return error
