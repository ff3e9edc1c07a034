"""Mappers of one type of value: they leave null as it is and refuse other types."""

from __future__ import annotations

from collections.abc import Callable

from connector.model import JSON, is_document, is_list
from connector.request.display import describe_value
from connector.transform.context import Scope
from connector.transform.errors import Unfit
from connector.transform.types import Map

__all__ = ["list_mapper", "skip_null", "text_mapper"]


def skip_null(work: Map) -> Map:
    """Return the mapper that leaves null as it is."""
    return lambda value, scope: None if value is None else work(value, scope)


def text_mapper(name: str, work: Callable[[str, JSON, Scope], JSON]) -> Map:
    """Return a mapper of text; a number is taken as the text that shows it."""

    def run(value: JSON, scope: Scope) -> JSON:
        if isinstance(value, str):
            return work(value, value, scope)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return work(str(value), value, scope)
        raise Unfit(f"{name}: found {describe_value(value)}, a text is needed")

    return run


def list_mapper(name: str, work: Callable[[list[JSON], Scope], JSON]) -> Map:
    """Return a mapper of lists; an object is taken as the list of its values."""

    def run(value: JSON, scope: Scope) -> JSON:
        if is_list(value):
            return work(value, scope)
        if value is None:
            return None
        if is_document(value):
            return work(list(value.values()), scope)
        raise Unfit(f"{name}: found {describe_value(value)}, a list is needed")

    return run
