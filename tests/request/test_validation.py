"""How strictly a request is checked: strict, known, warn, off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector.errors import ConfigurationError
from connector.request import Wire
from connector.request.validation import CompiledSchema, Findings, Validate

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["model"],
    "properties": {
        "model": {"type": "string"},
        "n": {"type": "integer", "maximum": 10},
        "options": {"type": "object", "properties": {"usage": {"type": "boolean"}}},
        "closed": {"type": "object", "properties": {"a": {}}, "additionalProperties": False},
        "free": {"type": "object"},
    },
}


def found(value: object, mode: Validate, schema: dict[str, Any] = SCHEMA) -> tuple[list[str], list[str]]:
    findings = Findings()
    CompiledSchema(lambda: schema).find(value, "payload", mode, findings)
    return [str(fault) for fault in findings.faults], [str(warning) for warning in findings.warnings]


UNKNOWN_TOP = "payload.modle: unknown field; known here: model, n, options, closed, free; did you mean 'model'?"
UNKNOWN_BELOW = "payload.options.usag: unknown field; known here: usage; did you mean 'usage'?"
MANY = {"modle": "x", "n": 11, "options": {"usag": True}, "closed": {"novel": 1}, "free": {"any": 1}}
NOVEL = "payload: an unknown field: payload.closed.novel; sent as they are; --validate strict refuses them"


@pytest.mark.parametrize("mode", list(Validate))
def test_a_valid_value_passes_in_silence(mode: Validate) -> None:
    assert found({"model": "x", "options": {"usage": True}, "free": {"any": 1}}, mode) == ([], [])


def test_strict_refuses_everything_unknown() -> None:
    faults, warnings = found(MANY, Validate.STRICT)
    assert sorted(faults) == [
        "payload.closed.novel: unknown field; known here: a",
        "payload.model: missing; this field is required",
        UNKNOWN_TOP,
        "payload.n: found 11; at most 10 is allowed",
        UNKNOWN_BELOW,
    ]
    assert not warnings


def test_spelling_refuses_what_is_near_a_known_name_and_lets_the_rest_pass_with_one_warning() -> None:
    faults, warnings = found(MANY, Validate.SPELLING)
    assert sorted(faults) == [
        "payload.model: missing; this field is required",
        UNKNOWN_TOP,
        "payload.n: found 11; at most 10 is allowed",
        UNKNOWN_BELOW,
    ]
    assert warnings == [NOVEL]
    both = {"model": "x", "wide_margin": 1, "options": {"colour": 1}}
    assert found(both, Validate.SPELLING) == (
        [],
        [
            "payload: 2 unknown fields: payload.options.colour, payload.wide_margin; sent as they are; "
            "--validate strict refuses them"
        ],
    )


def test_known_lets_all_unknown_fields_pass_with_one_warning() -> None:
    faults, [warning] = found({"model": "x", "modle": 1, "options": {"b2": 1}, "closed": {"b": 1}}, Validate.KNOWN)
    assert not faults
    assert warning.startswith("payload: 3 unknown fields: ")
    assert "payload.modle (did you mean 'model'?)" in warning
    assert "payload.options.b2" in warning


def test_known_still_checks_what_it_knows() -> None:
    assert found({"model": 1, "x": 1}, Validate.KNOWN)[0] == ["payload.model: found the number 1; text is allowed"]


def test_warn_makes_every_fault_a_warning() -> None:
    faults, warnings = found(MANY, Validate.WARN)
    assert not faults
    assert len(warnings) == 3


def test_off_looks_at_nothing() -> None:
    assert found(MANY, Validate.OFF) == ([], [])


def test_a_place_gets_one_opinion() -> None:
    findings = Findings()
    for _ in range(2):
        CompiledSchema(lambda: SCHEMA).find({"model": 1}, "payload", Validate.STRICT, findings)
    assert len(findings.faults) == 1


def test_the_modes_hold_for_whole_requests(prepare: Callable[..., Wire], faults_of: Callable[..., list[str]]) -> None:
    request = {"payload": {"model": "m", "messages": [{"role": "user", "content": "x"}], "n": 0, "new_field": 1}}
    assert len(faults_of("POST /chat/completions", request)) == 1
    assert len(faults_of("POST /chat/completions", request, validate="strict")) == 2
    assert faults_of("POST /chat/completions", request, validate="known") == [
        "payload.n: found 0; at least 1 is allowed"
    ]
    assert len(prepare("POST /chat/completions", request, validate="warn").warnings) == 2
    assert prepare("POST /chat/completions", request, validate="off").warnings == ()


def test_queries_follow_the_mode(prepare: Callable[..., Wire], faults_of: Callable[..., list[str]]) -> None:
    request = {"query": {"limt": 1, "order": "up"}}
    assert len(faults_of("GET /files", request)) == 2
    assert len(faults_of("GET /files", request, validate="known")) == 1
    assert len(prepare("GET /files", request, validate="warn").warnings) == 2
    assert prepare("GET /files", request, validate="off").query == (("limt", "1"), ("order", "up"))


@pytest.mark.parametrize("validate", ["warn", "off"])
def test_what_cannot_be_sent_is_refused_in_every_mode(validate: str, faults_of: Callable[..., list[str]]) -> None:
    options = {"validate": validate}
    assert faults_of("GET /models/{model}", {"path": {"model": ".."}}, **options)
    assert faults_of("GET /models", {"headers": {"x": "a\nb"}}, **options)
    assert faults_of("POST /chat/completions", {"payload": {"a": float("nan")}}, **options)
    assert faults_of("POST /files", {"payload": {"file": {"$file": "/dev/null"}}}, **options)


def test_an_unknown_mode_is_a_configuration_error(prepare: Callable[..., Wire]) -> None:
    with pytest.raises(ConfigurationError, match=r"found 'strct'; allowed: strict, spelling, known, warn, off"):
        prepare("GET /models", validate="strct")
