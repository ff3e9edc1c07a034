"""`string-*` and `trim`: change text, and split it into parts and chunks."""

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
from connector.transform.tokenizer import encoding_for
from connector.transform.types import Map

__all__ = ["CHUNKS", "REPLACE", "STRINGS"]

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
            "replace": text("The replacement; with a pattern, $1 is the text of its first group.", default=""),
        },
        _build_replace,
    ),
)


BLANK = re.compile(r"\s")
SOFT = 5
"""A part may end earlier by this fraction of its size, where a word ends."""
End = Callable[[str, int], int]
"""Returns the end of a part by its start, or the start of the next by its end."""


def split_chunks(value: str, end_of: End, start_of: End) -> list[str]:
    """Return the parts of a text: each ends with a word if one ends near enough, and the next overlaps it."""
    parts: list[str] = []
    start = end = 0
    while end < len(value):
        # However large the overlap, every part goes on beyond the one before it.
        latest = max(end_of(value, start), end + 1)
        end = (
            latest
            if latest >= len(value)
            else _find_word_end(value, max(latest - (latest - start) // SOFT, end), latest)
        )
        parts.append(value[start:end])
        start = max(start_of(value, end), start + 1)
    return parts


def _find_word_end(value: str, earliest: int, latest: int) -> int:
    """Return the position behind the last blank between two positions, or the later of them."""
    blanks = [found.end() for found in BLANK.finditer(value, earliest, latest)]
    return blanks[-1] if blanks else latest


def _count_characters(size: int, overlap: int) -> tuple[End, End]:
    return lambda _, start: start + size, lambda _, end: end - overlap


def _count_tokens(size: int, overlap: int, model: str) -> tuple[End, End]:
    encoding = encoding_for(model)

    def end_of(value: str, start: int) -> int:
        # A token is seldom longer than 16 characters; what is longer is cut a little early, never late.
        return start + max(len(encoding.cut(value[start : start + 16 * size], size)), 1)

    def start_of(value: str, end: int) -> int:
        backwards = value[max(end - 16 * overlap, 0) : end]
        return end - len(backwards) + len(encoding.cut(backwards, max(len(encoding.encode(backwards)) - overlap, 0)))

    return end_of, start_of


def _build_chunks(size: Resolve, overlap: Resolve, by: str, model: Resolve) -> Map:
    def work(value: str, found: JSON, scope: Scope) -> JSON:
        most, shared = size(found, scope), overlap(found, scope)
        if shared >= most:
            raise Unfit(f"string-chunk: parts of {most} cannot share {shared}; the overlap must be smaller")
        measured = (
            _count_characters(most, shared) if by == "characters" else _count_tokens(most, shared, model(found, scope))
        )
        return list[JSON](split_chunks(value, *measured)) if value else []

    return text_mapper("string-chunk", work)


CHUNKS = (
    Mapper(
        "string-chunk",
        "The list of parts of a long text; a part ends with a word where one ends near enough.",
        {
            "size": integer("The most characters or tokens of a part.", least=1, required=True),
            "overlap": integer("How many of them a part shares with the one before.", least=0, default=0),
            "by": choice("What is counted.", ("characters", "tokens"), default="characters"),
            "model": text("The model whose tokens they are.", default="gpt-5"),
        },
        _build_chunks,
        sole="size",
    ),
)
