"""SQLAlchemy as the sql subscriber and publisher use it: its engine, and its errors without values or passwords."""

from __future__ import annotations

from typing import Any

from connector.errors import ConfigurationError
from connector.offline import refuse_offline
from connector.optional import needed

__all__ = ["engine_of", "fault_of", "masked", "sqlalchemy"]


def sqlalchemy() -> Any:
    """The package, or a sentence on how to get it."""
    return needed("sqlalchemy", "sql", "a sql connection")


def engine_of(url: str) -> Any:
    """An engine whose errors show no values."""
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


def masked(url: str) -> str:
    """The URL without its password."""
    sql = sqlalchemy()
    try:
        return str(sql.make_url(url).render_as_string(hide_password=True))
    except sql.exc.ArgumentError:
        return "not a database URL"


def fault_of(error: Any) -> str:
    """What a database says is wrong, in one line."""
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
