"""`string-cut`, `string-case`, `string-split`, `string-replace`, `trim`: change text."""

from __future__ import annotations

import re
from collections.abc import Callable

from connector.errors import ConfigurationError
from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Mapper
from connector.transform.errors import Unfit
from connector.transform.fields import choice, integer, text
from connector.transform.mappers.base import text_mapper
from connector.transform.regex import OUTPUT, compile_regex, substitute
from connector.transform.template import Resolve
from connector.transform.types import Map

__all__ = ["REPLACE", "STRINGS"]

WORD = re.compile(r"[^\W_]+")
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _build_cut(start: Resolve, length: Resolve | None, suffix: Resolve) -> Map:
    def work(value: str, found: JSON, scope: Scope) -> JSON:
        first = start(found, scope)
        begin = max(len(value) + first, 0) if first < 0 else first
        size = length(found, scope) if length else None
        if size is None:
            return value[begin:]
        end = len(value) + size if size < 0 else begin + size
        cut = value[begin:end]
        return cut + suffix(found, scope) if end < len(value) else cut

    return text_mapper("string-cut", work)


def _split_words(value: str) -> list[str]:
    return WORD.findall(HUMP.sub(" ", value))


def _to_camel_case(value: str) -> str:
    first, *rest = _split_words(value) or [""]
    return first.lower() + "".join(word.capitalize() for word in rest)


CASES: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "first": lambda value: value[:1].upper() + value[1:],
    "snake": lambda value: "_".join(_split_words(value)).lower(),
    "kebab": lambda value: "-".join(_split_words(value)).lower(),
    "camel": _to_camel_case,
}


def _build_case(case: str) -> Map:
    change = CASES[case]
    return text_mapper("string-case", lambda value, _found, _scope: change(value))


def _build_split(separator: Resolve, limit: Resolve | None) -> Map:
    def work(value: str, found: JSON, scope: Scope) -> JSON:
        between = separator(found, scope)
        most = limit(found, scope) - 1 if limit else -1
        if not value:
            return []
        return value.split(between, most) if between else list(value)

    return text_mapper("string-split", work)


def _build_trim(characters: Resolve | None, side: str) -> Map:
    strip = {"both": str.strip, "left": str.lstrip, "right": str.rstrip}[side]
    return text_mapper(
        "trim", lambda value, found, scope: strip(value, characters(found, scope) if characters else None)
    )


STRINGS = (
    Mapper(
        "string-cut",
        "A part of a text.",
        {
            "start": integer(
                "The first character kept, from 0; negative counts from the end.", default=0, aliases=("offset",)
            ),
            "length": integer("How many characters; negative leaves that many off the end. The rest unless given."),
            "suffix": text("What is put behind a text that was cut, such as an ellipsis.", default=""),
        },
        _build_cut,
        sole="length",
    ),
    Mapper(
        "string-case",
        "Text in another case.",
        {"case": choice("Which.", tuple(CASES), required=True)},
        _build_case,
        sole="case",
    ),
    Mapper(
        "string-split",
        "The list of parts between separators; no parts for an empty text.",
        {
            "separator": text(
                "The text between parts; an empty one splits into characters.", default=",", aliases=("delimiter",)
            ),
            "limit": integer("The most parts; the last holds the rest.", least=1),
        },
        _build_split,
        sole="separator",
    ),
    Mapper(
        "trim",
        "Text without blanks, or other characters, at its ends.",
        {
            "characters": text("The characters to take away; blanks unless given."),
            "side": choice("Which end.", ("both", "left", "right"), default="both"),
        },
        _build_trim,
        sole="characters",
    ),
)


def _build_replace(search: Resolve | None, pattern: Resolve | None, replace: Resolve) -> Map:
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

    return text_mapper("string-replace", work)


def _expression(pattern: Resolve, replace: Resolve) -> Map:
    def work(value: str, found: JSON, scope: Scope) -> JSON:
        return substitute(compile_regex(pattern(found, scope)), replace(found, scope), value)

    return text_mapper("string-replace", work)


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
        _build_replace,
    ),
)
