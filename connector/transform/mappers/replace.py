"""`string-replace`: text for text, or for what a regular expression finds."""

from __future__ import annotations

from connector.errors import ConfigurationError
from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Map, Mapper
from connector.transform.fields import text
from connector.transform.mappers.kinds import of_text
from connector.transform.regex import OUTPUT, compile_regex, substitute
from connector.transform.signals import Unfit
from connector.transform.template import Resolve

__all__ = ["REPLACE"]


def _build(search: Resolve | None, pattern: Resolve | None, replace: Resolve) -> Map:
    if search is not None and pattern is None:
        return _literal(search, replace)
    if pattern is not None and search is None:
        return _expression(pattern, replace)
    raise ConfigurationError("string-replace needs either search or pattern")


def _literal(search: Resolve, replace: Resolve) -> Map:
    def work(value: str, found: JSON, scope: Scope) -> JSON:
        wanted, put = search(found, scope), replace(found, scope)
        if not wanted or wanted not in value:
            return value
        if len(put) > len(wanted) and value.count(wanted) * len(put) > OUTPUT:
            raise Unfit(f"the replaced text would be longer than {OUTPUT} characters")
        return value.replace(wanted, put)

    return of_text("string-replace", work)


def _expression(pattern: Resolve, replace: Resolve) -> Map:
    def work(value: str, found: JSON, scope: Scope) -> JSON:
        return substitute(compile_regex(pattern(found, scope)), replace(found, scope), value)

    return of_text("string-replace", work)


REPLACE = (
    Mapper(
        "string-replace",
        "Replaces parts of a text.",
        {
            "search": text("The text to replace."),
            "pattern": text(
                "A regular expression in RE2 syntax for what to replace, in place of search.", aliases=("regex",)
            ),
            "replace": text("What comes in its place; with a pattern, $1 stands for its first group.", default=""),
        },
        _build,
    ),
)
