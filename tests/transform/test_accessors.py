"""Accessors: the places they name, in every kind of document."""

from __future__ import annotations

from typing import Any

import pytest

from connector.transform import names
from tests.transform.kit import LABELS, check

MARK = {"mappers": [{"structure": {"template": "!"}}]}
# name: parameters, then (document, the document with what it names marked) for each of LABELS
CASES: dict[str, tuple[Any, dict[str, tuple[Any, Any]]]] = {
    "key": (
        {"root": "a", "keys": ["x", "é", 0]},
        {
            "happy": ({"a": {"x": 1, "y": 2}}, {"a": {"x": "!", "y": 2}}),
            "missing": ({"b": 1}, {"b": 1}),
            "wrong type": ({"a": "x"}, {"a": "x"}),
            "empty": ({"a": {}}, {"a": {}}),
            "unicode": ({"a": {"é": 1, "ü": 2}}, {"a": {"é": "!", "ü": 2}}),
            "nested": ({"a": [[1], [2]]}, {"a": ["!", [2]]}),
        },
    ),
    "pattern": (
        {"pattern": "a.*.b"},
        {
            "happy": ({"a": [{"b": 1}, {"b": None}]}, {"a": [{"b": "!"}, {"b": "!"}]}),
            "missing": ({"a": [{"c": 1}]}, {"a": [{"c": 1}]}),
            "wrong type": ({"a": "x"}, {"a": "x"}),
            "empty": ({}, {}),
            "unicode": ({"a": {"é": {"b": 1}}}, {"a": {"é": {"b": "!"}}}),
            "nested": ({"a": [[{"b": 1}], {"b": [[1]]}]}, {"a": [[{"b": 1}], {"b": "!"}]}),
        },
    ),
    "structure": (
        {"root": "a", "key": "k", "value": "v.w", "keys": ["é", "1", "x"]},
        {
            "happy": (
                {"a": [{"k": "x", "v": {"w": 1}}, {"k": "y", "v": {"w": 2}}]},
                {"a": [{"k": "x", "v": {"w": "!"}}, {"k": "y", "v": {"w": 2}}]},
            ),
            "missing": ({"a": [{"k": "x"}, {"v": {"w": 1}}]}, {"a": [{"k": "x"}, {"v": {"w": 1}}]}),
            "wrong type": ({"a": [5, "x"]}, {"a": [5, "x"]}),
            "empty": ({"a": []}, {"a": []}),
            "unicode": ({"a": [{"k": "é", "v": {"w": 1}}]}, {"a": [{"k": "é", "v": {"w": "!"}}]}),
            "nested": (
                {"a": [[{"k": "x"}], {"k": 1, "v": {"w": [[1]]}}]},
                {"a": [[{"k": "x"}], {"k": 1, "v": {"w": "!"}}]},
            ),
        },
    ),
}


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("name", CASES)
async def test_an_accessor(name: str, label: str) -> None:
    parameters, cases = CASES[name]
    document, expected = cases[label]
    await check([{"value-mapper": {"accessor": {name: parameters}, **MARK}}], document, expected)


def test_every_accessor_has_cases() -> None:
    assert set(names("accessor")) == set(CASES)
    assert all(set(cases) == set(LABELS) for _, cases in CASES.values())


ROOT = {"prototype": "pattern", "parameters": {"keys": []}}
MOVES: list[tuple[Any, Any, Any]] = [
    (
        {"source": {"key": {"root": "data"}}, "destination": ROOT},
        {"data": {"a": 1, "x": 2}, "x": 0},
        {"data": {}, "x": 2, "a": 1},
    ),
    (
        {"source": {"key": {"keys": ["a", "b"]}}, "destination": {"key": {"root": "c"}}},
        {"a": 1, "b": 2, "d": 3},
        {"d": 3, "c": {"a": 1, "b": 2}},
    ),
    ({"source": "l.*", "destination": {"key": {"root": "m"}}}, {"l": {"a": 1}}, {"l": {}, "m": {"a": 1}}),
    ({"source": "a.b", "destination": ROOT}, {"a": {"b": 1}}, {"a": {}, "b": 1}),
    (
        {"source": "a.b", "destination": "x", "strip_enclosures": False},
        {"a": {"b": 1}},
        {"a": {}, "x": {"a": {"b": 1}}},
    ),
    (
        {"source": {"key": {"root": "a"}}, "destination": "x", "stripEnclosures": False},
        {"a": {"b": 1}},
        {"a": {}, "x": {"a": {"b": 1}}},
    ),
    (
        {"source": {"structure": {"root": "l"}}, "destination": {"key": {"root": "l"}}},
        {"l": [{"key": "a", "value": 1}]},
        {"l": {"a": 1}},
    ),
    (
        {"source": {"structure": {"root": "l", "keys": "a"}}, "destination": ROOT},
        {"l": [{"key": "a", "value": 1}, {"key": "b", "value": 2}]},
        {"l": [{"key": "b", "value": 2}], "a": 1},
    ),
    (
        {"source": {"pattern": {"pattern": "l.*", "keys": ["x"]}}, "destination": "m"},
        {"l": [{"x": 1, "y": 2}]},
        {"l": [{"y": 2}], "m": {"0": {"x": 1}}},
    ),
    (
        {"source": "l.*", "destination": {"structure": {"root": "m"}}},
        {"l": ["a"]},
        {"l": [], "m": [{"key": 0, "value": "a"}]},
    ),
]


@pytest.mark.parametrize(("parameters", "document", "expected"), MOVES, ids=range(len(MOVES)))
async def test_moves_between_accessors(parameters: Any, document: Any, expected: Any) -> None:
    await check([{"accessor-move": parameters}], document, expected)


MORE: list[tuple[Any, Any, Any]] = [
    (
        {"accessor-copy": {"source": {"key": {"keys": []}}, "destination": {"key": {"root": "Update", "keys": []}}}},
        {"a": 1},
        {"a": 1, "Update": {"a": 1}},
    ),
    ({"key-filter": {"accessor": {"key": {"keys": ["a", "b"]}}}}, {"a": 1, "c": 2}, {"c": 2}),
    ({"key-filter": {"accessor": {"key": {"keys": ["a"]}}, "mode": "keep"}}, {"a": 1, "c": 2}, {"a": 1}),
    (
        {"key-filter": {"accessor": "l.*", "conditions": [{"matches": "^x"}], "mode": "drop"}},
        {"l": {"xa": 1, "b": 2}},
        {"l": {"b": 2}},
    ),
    (
        {"value-filter": {"accessor": "l.*", "conditions": [{"equals": 1}], "mode": "drop"}},
        {"l": [1, 2, 1, 3]},
        {"l": [2, 3]},
    ),
    (
        {"value-filter": {"accessor": "l.*.q", "conditions": [{"greater-than": 1}]}},
        {"l": [{"q": 1, "z": 0}, {"q": 2}]},
        {"l": [{}, {"q": 2}]},
    ),
    (
        {"node": {"accessor": {"key": {"root": "l"}}, "steps": [{"value-setter": {"configurations": {"a": 1}}}]}},
        {"l": [{}, {}]},
        {"l": [{"a": 1}, {"a": 1}]},
    ),
    ({"node": {"accessor": "", "steps": [{"value-remover": "a"}]}}, {"a": 1, "b": 2}, {"b": 2}),
    (
        {"list-mapper": {"accessor": "", "mappers": [{"list-extend-with": {"array": {"b": "&{a}"}}}]}},
        {"a": 1},
        {"a": 1, "b": 1},
    ),
    (
        {"list-mapper": {"accessor": {"key": {"root": "l", "keys": ["m"]}}, "mappers": ["list-count"]}},
        {"l": {"m": [1, 2]}},
        {"l": {"m": 2}},
    ),
    (
        {"key-mapper": {"accessor": "l.*", "mappers": [{"string-case": "upper"}]}},
        {"l": {"a": 1, "b": {"c": 2}}},
        {"l": {"A": 1, "B": {"c": 2}}},
    ),
    (
        {"key-mapper": {"accessor": {"key": {"keys": ["a"]}}, "mappers": [{"string-case": "upper"}]}},
        {"a": 1, "b": 2},
        {"A": 1, "b": 2},
    ),
    (
        {"pattern-copy": {"pattern": "stores.*", "replacement": "stores.$1.name"}},
        {"stores": ["DE", "AT"]},
        {"stores": [{"name": "DE"}, {"name": "AT"}]},
    ),
    (
        {"pattern-move": {"pattern": "*", "replacement": "products.$1"}},
        [{"a": 1}, {"b": 2}],
        {"products": [{"a": 1}, {"b": 2}]},
    ),
    (
        {"pattern-move": {"pattern": "a.*", "replacement": "a.x$1"}},
        {"a": {"y": 1, "xy": 2}},
        {"a": {"xy": 1, "xxy": 2}},
    ),
    (
        {"pattern-move": {"pattern": "n.*.d.*", "replacement": "all.$1.$2"}},
        {"n": [{"d": [1, 2]}, {"d": [3]}]},
        {"n": [{"d": []}, {"d": []}], "all": [[1, 2], [3]]},
    ),
    ({"pattern-move": {"pattern": "l.*.v", "replacement": "l.$1.w"}}, {"l": [{"v": 1}, 5]}, {"l": [{"w": 1}, 5]}),
    (
        {"pattern-move": {"pattern": "l.*", "replacement": "l.$1.k", "conditions": [{"equals": "b"}]}},
        {"l": ["a", "b", "c"]},
        {"l": ["a", {"k": "b"}, "c"]},
    ),
    ({"value-remover": {"patterns": [{"key": "l.0"}, {"key": "l.1"}]}}, {"l": [1, 2, 3]}, {"l": [3]}),
    ({"value-setter": {"configurations": [{"key": "l.5", "value": 1}]}}, {"l": [0]}, {"l": {"0": 0, "5": 1}}),
    (
        {"value-setter": {"configurations": [{"key": "l.1", "value": 1}, {"key": "self", "value": ["&{@}"]}]}},
        {"l": [0]},
        {"l": [0, 1], "self": [{"l": [0, 1]}]},
    ),
]


@pytest.mark.parametrize(("step", "document", "expected"), MORE, ids=range(len(MORE)))
async def test_what_steps_do_with_accessors_and_patterns(step: Any, document: Any, expected: Any) -> None:
    await check([step], document, expected)
