"""Headers: the operation's, and the caller's own as far as they are the caller's to give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector.catalogue.operation import Operation
from connector.request.headers import Headers
from connector.request.plan import choose_accept, find_constant_headers
from connector.request.validation import Findings, Validate

Declared = Callable[..., Operation]


def resolved(operation: Operation, given: dict[str, Any]) -> tuple[dict[str, str], Findings]:
    findings = Findings()
    return Headers(operation, find_constant_headers(operation)).resolve(given, Validate.STRICT, findings), findings


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({"answer": {"json": "X"}}, "application/json"),
        ({"answer": {"json": "X", "events": "Y"}}, "application/json"),
        ({"answer": {"events": "Y"}}, "text/event-stream"),
        ({"answer": {"binary": None}}, "application/octet-stream"),
        ({"answer": {"binary": None}, "method": "GET"}, "application/binary"),
        ({"answer": {"empty": None}}, "*/*"),
        ({"answer": {"text": None}}, "text/plain, */*"),
        ({"answer": {"text": None}, "body": ("multipart", "sdp")}, "application/sdp"),
        ({}, "application/json"),
    ],
)
def test_the_answer_s_kind_is_asked_for(fields: dict[str, Any], kinds: str, operation: Declared) -> None:
    assert choose_accept(operation(**fields)) == kinds


def test_the_caller_s_headers_win_whatever_their_case(operation: Declared) -> None:
    headers, findings = resolved(operation(beta="a=v1"), {"ACCEPT": "text/csv", "OpenAI-Beta": "a=v2", "X-Number": 7})
    assert headers == {"accept": "text/csv", "openai-beta": "a=v2", "x-number": "7"}
    assert findings == Findings()


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "HOST",
        "content-length",
        "Transfer-Encoding",
        "connection",
        "api-key",
        "Proxy-Authorization",
        "TE",
    ],
)
def test_headers_that_are_the_client_s_are_refused_with_what_to_use(name: str, operation: Declared) -> None:
    _, findings = resolved(operation(), {name: "x"})
    [fault] = findings.faults
    assert (fault.where, fault.found) == (f"headers.{name}", "not a caller's to set")
    assert fault.allowed.startswith("use ")


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\0", "\x7f", "\ud800", True, {"a": 1}, ["a"], b"x"])
def test_values_that_are_not_one_line_of_text_are_refused(value: object, operation: Declared) -> None:
    headers, findings = resolved(operation(), {"x-a": value})
    assert "x-a" not in headers
    assert [fault.where for fault in findings.faults] == ["headers.x-a"]


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "ä", "a\0"])
def test_names_that_are_no_tokens_are_refused(name: str, operation: Declared) -> None:
    assert len(resolved(operation(), {name: "x"})[1].faults) == 1


def test_a_header_given_twice_is_refused(operation: Declared) -> None:
    _, findings = resolved(operation(), {"X-A": "1", "x-a": "2"})
    assert [str(fault) for fault in findings.faults] == [
        "headers.x-a: given twice, as 'X-A' too; one of them is allowed"
    ]


def test_betas_are_a_list_or_a_line_and_are_checked(operation: Declared) -> None:
    declared = operation(
        headers={"openai-beta": {"type": "array", "items": {"type": "string", "enum": ["a=v1", "b=v1"]}}}
    )
    for value in (["a=v1", "b=v1"], "a=v1,b=v1"):
        headers, findings = resolved(declared, {"betas": value})
        assert headers["openai-beta"] == "a=v1,b=v1"
        assert not findings.faults
    _, findings = resolved(declared, {"betas": ["c=v1"]})
    assert [str(fault) for fault in findings.faults] == [
        "headers.betas[0]: found 'c=v1'; allowed: 'a=v1', 'b=v1'; did you mean 'b=v1' or 'a=v1'?"
    ]
    assert "openai-beta" not in resolved(declared, {"betas": []})[0]


def test_betas_where_there_are_none_are_a_fault(operation: Declared) -> None:
    assert [fault.where for fault in resolved(operation(), {"betas": ["x"]})[1].faults] == ["headers.betas"]


def test_a_declared_header_that_is_misspelt_is_pointed_out(operation: Declared) -> None:
    declared = operation(headers={"Idempotency-Key": {"type": "string"}})
    headers, findings = resolved(declared, {"idempotencykey": "x"})
    assert headers["idempotencykey"] == "x"
    assert [warning.suggestion for warning in findings.warnings] == ["did you mean 'idempotency-key'?"]
