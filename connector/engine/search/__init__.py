"""The search index beside a store: any filter and any order over a million tasks, without indexes in the store."""

from __future__ import annotations

from connector.engine.search.paths import MISSING, FieldValue, Path, find_value, parse_field, parse_path
from connector.engine.search.query import (
    COLUMNS,
    Column,
    FilterCounts,
    Order,
    Page,
    PageQuery,
    Searched,
    TaskFilter,
)
from connector.engine.search.search import Patience, TaskSearch

__all__ = [
    "COLUMNS",
    "MISSING",
    "Column",
    "FieldValue",
    "FilterCounts",
    "Order",
    "Page",
    "PageQuery",
    "Path",
    "Patience",
    "Searched",
    "TaskFilter",
    "TaskSearch",
    "find_value",
    "parse_field",
    "parse_path",
]
