"""Every mapper on a good value, on nothing, on a wrong type, on emptiness, on unicode, on nested lists."""

from __future__ import annotations

from typing import Any

import pytest

from connector.transform import Failed, compile_chain, names
from connector.transform.mappers.lists import MOST
from tests.transform.kit import LABELS, Fails, assert_expected, check

TEXT, LIST, NUMBER, OBJECT = "a text is needed", "a list is needed", "a number is needed", "an object is needed"

# name: parameters, then (value, what it becomes) for each of LABELS
CASES: dict[str, tuple[Any, dict[str, tuple[Any, Any]]]] = {
    "dictionary-map": (
        {"map": [["a", 1], ["é", {"x": []}]], "comparator": "equals"},
        {
            "happy": ("a", 1),
            "missing": (None, None),
            "wrong type": (["a"], ["a"]),
            "empty": ("", ""),
            "unicode": ("é", {"x": []}),
            "nested": ([["a"]], [["a"]]),
        },
    ),
    "cast-int": (
        {},
        {
            "happy": (" 166.90 ", 166),
            "missing": (None, None),
            "wrong type": ("12 pieces", Fails(NUMBER)),
            "empty": ("", Fails(NUMBER)),
            "unicode": ("\uff11\uff12", 12),
            "nested": ([[1]], Fails(NUMBER)),
        },
    ),
    "cast-float": (
        {},
        {
            "happy": ("1.5e2", 150.0),
            "missing": (None, None),
            "wrong type": ("nan", Fails(NUMBER)),
            "empty": ("", Fails(NUMBER)),
            "unicode": ("½", Fails(NUMBER)),
            "nested": ([[1.0]], Fails(NUMBER)),
        },
    ),
    "cast-string": (
        {},
        {
            "happy": (12, "12"),
            "missing": (None, None),
            "wrong type": (True, "true"),
            "empty": ([], "[]"),
            "unicode": ({"ü": 1.5}, '{"ü":1.5}'),
            "nested": ([[1, None], []], "[[1,null],[]]"),
        },
    ),
    "cast-bool": (
        {},
        {
            "happy": ("Yes", True),
            "missing": (None, None),
            "wrong type": ("maybe", Fails("allowed: 1, on, true, yes")),
            "empty": ("", False),
            "unicode": ("ÿ", Fails("found the text")),
            "nested": ([[]], True),
        },
    ),
    "cast-list": (
        {},
        {
            "happy": ({"a": 1, "b": 2}, [1, 2]),
            "missing": (None, None),
            "wrong type": (7, [7]),
            "empty": ({}, []),
            "unicode": ("é", ["é"]),
            "nested": ([[1]], [[1]]),
        },
    ),
    "string-replace": (
        {"search": "o", "replace": "ö"},
        {
            "happy": ("foo", "föö"),
            "missing": (None, None),
            "wrong type": ({"a": 1}, Fails(TEXT)),
            "empty": ("", ""),
            "unicode": ("żo", "żö"),
            "nested": ([["foo"]], Fails(TEXT)),
        },
    ),
    "string-cut": (
        {"start": 1, "length": 2, "suffix": "…"},
        {
            "happy": ("abcdef", "bc…"),
            "missing": (None, None),
            "wrong type": (True, Fails(TEXT)),
            "empty": ("", ""),
            "unicode": ("é🙂ü🙃x", "🙂ü…"),
            "nested": ([["abc"]], Fails(TEXT)),
        },
    ),
    "string-case": (
        {"case": "snake"},
        {
            "happy": ("Unit priceInEuro", "unit_price_in_euro"),
            "missing": (None, None),
            "wrong type": ([], Fails(TEXT)),
            "empty": ("", ""),
            "unicode": ("Größe Ä", "größe_ä"),
            "nested": ([["A"]], Fails(TEXT)),
        },
    ),
    "string-split": (
        {"separator": ";", "limit": 2},
        {
            "happy": ("a;b;c", ["a", "b;c"]),
            "missing": (None, None),
            "wrong type": ({}, Fails(TEXT)),
            "empty": ("", []),
            "unicode": ("é;ü", ["é", "ü"]),
            "nested": ([["a;b"]], Fails(TEXT)),
        },
    ),
    "trim": (
        {},
        {
            "happy": ("  a b \n", "a b"),
            "missing": (None, None),
            "wrong type": (["a"], Fails(TEXT)),
            "empty": ("", ""),
            "unicode": ("\u00a0é\u2003", "é"),
            "nested": ([[" "]], Fails(TEXT)),
        },
    ),
    "string-chunk": (
        {"size": 4, "overlap": 1},
        {
            "happy": ("abcdefg", ["abcd", "defg"]),
            "missing": (None, None),
            "wrong type": (["a"], Fails(TEXT)),
            "empty": ("", []),
            "unicode": ("éüö", ["éüö"]),
            "nested": ([["a"]], Fails(TEXT)),
        },
    ),
    "strict-schema": (
        {},
        {
            "happy": (
                {"type": "object", "properties": {"a": {"type": "string"}}},
                {
                    "type": "object",
                    "properties": {"a": {"type": ["string", "null"]}},
                    "required": ["a"],
                    "additionalProperties": False,
                },
            ),
            "missing": (None, None),
            "wrong type": ("x", Fails("a JSON Schema is needed")),
            "empty": ({}, {}),
            "unicode": ({"type": "string", "enum": ["é"]}, {"type": "string", "enum": ["é"]}),
            "nested": (
                {"items": {"type": "object", "properties": {}}},
                {"items": {"type": "object", "properties": {}, "required": [], "additionalProperties": False}},
            ),
        },
    ),
    "default": (
        {"value": "none"},
        {
            "happy": (0, 0),
            "missing": (None, "none"),
            "wrong type": (False, False),
            "empty": ("", "none"),
            "unicode": ("é", "é"),
            "nested": ([[]], [[]]),
        },
    ),
    "structure": (
        {"template": {"kind": "x", "value": "&{@}", "text": "<&{@}>"}},
        {
            "happy": (1, {"kind": "x", "value": 1, "text": "<1>"}),
            "missing": (None, {"kind": "x", "value": None, "text": "<>"}),
            "wrong type": (True, {"kind": "x", "value": True, "text": "<true>"}),
            "empty": ({}, {"kind": "x", "value": {}, "text": "<{}>"}),
            "unicode": ("é", {"kind": "x", "value": "é", "text": "<é>"}),
            "nested": ([[1]], {"kind": "x", "value": [[1]], "text": "<[[1]]>"}),
        },
    ),
    "format-date": (
        {"format": "d.m.Y H:i", "timezone": "Europe/Amsterdam"},
        {
            "happy": ("2025-07-01T10:00:00Z", "01.07.2025 12:00"),
            "missing": (None, None),
            "wrong type": ({"y": 1}, Fails("an ISO 8601 date or seconds since 1970 is needed")),
            "empty": ("", Fails("found an empty text")),
            "unicode": ("två", Fails("found the text 'två'")),
            "nested": ([["2025-07-01"]], Fails("an array of 1 item")),
        },
    ),
    "list-values": (
        {},
        {
            "happy": ({"1": "a", "3": "b"}, ["a", "b"]),
            "missing": (None, None),
            "wrong type": ("a", Fails(LIST)),
            "empty": ({}, []),
            "unicode": ({"é": "ü"}, ["ü"]),
            "nested": ([[1], [2]], [[1], [2]]),
        },
    ),
    "list-implode": (
        {"separator": " | "},
        {
            "happy": (["a", 1, True, None], "a | 1 | true | "),
            "missing": (None, None),
            "wrong type": (1, Fails(LIST)),
            "empty": ([], ""),
            "unicode": (["é", "ü"], "é | ü"),
            "nested": ([[1], {"a": 2}], '[1] | {"a":2}'),
        },
    ),
    "list-count": (
        {},
        {
            "happy": ([1, 2], 2),
            "missing": (None, 0),
            "wrong type": ("ab", Fails(LIST)),
            "empty": ([], 0),
            "unicode": ({"é": 1}, 1),
            "nested": ([[1, 2], [3]], 2),
        },
    ),
    "list-unique": (
        {},
        {
            "happy": ([1, 2, 1, "1", True], [1, 2, "1", True]),
            "missing": (None, None),
            "wrong type": (1, Fails(LIST)),
            "empty": ([], []),
            "unicode": (["é", "é"], ["é"]),
            "nested": ([[1, {"a": 1, "b": 2}], [1, {"b": 2, "a": 1}]], [[1, {"a": 1, "b": 2}]]),
        },
    ),
    "list-sort": (
        {"order": "descending"},
        {
            "happy": ([1, 3, 2.5], [3, 2.5, 1]),
            "missing": (None, None),
            "wrong type": (5, Fails(LIST)),
            "empty": ([], []),
            "unicode": (["é", "a", 1, None, True], ["é", "a", 1, True, None]),
            "nested": ([[1], [2]], [[2], [1]]),
        },
    ),
    "list-fill": (
        {"start": 0, "length": "&{length(@)}", "value": "x"},
        {
            "happy": ([1, 2], ["x", "x"]),
            "missing": (None, Fails("invalid type for value")),
            "wrong type": (1.5, Fails("invalid type for value")),
            "empty": ("", []),
            "unicode": ("é🙂", ["x", "x"]),
            "nested": ([[1, 2, 3]], ["x"]),
        },
    ),
    "list-extend-with": (
        {"array": {"a": 1, "n": "&{length(@)}"}},
        {
            "happy": ({"a": 0}, {"a": 0, "n": 1}),
            "missing": (None, Fails("invalid type for value")),
            "wrong type": ("ab", Fails(OBJECT)),
            "empty": ([], {"a": 1, "n": 0}),
            "unicode": ({"é": 2}, {"é": 2, "a": 1, "n": 1}),
            "nested": ([[1]], Fails(OBJECT)),
        },
    ),
    "list-intersect-keys": (
        {"array": {"a": True, "é": True, "1": True}},
        {
            "happy": ({"a": 0, "b": 1}, {"a": 0}),
            "missing": (None, None),
            "wrong type": ("ab", Fails(OBJECT)),
            "empty": ({}, {}),
            "unicode": ({"é": 2, "ü": 3}, {"é": 2}),
            "nested": ([[0], [1], [2]], [[1]]),
        },
    ),
    "serialize-json": (
        {},
        {
            "happy": ({"a": [1, None, True]}, '{"a":[1,null,true]}'),
            "missing": (None, "null"),
            "wrong type": (1.5, "1.5"),
            "empty": ("", '""'),
            "unicode": ("é", '"é"'),
            "nested": ([[1]], "[[1]]"),
        },
    ),
    "deserialize-json": (
        {},
        {
            "happy": ('{"a": [1, null]}', {"a": [1, None]}),
            "missing": (None, None),
            "wrong type": ({}, Fails(TEXT)),
            "empty": ("", Fails("deserialize-json: text")),
            "unicode": ('"\\u00e9"', "é"),
            "nested": ("[[1]]", [[1]]),
        },
    ),
    "operator": (
        {"operator": "addition"},
        {
            "happy": (["0.1", 0.2, 1], 1.3),
            "missing": (None, None),
            "wrong type": (["a", 1], Fails(NUMBER)),
            "empty": ([], Fails("addition has no operands")),
            "unicode": (["é"], Fails(NUMBER)),
            "nested": ([[1], [2]], Fails(NUMBER)),
        },
    ),
    "prepared-operator": (
        {"left": None, "operator": "subtraction", "right": [2, 3]},
        {
            "happy": (10, 5),
            "missing": (None, None),
            "wrong type": ({}, Fails(NUMBER)),
            "empty": ("", Fails(NUMBER)),
            "unicode": ("é", Fails(NUMBER)),
            "nested": ([[1]], Fails(NUMBER)),
        },
    ),
    "format-number": (
        {"decimals": 2, "decimal_point": ",", "thousands_separator": "."},
        {
            "happy": (1234567.005, "1.234.567,01"),
            "missing": (None, None),
            "wrong type": ({}, Fails(NUMBER)),
            "empty": ("", Fails(NUMBER)),
            "unicode": ("é", Fails(NUMBER)),
            "nested": ([[1]], Fails(NUMBER)),
        },
    ),
    "hash": (
        {"algorithm": "md5"},
        {
            "happy": ("a", "0cc175b9c0f1b6a831c399e269772661"),
            "missing": (None, None),
            "wrong type": (1, "c4ca4238a0b923820dcc509a6f75849b"),
            "empty": ("", "d41d8cd98f00b204e9800998ecf8427e"),
            "unicode": ("é", "66ddcd97cfdeabb2f6fb8a999b4bc76f"),
            "nested": ([[1]], "f0a54eaaf7d53e4ff1ba587d1e374b7c"),
        },
    ),
    "base64-encode": (
        {},
        {
            "happy": ("a", "YQ=="),
            "missing": (None, None),
            "wrong type": ({}, Fails(TEXT)),
            "empty": ("", ""),
            "unicode": ("é", "w6k="),
            "nested": ([["a"]], Fails(TEXT)),
        },
    ),
    "base64-decode": (
        {},
        {
            "happy": ("YQ", "a"),
            "missing": (None, None),
            "wrong type": ({}, Fails(TEXT)),
            "empty": ("", ""),
            "unicode": ("w6k=", "é"),
            "nested": ([["YQ"]], Fails(TEXT)),
        },
    ),
}


def mapped(mapper: Any) -> list[Any]:
    return [{"value-mapper": {"accessor": "v", "mappers": [mapper]}}]


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("name", CASES)
async def test_a_mapper(name: str, label: str) -> None:
    parameters, cases = CASES[name]
    value, expected = cases[label]
    wanted = expected if isinstance(expected, Fails) else {"v": expected}
    await check(mapped({name: parameters}), {"v": value}, wanted)


def test_every_mapper_has_cases() -> None:
    assert set(names("mapper")) == set(CASES)
    assert all(set(cases) == set(LABELS) for _, cases in CASES.values())


MORE: list[tuple[Any, Any, Any]] = [
    ({"dictionary-map": {"map": {"a": 1}, "default": "other: &{@}"}}, "b", "other: b"),
    ({"dictionary-map": {"map": {"^A-": "first"}, "comparator": "matches"}}, "A-1", "first"),
    ({"dictionary-map": [[1, "one"], [True, "yes"]]}, True, "yes"),
    ("cast-int", True, 1),
    ("cast-int", -1.9, -1),
    ("cast-number", 3, 3.0),
    ({"string-replace": {"pattern": r"(\d+)-(\d+)", "replace": "$2-$1"}}, "10-20", "20-10"),
    ({"string-replace": {"pattern": r"(\d)", "replace": "<\\1>"}}, "a1", "a<1>"),
    ({"string-replace": {"search": "pim_"}}, "pim_x", "x"),
    ({"string-replace": {"search": "a", "replace": "$1 \\1"}}, "a", "$1 \\1"),
    ({"string-cut": 3}, "abcdef", "abc"),
    ({"string-cut": {"start": -2}}, "abcdef", "ef"),
    ({"string-cut": {"length": -2}}, "abcdef", "abcd"),
    ({"string-case": "upper"}, "é", "É"),
    ({"string-case": "title"}, "ab cd", "Ab Cd"),
    ({"string-case": "first"}, "ab cd", "Ab cd"),
    ({"string-case": "kebab"}, "unitPrice", "unit-price"),
    ({"string-case": "camel"}, "unit_price_eur", "unitPriceEur"),
    ({"string-split": {"separator": ""}}, "é1", ["é", "1"]),
    ({"trim": "-"}, "--a-", "a"),
    ({"trim": {"side": "left"}}, " a ", "a "),
    ({"format-date": "iso"}, 0, "1970-01-01T00:00:00+00:00"),
    ({"format-date": "unix"}, "1970-01-02", 86400),
    ({"format-date": "%Y/%j"}, "2025-02-01", "2025/032"),
    ({"format-date": {"format": "Y-m-d", "source": "d.m.Y"}}, "01.02.2025", "2025-02-01"),
    ({"format-date": {"format": "unix", "source": "unix"}}, "12.7", 12),
    ({"format-date": {"format": "c", "source_timezone": "Asia/Tokyo"}}, "2025-01-01", "2025-01-01T00:00:00+09:00"),
    ({"format-date": "\\Y: Y, j n G g a v P"}, "2025-03-04T15:06:07.089Z", "Y: 2025, 4 3 15 3 pm 089 +00:00"),
    ({"list-sort": "price"}, [{"price": 2}, {"price": 1}, {}], [{}, {"price": 1}, {"price": 2}]),
    ({"list-unique": {"by": "id"}}, [{"id": 1, "a": 1}, {"id": 1, "a": 2}], [{"id": 1, "a": 1}]),
    ({"list-fill": {"start": 3, "length": 2}}, "x", {"3": "x", "4": "x"}),
    ({"list-extend-with": [0, 0, 0]}, [1], [1, 0, 0]),
    ({"serialize-json": "indented"}, {"a": 1}, '{\n  "a": 1\n}'),
    ({"operator": "division"}, [10, 4], 2.5),
    ({"operator": "division"}, [10, 5], 2),
    ({"operator": "multiplication"}, ["1.13", 100], 113),
    ({"operator": "subtraction"}, [10, 1, 2], 7),
    ({"operator": "modulo"}, [7, 4], 3),
    ({"operator": "minimum"}, [3, "2"], 2),
    ({"operator": "maximum"}, {"a": 3, "b": 2}, 3),
    ({"operator": "array-merge"}, [[1], [], [2]], [1, 2]),
    ({"operator": "array-merge"}, [{"a": 1}, {"a": 2, "b": 3}, []], {"a": 2, "b": 3}),
    ({"prepared-operator": {"left": 10, "operator": "division"}}, 4, 2.5),
    ({"prepared-operator": {"operator": "multiplication", "right": "&{@}"}}, 4, 16),
    ({"string-hash": {"algo": "sha1"}}, "a", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
    ({"format-number": 0}, "2.5", "3"),
    ({"base64-decode": {}}, "8J-ZgiA", "🙂 "),
]


@pytest.mark.parametrize(("mapper", "value", "expected"), MORE)
async def test_what_a_mapper_can_be_told(mapper: Any, value: Any, expected: Any) -> None:
    await check(mapped(mapper), {"v": value}, {"v": expected})


REFUSED: list[tuple[Any, Any, str]] = [
    ({"operator": "division"}, [1, 0], " by zero"),
    ({"operator": "modulo"}, [1, 0], " by zero"),
    ({"operator": "division"}, [0, 0], " by zero"),
    ({"operator": "multiplication"}, ["1e300", "1e300"], "too large"),
    ({"operator": "multiplication"}, ["9" * 500, 1], "a number is needed"),
    ({"operator": "array-merge"}, [[1], 2], "lists or objects are needed"),
    ({"list-fill": {"length": MOST + 1}}, 1, f"at most {MOST} are allowed"),
    ({"list-fill": {"length": "&{@}"}}, "3", "a whole number at least 0 is needed"),
    ({"string-replace": {"pattern": "&{@}"}}, "(", "cannot be used"),
    ({"string-replace": {"pattern": "a", "replace": "$1"}}, "a", "names a group"),
    ({"string-replace": {"search": "a", "replace": "b" * 1000}}, "a" * 100_000, "longer than"),
    ({"string-replace": {"pattern": "a", "replace": "b" * 10_000}}, "a" * 10_000, "longer than"),
    ({"format-date": {"timezone": "Mars/Base"}}, "2025-01-01", "'Mars/Base'"),
    ({"format-date": {"timezone": "../../etc/passwd"}}, "2025-01-01", "a time zone such as"),
    ({"format-date": {"source": "Y-m-d"}}, "1.2.2025", "a date in the format Y-m-d is needed"),
    ({"format-date": "iso"}, 1e300, "is needed"),
    ("base64-decode", "!", "not Base64"),
    ("base64-decode", "/w==", "not Base64 of UTF-8"),
    ("deserialize-json", '{"a":1,"a":2}', "deserialize-json"),
    ("serialize-json", float("nan"), "serialize-json"),
]


@pytest.mark.parametrize(("mapper", "value", "reason"), REFUSED)
def test_what_a_mapper_refuses(mapper: Any, value: Any, reason: str) -> None:
    with pytest.raises(Failed, match=r"chain\[0\]") as caught:
        compile_chain(mapped(mapper)).apply({"v": value})
    assert reason in str(caught.value)


def test_a_key_that_is_missing_is_not_made() -> None:
    assert_expected(compile_chain(mapped("list-count")).apply({"w": 1}), [{"w": 1}])
