"""SQLAlchemy for the sql subscriber and publisher: an engine, and errors without values or passwords."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from connector.errors import ConfigurationError, ConnectorError
from connector.extras import require_extra
from connector.offline import refuse_offline
from connector.request import Redactor

__all__ = ["DatabaseAway", "ErrorCause", "classify_error", "create_engine", "describe_error", "mask_url", "sqlalchemy"]


AWAY = re.compile(
    r"refused|timed? ?out|could not translate|name or service|temporary failure|no route|unreachable|network|"
    r"can't connect|connection (reset|closed|failed)|lost connection|gone away|starting up|shutting down|"
    r"too many (connections|clients)|locked|deadlock|disk (is )?full|no space|i/o error",
    re.IGNORECASE,
)
"""Messages of a database, or of the way to it, that pass by themselves."""
BLOCKED = re.compile(
    r"no such table|unable to open|read-?only|permission denied|access denied|authentication failed|not authorized|"
    r"unknown database|(database|relation|role|user) \S+ does not exist|is not a database|doesn't exist",
    re.IGNORECASE,
)
"""Messages that every row would get until the database is repaired."""


class ErrorCause(StrEnum):
    """What an error of a database is about."""

    ROW = "row"
    AWAY = "away"
    BLOCKED = "blocked"


class DatabaseAway(ConnectorError):
    """The database cannot be reached now, and may be later."""


def classify_error(error: Exception) -> ErrorCause:
    """Return whether a row is wrong by itself, the database is away, or something is in the way of all rows."""
    kind, text = type(error).__name__, describe_error(error)
    if BLOCKED.search(text):
        return ErrorCause.BLOCKED
    if kind in ("OperationalError", "TimeoutError", "InternalError") and AWAY.search(text):
        return ErrorCause.AWAY
    return ErrorCause.ROW


def sqlalchemy() -> Any:
    """Return the package; raise ConfigurationError when it is not installed."""
    return require_extra("sqlalchemy", "sql", "a sql connection")


def create_engine(url: str) -> Any:
    """Return an engine whose errors show no values."""
    sql = sqlalchemy()
    if not url.startswith("sqlite"):
        refuse_offline("the database")
    try:
        return sql.create_engine(url, hide_parameters=True)
    except sql.exc.NoSuchModuleError as error:
        raise ConfigurationError(f"sql: {error}; the first part of a URL is the database's kind") from None
    except sql.exc.ArgumentError:
        raise ConfigurationError(
            "sql: the url is no database URL; write it as kind://user:password@host/name"
        ) from None
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"sql: the driver {error.name} is not installed: pip install {error.name}") from None


def mask_url(url: str) -> str:
    """Return the URL without its passwords, those in its query included."""
    sql = sqlalchemy()
    try:
        return Redactor().url(sql.make_url(url).render_as_string(hide_password=True))
    except sql.exc.ArgumentError:
        return "not a database URL"


def describe_error(error: Any) -> str:
    """Return the database's own message, in one line."""
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
