"""Values for schemas: every one is checked by a validator, here once more by the reference implementation."""

from __future__ import annotations

import re

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sandbox.models.instances.instance import NoInstanceFound, generate_instance

SAID = "I was charged twice for order 42, this is a billing problem"


def closed(**properties):
    """An object that has these properties and no others."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


NODE = closed(
    value={"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    next={"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
    children={"type": "array", "items": {"$ref": "#/$defs/node"}},
)
LINE = closed(amount={"type": "number", "multipleOf": 0.25}, on={"type": "string", "format": "date"})
PATH = {"patternProperties": {"^x-[a-z]{3}$": {"type": "boolean"}}, "additionalProperties": False}
CHILD = {"anyOf": [{"$ref": "#"}, {"type": "null"}]}
SCHEMAS = {
    "nested": closed(lines={"type": "array", "minItems": 2, "maxItems": 3, "items": LINE}, kind={"const": "invoice"}),
    "recursive": {"$defs": {"node": NODE}, "$ref": "#/$defs/node"},
    "recursive to the root": {"type": "object", "properties": {"child": CHILD}, "required": ["child"]},
    "older definitions": {"definitions": {"a/b": {"type": "integer", "minimum": 7}}, "$ref": "#/definitions/a~1b"},
    "anchor": {"$defs": {"x": {"$anchor": "here", "enum": ["yes"]}}, "$ref": "#here"},
    "all of": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}}, "required": ["a"]},
            {"properties": {"a": {"maximum": 3}, "b": {"type": "boolean"}}, "required": ["b"]},
        ]
    },
    "one of": {"oneOf": [{"type": "integer", "multipleOf": 2}, {"type": "integer", "multipleOf": 3}]},
    "discriminated": {"anyOf": [closed(type={"const": name}, **{name: {"type": "string"}}) for name in ("a", "b")]},
    "nullable": {"type": ["null", "string"], "minLength": 3},
    "long": {"type": "string", "minLength": 200, "maxLength": 201},
    "short": {"type": "string", "maxLength": 2},
    "tight number": {"type": "number", "minimum": 0.0011, "maximum": 0.0012},
    "negative": {"type": "integer", "maximum": -5},
    "exclusive": {"type": "integer", "exclusiveMinimum": 4, "exclusiveMaximum": 6},
    "map": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 3, "maxProperties": 4},
    "named by a pattern": {"type": "object", "minProperties": 2, **PATH},
    "named by rule": {"type": "object", "propertyNames": {"pattern": "^[A-Z]+$"}, "minProperties": 1},
    "tuple": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False, "minItems": 2},
    "contains": {"type": "array", "items": {"type": "integer"}, "contains": {"const": 7}, "minItems": 3},
    "unique": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
    "condition": {
        "type": "object",
        "properties": {"a": {"enum": [1, 2]}, "b": {"type": "string"}},
        "required": ["a"],
        "if": {"properties": {"a": {"const": 1}}},
        "then": {"required": ["b"]},
    },
    "optional is forbidden": {
        "type": "object",
        "properties": {"a": False, "b": {"type": "integer"}},
        "required": ["b"],
    },
    "few properties": {
        "type": "object",
        "properties": {name: {"type": "integer"} for name in "abcd"},
        "required": ["d"],
        "maxProperties": 2,
    },
    "enum of all kinds": {"enum": [{"a": 1}, None, 3]},
    "anything": True,
    "nothing said": {},
}
FORMATS = (
    "date-time",
    "date",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uuid",
    "uri",
    "uri-reference",
    "json-pointer",
    "regex",
)
PATTERNS = (
    r"^[A-Z]{2}-\d{4}(-(foo|bar))?$", r"^\+?[1-9]\d{1,14}$", r"^#[0-9a-fA-F]{6}$", r"^(?:a|bc){2,3}$", r"^[^aeiou\s]+$",
    r"\bcat\b", r"^\w+@\w+\.(com|org)$", r"^(?P<year>\d{4})-(0[1-9]|1[0-2])$", r"^.{5}$", r"^[\w-]+$",
    r"^\x41\u0042$", r"^[a-c]*?d$", r"^a{0,2}$",
)  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_value_is_found_for_every_kind_of_schema(name):
    for seed in range(5):
        value = generate_instance(SCHEMAS[name], SAID, str(seed))
        jsonschema.Draft202012Validator(SCHEMAS[name]).validate(value)


@pytest.mark.parametrize("form", FORMATS)
def test_a_string_has_its_format(form):
    schema = {"type": "string", "format": form}
    value = generate_instance(schema, SAID, "0")
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(value)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_string_has_its_pattern(pattern):
    schema = {"type": "object", "properties": {"x": {"type": "string", "pattern": pattern}}, "required": ["x"]}
    for seed in range(5):
        jsonschema.Draft202012Validator(schema).validate(generate_instance(schema, SAID, str(seed)))


def test_a_pattern_may_ask_for_length_as_well():
    value = generate_instance({"type": "string", "pattern": "^[a-z]+$", "minLength": 12, "maxLength": 40}, "1", "0")
    assert 12 <= len(value) <= 40


def test_words_that_were_said_choose_and_fill():
    schema = {
        "type": "object",
        "properties": {
            "category": {"enum": ["bug", "billing"]},
            "summary": {"type": "string"},
            "tag": {"type": "string"},
        },
        "required": ["category", "summary", "tag"],
    }
    value = generate_instance(schema, SAID, "0")
    assert value["category"] == "billing"
    assert value["summary"] in SAID.replace(",", "")


def test_the_same_seed_and_words_make_the_same_value():
    schema = {"type": "integer", "minimum": 0, "maximum": 10**9}
    values = {(seed, said): generate_instance(schema, said, seed) for seed in "ab" for said in ("x", "y")}
    assert len(set(values.values())) == 4
    assert values["a", "x"] == generate_instance(schema, "x", "a")


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (False, "no value was found"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "no value was found"),
        ({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}}, "no value was found"),
        ({"type": "string", "pattern": "(?=x)y"}, "no value was found"),
        ({"type": "strin"}, "not a valid JSON Schema"),
        ({"$ref": "#/nowhere"}, "not a valid JSON Schema"),
        ({"$ref": "http://127.0.0.1:9/schema"}, "is not looked up"),
        ({"$ref": "file:///etc/hostname"}, "is not looked up"),
        ({"type": "string", "pattern": "(((a{9000}){9000}){9000})"}, "no"),
    ],
)
def test_what_cannot_be_satisfied_is_said(schema, why):
    with pytest.raises(NoInstanceFound, match=why):
        generate_instance(schema, SAID, "0")


SCALARS = st.one_of(
    st.builds(
        lambda low, span: {"type": "integer", "minimum": low, "maximum": low + span},
        st.integers(-9, 9),
        st.integers(0, 9),
    ),
    st.builds(
        lambda low, span: {"type": "string", "minLength": low, "maxLength": low + span},
        st.integers(0, 30),
        st.integers(0, 5),
    ),
    st.sampled_from(
        [
            {"type": "boolean"},
            {"type": "null"},
            {"type": "number"},
            {"enum": ["a", 1, None]},
            {"type": ["integer", "null"]},
        ]
    ),
)
ANY = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.builds(
            lambda parts: {
                "type": "object",
                "properties": parts,
                "required": list(parts),
                "additionalProperties": False,
            },
            st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
        ),
        st.builds(
            lambda part, low: {"type": "array", "items": part, "minItems": low, "maxItems": low + 1},
            inner,
            st.integers(0, 3),
        ),
        st.builds(lambda parts: {"anyOf": parts}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)


@given(ANY, st.text(max_size=30))
def test_plain_schemas_are_always_satisfied(schema, said):
    jsonschema.Draft202012Validator(schema).validate(generate_instance(schema, said, "0"))


def test_a_time_says_its_zone():
    assert re.fullmatch(r"\d\d:\d\d:\d\dZ", generate_instance({"type": "string", "format": "time"}, SAID, "0"))
