"""Bracketed queries: what is encoded can be decoded again, and names mean the same with and without brackets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.catalogue.operation import Operation
from connector.request.query import Query, coerce_query, encode_scalar, flatten

NAMES = st.text(st.characters(exclude_characters="[]", exclude_categories=("Cs",)), min_size=1)
SCALARS = (
    st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(exclude_categories=("Cs",)))
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(SCALARS, min_size=1) | st.dictionaries(NAMES, inner, min_size=1), max_leaves=8
)


def unflattened(pairs: list[tuple[str, str]]) -> Any:
    """What a bracket-reading server makes of pairs."""
    whole: dict[str, Any] = {}
    for name, value in pairs:
        keys = name.replace("]", "").split("[")
        place = whole
        for key in keys[:-1] if keys[-1] else keys[:-2]:
            place = place.setdefault(key, {})
        if keys[-1]:
            place[keys[-1]] = value
        else:
            place.setdefault(keys[-2], []).append(value)
    return whole


def as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_text(child) for key, child in value.items()}
    return [as_text(child) for child in value] if isinstance(value, list) else encode_scalar(value)


@given(st.dictionaries(NAMES, VALUES))
def test_pairs_decode_to_the_values_they_came_from(values: dict[str, Any]) -> None:
    pairs = [pair for name, value in values.items() for pair in flatten(name, value)]
    assert parse_qsl(urlencode(pairs), keep_blank_values=True) == pairs
    assert unflattened(pairs) == as_text(values)


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        (["a", "b", "a"], [("k[]", "a"), ("k[]", "b"), ("k[]", "a")]),
        ({"a": {"b": [1]}}, [("k[a][b][]", "1")]),
        ([{"a": 1}], [("k[][a]", "1")]),
        ([None, 1], [("k[]", "1")]),
        (None, []),
        ([], []),
        ({}, []),
        ("", [("k", "")]),
        (True, [("k", "true")]),
        (False, [("k", "false")]),
        (1.0, [("k", "1.0")]),
    ],
)
def test_each_shape_has_its_pairs(value: object, pairs: list[tuple[str, str]]) -> None:
    assert list(flatten("k", value)) == pairs


@pytest.fixture
def query(operation: Callable[..., Operation]) -> Query:
    declared = {"ids[]": {"type": "array"}, "created_at": {"type": "object"}, "limit": {"type": "integer"}}
    return Query(operation(query=declared, fixed_query={"beta": "true"}, required_query=("limit",)))


def test_names_are_found_with_and_without_brackets(query: Query) -> None:
    assert query.normalise({"ids": ["a"], "created_at[gt]": 1, "created_at[lt]": 2}) == (
        {"ids": ["a"], "created_at": {"gt": 1, "lt": 2}},
        [],
    )


def test_a_name_given_twice_is_a_fault(query: Query) -> None:
    _, faults = query.normalise({"ids": ["a"], "ids[]": ["b"]})
    assert [fault.where for fault in faults] == ["query.ids[]"]


def test_the_caller_s_values_are_not_changed(query: Query) -> None:
    given_values = {"created_at": {"gt": 1}, "created_at[lt]": 2}
    query.normalise(given_values)
    assert given_values == {"created_at": {"gt": 1}, "created_at[lt]": 2}


def test_fixed_values_come_first_and_stay(query: Query) -> None:
    values, faults = query.normalise({"limit": 3, "beta": True})
    assert (query.pairs(values), faults) == ((("beta", "true"), ("limit", "3")), [])
    assert [str(fault) for fault in query.normalise({"beta": "no"})[1]] == [
        "query.beta: found 'no'; it is always 'true' here"
    ]


def test_a_null_does_not_count_as_given(query: Query) -> None:
    assert [str(fault) for fault in query.missing({"limit": None})] == ["query.limit: missing; this operation needs it"]


def test_an_unknown_name_gets_a_suggestion(query: Query) -> None:
    assert [str(fault) for fault in query.unknown({"limits": 1})] == [
        "query.limits: unknown parameter; the query takes ids, created_at, limit; did you mean 'limit'?"
    ]


SCHEMA = {
    "properties": {
        "limit": {"type": "integer"},
        "share": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "all": {"type": "boolean"},
        "name": {"type": "string"},
        "ids": {"type": "array", "items": {"$ref": "#/$defs/Id"}},
        "at": {"type": "object", "properties": {"gt": {"type": "integer"}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "size": {"enum": [1, 2]},
    },
    "$defs": {"Id": {"type": "integer"}},
}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("limit", "10", 10),
        ("limit", "-1", -1),
        ("limit", "ten", "ten"),
        ("limit", "1e3", "1e3"),
        ("share", "0.5", 0.5),
        ("share", "3", 3),
        ("share", "null", None),
        ("all", "true", True),
        ("all", "yes", "yes"),
        ("name", "10", "10"),
        ("name", "true", "true"),
        ("ids", "7", [7]),
        ("ids", ["7", "8"], [7, 8]),
        ("ids", "[7, 8]", [7, 8]),
        ("ids", "[7", "[7"),
        ("at", {"gt": "7"}, {"gt": 7}),
        ("at", '{"gt": 7}', {"gt": 7}),
        ("labels", {"a": "7"}, {"a": "7"}),
        ("size", "2", 2),
        ("limit", 10, 10),
        ("unheard", "10", "10"),
    ],
)
def test_texts_become_what_their_schema_wants(name: str, text: object, value: object) -> None:
    assert coerce_query({name: text}, SCHEMA) == {name: value}
