"""JSON at the edge: what is let in comes through unchanged, and what is not says where it stands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.documents import MAX_DEPTH, check, dump, member_path, parse
from connector.errors import InvalidDocument

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


@given(DOCUMENTS)
def test_a_document_survives_dump_and_parse(document: object) -> None:
    assert parse(dump(document)) == document


@given(DOCUMENTS)
def test_any_spelling_of_a_document_is_read(document: object) -> None:
    assert parse(json.dumps(document, indent=1)) == document
    assert parse(json.dumps(document, ensure_ascii=False).encode()) == document


@given(DOCUMENTS)
def test_what_is_checked_can_be_dumped(document: object) -> None:
    check(document)
    assert json.loads(dump(document)) == document


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("NaN", "document: NaN is not a JSON number at line 1, column 1"),
        ('{"a":\n Infinity}', "document: Infinity is not a JSON number at line 2, column 2"),
        ("[-Infinity]", "document: Infinity is not a JSON number at line 1, column 3"),
        ("1e400", "document: number is infinity when parsed as double at line 1, column 1"),
        (r'"\ud800"', "document: lone surrogate in text at line 1, column 2"),
        ("[1,\n'\ud800']", "document: lone surrogate at line 2, column 2"),
        (b'"\xff"', "document: bytes that are not UTF-8 at line 1, column 1"),
        (r'{"a":["x\u0000"]}', "document.a[0]: NUL at character 2; text without NUL is accepted"),
        (r'{"\u0000":1}', "a key of document: NUL at character 1; text without NUL is accepted"),
        ("[18446744073709551616]", "document[0]: integer beyond 64 bits; send it as text"),
        ('{"a": -9223372036854775809}', "document.a: integer beyond 64 bits; send it as text"),
        ("[" + "9" * 300 + "]", "document[0]: integer beyond 64 bits; send it as text"),
        ('{"a":1,"a":2}', "document: duplicate key 'a'; each key may stand once"),
        ('{"a":1,"\\u0061":2}', "document: duplicate key 'a'; each key may stand once"),
        ('{"a":[{"b c":{"d":1, "d":1}}]}', "document.a[0][\"b c\"]: duplicate key 'd'; each key may stand once"),
        ("", "document: empty; one JSON value is expected"),
        (" \n", "document: empty; one JSON value is expected"),
        ("[1,2", "document: unexpected end of data at line 1, column 5"),
    ],
)
def test_a_document_that_is_refused_says_what_and_where(text: str | bytes, message: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        parse(text)
    assert str(refused.value) == message


def test_the_place_is_named_after_the_document() -> None:
    with pytest.raises(InvalidDocument, match=r"^tickets\.jsonl line 3\.a: integer beyond"):
        parse('{"a": 99999999999999999999}', where="tickets.jsonl line 3")


@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
def test_depth_is_bounded(brackets: tuple[str, str]) -> None:
    opening, closing = brackets
    deepest = opening * MAX_DEPTH + "1" + closing * MAX_DEPTH
    assert dump(parse(deepest)).decode() == deepest
    for levels in (MAX_DEPTH + 1, MAX_DEPTH + 20, 5000):
        with pytest.raises(InvalidDocument, match="nested deeper than 200 levels"):
            parse(opening * levels + "1" + closing * levels)


def test_brackets_in_text_are_not_depth() -> None:
    document = {"code": "[{" * 500, "more": ["]}" * 500]}
    assert parse(dump(document)) == document


def test_many_shallow_brackets_are_not_depth() -> None:
    document = [[{"a": [1]}] for _ in range(500)]
    assert parse(dump(document)) == document


def test_escapes_that_only_look_like_nul_are_kept() -> None:
    assert parse(r'"\\u0000"') == r"\u0000"


@pytest.mark.parametrize("text", ["\ufeff[1]", b"\xef\xbb\xbf[1]"])
def test_a_byte_order_mark_is_passed_over(text: str | bytes) -> None:
    assert parse(text) == [1]


def test_integers_of_64_bits_are_exact() -> None:
    assert parse("[ -9223372036854775808, 18446744073709551615 ]") == [-(2**63), 2**64 - 1]


@dataclass
class Record:
    name: str


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [float("nan")]}, "document.a[0]: NaN is not a JSON number"),
        ({"a": float("-inf"), "b": None}, "document.a: -Infinity is not a JSON number"),
        ({"a": "x\0"}, "document.a: NUL at character 2"),
        ({"a": "x\ud800"}, "document.a: lone surrogate at character 2"),
        ({"\ud800": 1}, "a key of document: lone surrogate at character 1"),
        ([2**64], "document[0]: integer beyond 64 bits"),
        ({1: 2}, "document: a key is a Python int"),
        ({"a": b"x"}, "document.a: a Python bytes is not JSON"),
        ({"a": {1}}, "document.a: a Python set is not JSON"),
        ([datetime(2026, 1, 1, tzinfo=UTC)], "document[0]: a Python datetime is not JSON"),
        ([Record("x")], "document[0]: a Python Record is not JSON"),
    ],
)
def test_values_that_are_not_json_are_refused_alike_by_check_and_dump(value: object, message: str) -> None:
    for refuse in (check, dump):
        with pytest.raises(InvalidDocument) as refused:
            refuse(value)
        assert str(refused.value).startswith(message)


def test_a_value_that_holds_itself_is_refused() -> None:
    value: dict[str, object] = {}
    value["me"] = value
    for refuse in (check, dump):
        with pytest.raises(InvalidDocument, match="nested deeper"):
            refuse(value)


def test_bytes_are_compact_and_not_escaped() -> None:
    assert dump({"ü": [1, 2.0, None, True], "t": (1,)}) == '{"ü":[1,2.0,null,true],"t":[1]}'.encode()


@pytest.mark.parametrize(
    ("key", "place"), [("a", "x.a"), ("$file", "x.$file"), ("a-b", "x.a-b"), ("a b", 'x["a b"]'), (3, "x[3]")]
)
def test_places_read_like_paths(key: str | int, place: str) -> None:
    assert member_path("x", key) == place
