"""What reads text of others takes linear time: four times the text takes about four times as long."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from connector.config.references import parse as parse_references
from connector.documents import parse as parse_json
from connector.errors import ConnectorError
from connector.http.sse import EventParser
from connector.request.redaction import Redactor
from connector.suggestions import closest
from connector.terminal import escape_controls
from connector.transform import InvalidChain, compile_template
from connector.transform.paths import parse_path
from connector.yaml import read_document
from tests.timing import in_proportion

GROWTH = 9
UNNOTICED = 0.05
"""Seconds for the long text, below which nobody waits."""
REDACT = Redactor(['tok/en"a b+=', "b" * 30, *(f"sk-{number:040}" for number in range(300))])


def events(text: str) -> object:
    parser = EventParser()
    data = text.encode()
    return [parser.feed(data[at : at + 7]) for at in range(0, len(data), 7)]


def template(text: str) -> object:
    return compile_template(text, where="text")


READERS: list[tuple[Callable[[str], object], int, list[str]]] = [
    (events, 20_000, ["x", ":\n", "data: x\n", "data\r", "\n", "data: x\n\n"]),
    (parse_path, 10_000, ['"', '"a', '"a.', "a.", '"\\', "."]),
    (template, 3_000, ["&{", "{", "&{a", "&{a}", "@{", "&{@{", "${", "&{`{", "&{'", "\\&{", "&{(", "&{a[0]."]),
    (parse_references, 10_000, ["${", "${a", "${A:-", "@{", "}", "${file:", "${A:-${"]),
    (escape_controls, 200_000, ["\x1b", "a", "\u202e"]),
    (parse_json, 100_000, ["[", "1", '"\\ud800"', '{"a":', "1e400,"]),
    (
        REDACT,
        50_000,
        ["\\", "%25", "&amp;", "tok", "tok\\\\\\\\", "sk-", "sk-0", "b", "eyJ-", "://a:", "bearer ", "&#00"],
    ),
    (REDACT.url, 50_000, ["a=b&", "//a", "://a:", "?", "#", "%25=", "token="]),
    (lambda text: closest(text, ["aaaa", text[1:]]), 50_000, ["a", "ab"]),
    (read_document, 8_000, ["a: b\n", "# x\n", "|\n", "'", "- [a, b]\n", "k: {a: b}\n", "\n"]),
]
CASES = [(read, size, unit) for read, size, units in READERS for unit in units]


@pytest.mark.parametrize(("read", "size", "unit"), CASES)
def test_four_times_the_text_takes_no_more_than_its_share(read: Callable[[str], object], size: int, unit: str) -> None:
    short, long = unit * (size // len(unit)), unit * (4 * size // len(unit))
    taken(read, short)()  # what is made at the first use
    assert in_proportion(GROWTH, taken(read, short), taken(read, long), unnoticed=UNNOTICED), f"{unit!r}, repeated"


def test_what_is_worse_is_found() -> None:
    def quadratic(text: str) -> object:
        return [text[at:].count("b") for at in range(0, len(text), 10)]

    assert not in_proportion(GROWTH, taken(quadratic, "a" * 10_000), taken(quadratic, "a" * 80_000), unnoticed=0.001)


def taken(read: Callable[[str], object], text: str) -> Callable[[], None]:
    """Return what reads the text, and refuses it as it may."""

    def run() -> None:
        with suppress(ConnectorError, InvalidChain, ValueError):
            read(text)

    return run
