"""The `schema` step: its verdict is the validator's, for every keyword, and whatever it refuses has a reason."""

# ruff: noqa: E501 - a table of cases is read by its lines
from __future__ import annotations

import socket
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema.validators import validator_for

from connector.errors import InvalidDocument
from connector.request.user_schema import InvalidSchema, Validator
from connector.transform import Context, Failed, InvalidChain, compile_chain
from tests.timing import within


def reasons(schema: Any, value: Any, **parameters: Any) -> str:
    """Return why the step refuses a value; empty when it lets it pass."""
    failures: list[Failed] = []
    chain = compile_chain([{"schema": {"schema": schema, **parameters}}])
    out = chain.apply(value, Context(on_failed=lambda _, failure: failures.append(failure)))
    assert bool(out) is not bool(failures)
    return failures[0].reason if failures else ""


EITHER = {
    "anyOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]}, {"properties": {"b": {}}, "required": ["b"]}]
}
NESTED = {
    "oneOf": [
        {"oneOf": [{"minimum": 3}, {"maximum": 9}]},
        {"oneOf": [{"multipleOf": 2}, {"oneOf": [{"type": "integer"}, {"type": "number"}]}]},
    ]
}
REQUIRED_EITHER = {"oneOf": [{"required": ["a"]}, {"oneOf": [{"required": ["b"]}, {"not": {}}]}]}
TREE = {
    "$id": "https://example.test/strict",
    "$dynamicAnchor": "node",
    "$ref": "tree",
    "unevaluatedProperties": False,
    "$defs": {
        "tree": {
            "$id": "tree",
            "$dynamicAnchor": "node",
            "type": "object",
            "properties": {"data": {}, "children": {"type": "array", "items": {"$dynamicRef": "#node"}}},
        }
    },
}
RECURSIVE = {
    "type": "object",
    "properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}},
    "unevaluatedProperties": False,
}
BOOK = {
    "$defs": {"open": {"properties": {"title": {"type": "string"}}}},
    "allOf": [{"$ref": "#/$defs/open"}, {"properties": {"pages": {"type": "integer"}}}],
    "unevaluatedProperties": False,
}
WHEN = {
    "if": {"properties": {"kind": {"const": "card"}}, "required": ["kind"]},
    "then": {"required": ["number"]},
    "else": {"required": ["iban"]},
}

CASES: list[tuple[Any, list[Any], list[tuple[Any, str]]]] = [
    (True, [None, 1, {}], []),
    (False, [], [(1, "nothing is allowed here"), ({}, "nothing is allowed here")]),
    ({"properties": {"a": False}}, [{}, {"b": 1}], [({"a": 1}, "document.a")]),
    ({"anyOf": [True, False]}, [1], []),
    ({"anyOf": [False, False]}, [], [(1, "nothing is allowed here")]),
    ({"type": ["integer", "null"]}, [1, 1.0, None], [(1.5, "an integer or null is allowed"), ("1", "document: found")]),
    ({"const": {"a": [1]}}, [{"a": [1.0]}], [({"a": [2]}, "allowed: an object")]),
    ({"enum": [[1], {"b": 2}, None]}, [[1], None], [([2], "allowed: an array of 1 item, an object, null")]),
    ({**EITHER, "unevaluatedProperties": False}, [{"a": 1}, {"b": 1}, {"a": 1, "b": 1}],
     [({"a": 2, "b": 1}, "document.a: not allowed here; only an alternative that is not met declares it"),
      ({"a": 1, "c": 1}, "document.c: unknown field"), ({}, "missing")]),
    ({**EITHER, "additionalProperties": False}, [], [({"b": 1}, "document.b: not allowed here; the schema declares it elsewhere")]),
    (BOOK, [{"title": "x", "pages": 1}], [({"title": 1}, "document.title: found the number 1"), ({"titel": "x"}, "did you mean 'title'")]),
    (NESTED, [11], [(3, "document: found the number 3"), (2, "more than one alternative is met")]),
    (REQUIRED_EITHER, [{"a": 1}, {"b": 1}], [({}, "missing"), ({"a": 1, "b": 1}, "more than one alternative is met")]),
    ({"oneOf": [{"oneOf": [{"not": {}}]}, {"anyOf": [{"not": {}}, {"contains": {}}]}]}, [[1]], [([], "document: ")]),
    (TREE, [{"data": 1, "children": [{"data": 2}]}], [({"children": [{"daat": 1}]}, "document.children[0].daat"), ([], "an object")]),
    (RECURSIVE, [{"next": {"next": {"n": 1}}}], [({"next": {"nxt": {}}}, "document.next.nxt"), ({"next": {"n": "x"}}, "document.next.n")]),
    ({"allOf": [{"$ref": "#/$defs/i"}, {"$ref": "#/$defs/i"}], "$defs": {"i": {"$ref": "#/$defs/j"}, "j": {"type": "integer"}}},
     [1], [("x", "an integer is allowed")]),
    ({"$ref": "#named", "$defs": {"x": {"$anchor": "named", "required": ["é"]}}}, [{"é": 1}], [({}, "missing")]),
    ({"$ref": "#/$defs/a~1b%25~0", "$defs": {"a/b%~": {"type": "string"}}}, ["x"], [(1, "text is allowed")]),
    ({"contains": {"type": "string"}}, [["x", 1]], [([1], "document: found an array of 1 item")]),
    ({"contains": {"const": 1}, "minContains": 2, "maxContains": 3}, [[1, 1], [1, 1, 1, 2]], [([1], "document"), ([1, 1, 1, 1], "document")]),
    ({"contains": {"const": 1}, "minContains": 0}, [[], [2]], []),
    ({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}, [["x", 1], []], [(["x", "y"], "document[1]"), ([1], "document[0]")]),
    ({"prefixItems": [True], "unevaluatedItems": False}, [[1]], [([1, 2], "more items than are declared")]),
    ({"uniqueItems": True}, [[1, True], [{"a": 1}, {"a": 2}]], [([1, 1.0], "each item may stand once"), ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], "once")]),
    ({"dependentSchemas": {"a": {"required": ["b"], "properties": {"b": {"type": "string"}}}}},
     [{}, {"b": 1}, {"a": 1, "b": "x"}], [({"a": 1}, "document.b: missing"), ({"a": 1, "b": 1}, "document.b: found")]),
    ({"dependentRequired": {"a": ["b"]}}, [{}, {"a": 1, "b": 2}], [({"a": 1}, "document.b: missing")]),
    ({"propertyNames": {"pattern": "^[a-z]+$"}}, [{"ab": 1}], [({"A1": 1}, "its field name 'A1'")]),
    ({"propertyNames": {"anyOf": [{"const": "a"}, {"maxLength": 0}]}}, [{"a": 1}], [({"bb": 1}, "its field name 'bb'")]),
    ({"patternProperties": {"^n_": {"type": "integer"}}, "additionalProperties": {"type": "string"}},
     [{"n_a": 1, "b": "x"}], [({"n_a": "x", "b": 1}, "document.n_a: found the text 'x'")]),
    ({"not": {"required": ["a"]}}, [{}], [({"a": 1}, "this combination is not allowed")]),
    ({"not": {"anyOf": [{"type": "string"}, {"not": {"type": "integer"}}]}}, [1], [("x", "not allowed"), (1.5, "not allowed")]),
    (WHEN, [{"kind": "card", "number": 1}, {"iban": "x"}], [({"kind": "card"}, "document.number: missing"), ({}, "document.iban: missing")]),
    ({"if": False, "then": False, "else": True}, [1], []),
    ({"minimum": -(2**70), "maximum": 2**70}, [2**69, -(2**69)], [(2**71, "at most"), (-(2**71), "at least")]),
    ({"const": 2**80}, [2**80], [(2**80 + 1, "allowed")]),
    ({"type": "integer"}, [2**200, 1e300], [(0.5, "an integer")]),
    ({"multipleOf": 0.5}, [1.5, 1e300], [(0.75, "a multiple of")]),
    ({"maxLength": 2}, ["💡💡", "é"], [("💡💡💡", "found 3 characters")]),
    ({"properties": {"naïve 💡": {"type": "null"}}}, [{"naïve 💡": None}], [({"naïve 💡": 1}, "null is allowed")]),
    ({"minProperties": 1, "maxProperties": 2}, [{"a": 1}], [({}, "found 0 fields"), ({"a": 1, "b": 2, "c": 3}, "found 3 fields")]),
    ({"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}], "additionalItems": False},
     [["x"]], [([1], "document[0]"), (["x", 1], "document")]),
    ({"$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveAnchor": True, "items": {"$recursiveRef": "#"}, "maxItems": 1},
     [[[[]]]], [([[1, 2], 3], "found 2 items")]),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "valid", "invalid"), CASES)
def test_each_keyword_has_the_verdict_of_the_reference(
    schema: Any, valid: list[Any], invalid: list[tuple[Any, str]]
) -> None:
    reference = validator_for(schema, jsonschema.Draft202012Validator)(schema)
    for value in valid:
        assert reasons(schema, value) == ""
        assert reference.is_valid(value)
    for value, reason in invalid:
        assert reason in reasons(schema, value)
        assert not reference.is_valid(value)


LOOPS = [
    {"$ref": "#"},
    {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    {"allOf": [{"$ref": "#"}], "anyOf": [{"$ref": "#"}, {"type": "object"}]},
    {"$dynamicAnchor": "a", "if": {"$dynamicRef": "#a"}, "then": {"$ref": "#"}},
]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_schema_that_applies_itself_to_the_same_value_comes_to_an_end(loop: Any) -> None:
    assert reasons(loop, {"a": 1}) == ""
    assert "text is allowed" in reasons(
        {"allOf": [{"$id": "https://example.test/loop", **loop}, {"type": "string"}]}, {"a": 1}
    )


FORMATS = [
    ("date-time", "2026-11-28T10:00:00Z", "yesterday"),
    ("email", "a@b.example", "a"),
    ("ipv4", "127.0.0.1", "127.0.0.256"),
]


@pytest.mark.parametrize(("name", "good", "bad"), FORMATS)
def test_a_format_is_asserted_where_that_is_configured(name: str, good: str, bad: str) -> None:
    schema = {"format": name}
    assert reasons(schema, bad) == ""
    assert reasons(schema, bad, formats=False) == ""
    assert reasons(schema, good, formats=True) == ""
    assert f"text of the format {name} is allowed" in reasons(schema, bad, formats=True)
    assert reasons("&{schema}", {"schema": schema, "value": bad}, source="value", formats=True) != ""
    old = {"$schema": "http://json-schema.org/draft-07/schema#", **schema}
    assert reasons(old, bad) != ""
    assert reasons(old, bad, formats=False) == ""


def test_a_format_that_is_unknown_is_no_fault() -> None:
    assert reasons({"format": "colour"}, "x", formats=True) == ""


NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, "", "a", "bb", "é"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
LEAVES = st.booleans() | st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", "object", "array", "null", "boolean"]),
        "minimum": st.integers(-2, 2),
        "maxLength": st.integers(0, 2),
        "maxItems": st.integers(0, 2),
        "minProperties": st.integers(0, 2),
        "const": SCALARS,
        "enum": st.lists(SCALARS, min_size=1, max_size=3),
        "required": st.lists(NAMES, max_size=2, unique=True),
        "$ref": st.just("#/$defs/one"),
        "items": st.sampled_from([{"$dynamicRef": "#node"}, {"$ref": "#two"}]),
    },
)


def composed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return schemas of schemas, with every keyword that applies one."""
    many, named = st.lists(inner, min_size=1, max_size=3), st.dictionaries(NAMES, inner, max_size=2)
    parts = {
        **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), many),
        **dict.fromkeys(("properties", "dependentSchemas"), named),
        **dict.fromkeys(
            ("not", "if", "then", "else", "items", "contains", "propertyNames", "additionalProperties"), inner
        ),
        **dict.fromkeys(("unevaluatedProperties", "unevaluatedItems"), inner),
    }
    return st.fixed_dictionaries({}, optional=parts)


SCHEMAS = st.recursive(LEAVES, composed, max_leaves=10)


@given(SCHEMAS, SCHEMAS, VALUES)
@settings(max_examples=150, deadline=None)
def test_any_schema_has_the_verdict_of_the_reference_and_a_reason_for_every_refusal(
    body: Any, other: Any, value: Any
) -> None:
    schema = {
        "$dynamicAnchor": "node",
        "allOf": [body],
        "$defs": {"one": {"type": ["array", "object"]}, "two": {"$anchor": "two", "not": other}},
    }
    expected = jsonschema.Draft202012Validator(schema).is_valid(value)
    found = reasons(schema, value)
    assert bool(found) is not expected
    assert found == "" or "; " in found


WRONG: list[tuple[Any, dict[str, str]]] = [
    ({"type": "strng", "properties": {"a": {"required": "b"}, "n": {"minimum": "x"}}},
     {"type": "did you mean 'string'?", "properties.a.required": "an array is allowed", "properties.n.minimum": "a number is allowed"}),
    ({"items": {"pattern": "("}}, {"items.pattern": "regular expression"}),
    ({"pattern": "^(?=a)"}, {"pattern": "without look-around"}),
    ({"patternProperties": {"(": True}}, {'patternProperties["("]': "found '('"}),
    ({"$ref": "#/$defs/x"}, {"$ref": "which is not in the schema"}),
    ({"properties": {"a": {"$ref": "#gone"}}}, {"properties.a.$ref": "which is not in the schema"}),
    ({"$ref": "https://example.test/other.json"}, {"$ref": "nothing is fetched"}),
    ({"$id": "https://example.test/a", "allOf": [{"$ref": "b.json"}]}, {"allOf[0].$ref": "nothing is fetched"}),
    ({"$dynamicRef": "https://example.test/x#node"}, {"$dynamicRef": "nothing is fetched"}),
    ({"$schema": "https://example.test/meta"}, {"$schema": "nothing is fetched"}),
    ({"$ref": ":::"}, {"$ref": "no reference"}),
    ([], {"": "found an array"}),
    (5, {"": "found the number 5"}),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "expected"), WRONG)
def test_a_schema_that_is_none_is_refused_before_it_is_used_each_fault_at_its_place(
    schema: Any, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_args, **_more: pytest.fail("a socket was opened"))
    with pytest.raises(InvalidChain) as caught:
        compile_chain([{"schema": {"schema": schema}}])
    base = "chain[0].schema.schema"
    found = {fault.where.removeprefix(base).removeprefix("."): str(fault) for fault in caught.value.faults}
    assert found.keys() == expected.keys()
    assert all(reason in found[place] for place, reason in expected.items())
    assert "not a JSON Schema" in reasons("&{schema}", {"schema": schema})


def deep(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": "\ud800"}, {1: 2}, {"a": b"x"}, deep(100_000)])
def test_what_is_no_json_is_refused_by_any_schema(value: Any) -> None:
    assert reasons(True, value).startswith("document")
    assert reasons(True, {"v": value}, source="v", on_invalid="fail") != ""
    with pytest.raises(InvalidDocument):
        Validator({"properties": {"a": {"$ref": "#"}}}).faults(value)
    with pytest.raises(InvalidSchema):
        Validator({"const": value})


def test_what_is_wrong_is_noted_or_skipped_as_configured() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}, "on": {"type": "boolean"}}}
    noting = compile_chain([{"schema": {"schema": schema, "on_invalid": "note", "destination": "faults"}}])
    assert noting.apply({"n": "x", "on": 1}) == [
        {
            "n": "x",
            "on": 1,
            "faults": [
                "document.n: found the text 'x'; an integer is allowed",
                "document.on: found the number 1; true or false is allowed",
            ],
        }
    ]
    skipping = compile_chain([{"schema": {"schema": EITHER, "on_invalid": "skip"}}])
    assert skipping.apply({}) == []


def doubled(levels: int) -> Any:
    parts = {f"d{at}": {"anyOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(levels)}
    return {"$defs": {**parts, f"d{levels}": {"type": "string"}}, "$ref": "#/$defs/d0"}


NODE = {"type": "object", "properties": {"c": {"$ref": "#/$defs/n"}}, "required": ["k"]}
TREE = {
    "$defs": {
        "n": {
            "anyOf": [
                {**NODE, "title": kind, "properties": {"k": {"const": kind}, **NODE["properties"]}} for kind in "ab"
            ]
        }
    },
    "$ref": "#/$defs/n",
}


def nested(levels: int) -> Any:
    return {"k": "a", "c": nested(levels - 1)} if levels else {"k": "z"}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (doubled(18), 1),
        (TREE, nested(60)),
        (
            {"additionalProperties": False, "properties": {f"name{at}": {} for at in range(100)}},
            {f"neme{at}": 1 for at in range(20_000)},
        ),
        ({"items": {"anyOf": [{"const": f"aaaaaaaa{at}"} for at in range(200)]}}, ["aaaaaab"] * 4000),
        ({"enum": ["a" * 100_000]}, "a" * 90_000),
        ({"items": {"type": "string"}}, [1] * 50_000),
    ],
)
def test_a_refusal_is_a_refusal_in_reasonable_time_however_many_reasons_it_has(schema: Any, value: Any) -> None:
    validator = Validator(schema)
    assert within(3, lambda: validator.faults(value))


def test_a_union_of_a_few_levels_is_explained() -> None:
    assert "allowed: 'a', 'b'" in str(Validator(TREE).faults(nested(5))[0])
