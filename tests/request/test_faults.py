"""Explanations of rejects: every fault at once, in words, and of a union only the branch that was meant."""

# ruff: noqa: E501 - a table of cases is read by its lines
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from connector.request.faults import explain_refusals, find_unknown_fields

FUNCTION = {
    "type": "object",
    "required": ["type", "function"],
    "properties": {
        "type": {"const": "function"},
        "function": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
    },
}
SEARCH = {
    "type": "object",
    "required": ["type", "ids"],
    "properties": {
        "type": {"enum": ["search", "search_preview"]},
        "ids": {"type": "array", "items": {"type": "string"}},
    },
}
MESSAGE = {
    "type": "object",
    "required": ["role", "content"],
    "properties": {
        "type": {"const": "message"},
        "role": {"enum": ["user", "system"]},
        "content": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/$defs/Part"}}]},
    },
}
PART = {
    "anyOf": [
        {"type": "object", "required": ["type", "text"], "properties": {"type": {"const": "text"}, "text": {"type": "string"}}},
        {"type": "object", "required": ["type", "url"], "properties": {"type": {"const": "image"}, "url": {"type": "string"}}},
    ]
}  # fmt: skip
DEFS = {"Tool": {"anyOf": [FUNCTION, {"$ref": "#/$defs/Search"}]}, "Search": SEARCH, "Message": MESSAGE, "Part": PART}


def explained(schema: dict[str, Any], value: object) -> list[str]:
    whole = {**schema, "$defs": DEFS}
    return [
        str(fault)
        for fault in explain_refusals(Draft202012Validator(whole).iter_errors(value), value, whole, "payload")
    ]


@pytest.mark.parametrize(
    ("schema", "value", "fault"),
    [
        ({"type": "integer"}, "x", "payload: found the text 'x'; an integer is allowed"),
        ({"type": ["string", "null"]}, 7, "payload: found the number 7; text or null is allowed"),
        ({"type": "object"}, [], "payload: found an array of 0 items; an object is allowed"),
        ({"type": "string"}, True, "payload: found true; text is allowed"),
        ({"enum": ["auto", "none"]}, "atuo", "payload: found 'atuo'; allowed: 'auto', 'none'; did you mean 'auto'?"),
        ({"const": "auto"}, 1, "payload: found 1; allowed: 'auto'"),
        ({"minimum": 0}, -1, "payload: found -1; at least 0 is allowed"),
        ({"maximum": 2}, 2.5, "payload: found 2.5; at most 2 is allowed"),
        ({"exclusiveMinimum": 0}, 0, "payload: found 0; more than 0 is allowed"),
        ({"exclusiveMaximum": 1}, 1, "payload: found 1; less than 1 is allowed"),
        ({"multipleOf": 2}, 3, "payload: found 3; a multiple of 2 is allowed"),
        ({"minLength": 1}, "", "payload: found 0 characters; at least 1 is allowed"),
        ({"maxLength": 3}, "four", "payload: found 4 characters; at most 3 are allowed"),
        ({"minItems": 2}, [1], "payload: found 1 item; at least 2 are allowed"),
        ({"maxItems": 1}, [1, 2], "payload: found 2 items; at most 1 is allowed"),
        ({"maxProperties": 0}, {"a": 1}, "payload: found 1 field; at most 0 are allowed"),
        ({"pattern": "^a"}, "b", "payload: found 'b'; text that matches ^a is allowed"),
        ({"uniqueItems": True}, [1, 1], "payload: found an array of 2 items; each item may stand once"),
        ({"not": {"type": "string"}}, "x", "payload: found the text 'x'; this combination is not allowed"),
        ({"required": ["a"]}, {}, "payload.a: missing; this field is required"),
        (
            {"properties": {"temperature": {}}, "additionalProperties": False},
            {"temprature": 1},
            "payload.temprature: unknown field; known here: temperature; did you mean 'temperature'?",
        ),
        ({"additionalProperties": False}, {"a b": 1}, 'payload["a b"]: unknown field; no field of that name is known here'),
        ({"additionalProperties": {"type": "integer"}}, {"1": "x"}, 'payload["1"]: found the text \'x\'; an integer is allowed'),
        ({"items": {"type": "string"}}, ["a", 2], "payload[1]: found the number 2; text is allowed"),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, "payload: its field name 'ab': found 2 characters; at most 1 is allowed"),
        ({"oneOf": [{"type": "integer"}, {"minimum": 0}]}, 1,
         "payload: found the number 1; more than one alternative is met; exactly one is allowed"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "payload.b: missing; this field is required"),
    ],
)  # fmt: skip
def test_each_reason_has_its_words(schema: dict[str, Any], value: object, fault: str) -> None:
    assert explained(schema, value) == [fault]


TOOLS = {"properties": {"tools": {"type": "array", "items": {"$ref": "#/$defs/Tool"}}}}
MESSAGES = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/$defs/Message"}}]}


@pytest.mark.parametrize(
    ("schema", "value", "faults"),
    [
        (TOOLS, {"tools": [{"type": "function", "function": {}}]}, ["payload.tools[0].function.name: missing; this field is required"]),
        (TOOLS, {"tools": [{"type": "search", "ids": [1]}]}, ["payload.tools[0].ids[0]: found the number 1; text is allowed"]),
        (TOOLS, {"tools": [{"type": "serch", "ids": []}]},
         ["payload.tools[0].type: found 'serch'; allowed: 'function', 'search', 'search_preview'; did you mean 'search'?"]),
        (TOOLS, {"tools": ["search"]}, ["payload.tools[0]: found the text 'search'; an object is allowed"]),
        (TOOLS, {"tools": {}}, ["payload.tools: found an object; an array is allowed"]),
        (TOOLS, {"tools": [{"function": {"name": "x"}}]}, ["payload.tools[0].type: missing; this field is required"]),
        (MESSAGES, 7, ["payload: found the number 7; text or an array is allowed"]),
        (MESSAGES, [{"role": "usr", "content": "x"}],
         ["payload[0].role: found 'usr'; allowed: 'user', 'system'; did you mean 'user'?"]),
        (MESSAGES, [{"role": "user", "content": 7}], ["payload[0].content: found the number 7; text or an array is allowed"]),
        (MESSAGES, [{"role": "user", "content": [{"type": "image", "url": 1}, {"type": "txt"}]}],
         ["payload[0].content[0].url: found the number 1; text is allowed",
          "payload[0].content[1].type: found 'txt'; allowed: 'text', 'image'; did you mean 'text'?"]),
        ({"anyOf": [{"enum": ["auto", "none"]}, {"$ref": "#/$defs/Tool"}]}, "autoo",
         ["payload: found 'autoo'; allowed: 'auto', 'none'; did you mean 'auto'?"]),
        ({"anyOf": [{"type": "string", "enum": ["auto"]}, {"$ref": "#/$defs/Tool"}]}, {"type": "function", "function": {"name": 1}},
         ["payload.function.name: found the number 1; text is allowed"]),
        ({"anyOf": [{"const": "a"}, {"const": "b"}]}, "c", ["payload: found 'c'; allowed: 'a', 'b'"]),
        ({"anyOf": [{"type": "integer", "maximum": 3}, {"type": "null"}]}, 4, ["payload: found 4; at most 3 is allowed"]),
        ({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "integer"}}]}, [1, 2, "x"],
         ["payload[2]: found the text 'x'; an integer is allowed"]),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, 1, ["payload: found the number 1; text or null is allowed"]),
        ({"anyOf": [{"type": "number"}, {"type": "integer"}, {"type": "boolean"}]}, "x",
         ["payload: found the text 'x'; a number or true or false is allowed"]),
    ],
)  # fmt: skip
def test_a_union_is_narrowed_to_what_was_meant(schema: dict[str, Any], value: object, faults: list[str]) -> None:
    assert explained(schema, value) == faults


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["function", "search", "text", "user", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "function", "ids", "role", "content", "name", "text", "1"]), inner)
    ),
    max_leaves=12,
)


@given(JSON_VALUES)
@settings(max_examples=300)
def test_whatever_is_refused_has_a_reason_at_a_place(value: object) -> None:
    schema = {
        "anyOf": [{"$ref": "#/$defs/Tool"}, {"type": "array", "items": {"$ref": "#/$defs/Message"}}],
        "$defs": DEFS,
    }
    faults = explained(schema, value)
    assert bool(faults) is not Draft202012Validator(schema).is_valid(value)
    assert len(set(faults)) == len(faults)
    assert all(fault.startswith("payload") and "; " in fault for fault in faults)


def test_unknown_fields_are_found_in_the_branch_that_was_meant() -> None:
    shut = {**FUNCTION, "additionalProperties": False}
    schema = {"anyOf": [shut, {**SEARCH, "additionalProperties": False}], "$defs": DEFS}
    value = {"type": "function", "function": {"name": "x"}, "idz": []}
    [fault] = find_unknown_fields(Draft202012Validator(schema).iter_errors(value), value, schema, "payload")
    assert str(fault) == "payload.idz: unknown field; known here: type, function"
    assert not fault.is_misspelt


@pytest.mark.parametrize("secret", ["sk-proj-abcdefghijklmnop1234", "Bearer abcdefghijklmnop"])
def test_what_looks_like_a_secret_is_not_repeated(secret: str) -> None:
    assert explained({"type": "integer"}, secret) == ["payload: found the text a hidden text; an integer is allowed"]


def test_what_stands_where_secrets_do_is_not_repeated() -> None:
    schema = {"properties": {"api_key": {"enum": ["x"]}, "max_tokens": {"type": "integer"}}}
    assert explained(schema, {"api_key": "hunter2", "max_tokens": "5"}) == [
        "payload.api_key: found a hidden text; allowed: 'x'",
        "payload.max_tokens: found the text '5'; an integer is allowed",
    ]


def test_long_values_and_lists_are_shortened() -> None:
    [fault] = explained({"enum": [f"choice {number}" for number in range(40)]}, "x" * 500)
    assert len(fault) < 300
    assert "… (28 more)" in fault


@pytest.mark.parametrize(
    ("operation", "payload", "faults"),
    [
        ("POST /chat/completions", {"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": 1}}]}]},
         ["payload.messages[0].content[0].image_url.url: found the number 1; text is allowed"]),
        ("POST /chat/completions", {"model": "m", "messages": [{"role": "user", "content": "x"}], "tool_choice": "atuo"},
         ["payload.tool_choice: found 'atuo'; allowed: 'none', 'auto', 'required'; did you mean 'auto'?"]),
        ("POST /responses", {"model": "m", "input": [{"type": "message", "role": "user", "content": 3}]},
         ["payload.input[0].content: found the number 3; text or an array is allowed"]),
        ("POST /embeddings", {"model": "m", "input": [1, 2, "x"]}, ["payload.input[2]: found the text 'x'; an integer is allowed"]),
        ("POST /moderations", {"input": [{"type": "image_url", "image_url": "x"}]},
         ["payload.input[0].image_url: found the text 'x'; an object is allowed"]),
        ("POST /chat/completions", [1], ["payload: found an array of 1 item; an object is allowed"]),
        ("POST /conversations/{conversation_id}/items", 7, ["payload: found the number 7; an object is allowed"]),
    ],
)  # fmt: skip
def test_real_payloads_are_explained(
    operation: str, payload: object, faults: list[str], faults_of: Callable[..., list[str]]
) -> None:
    path = {"conversation_id": "c"} if "{" in operation else {}
    assert faults_of(operation, {"payload": payload, "path": path}) == faults
