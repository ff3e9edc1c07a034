"""Removed operations: each declaration is held to its cases, and every removed operation is declared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from connector.catalogue import Catalogue, Operation
from connector.declarations import folder
from connector.http import Client
from connector.model import InvalidRequest, Request
from connector.model_registry import default_registry
from connector.request.successors import FILE, Successors, find_declaration
from connector.yaml import read_yaml

CATALOGUE = Catalogue.open()
DECLARED: dict[str, Any] = read_yaml((folder("entities") / FILE).read_bytes(), "removed.yaml")["operations"]
REMOVED = {operation.wire_name: operation for operation in CATALOGUE.operations() if operation.removed}
SUCCESSORS = Successors(CATALOGUE, default_registry(), lambda: date(2026, 11, 28))
ROLES = {"SMALL": default_registry().default("small"), "EMBEDDING": default_registry().default("embedding")}


def _cases() -> Iterator[Any]:
    for name, variants in DECLARED.items():
        for variant in variants if isinstance(variants, list) else ():
            for number, case in enumerate(variant.get("cases", ())):
                yield pytest.param(REMOVED[name], variant, case, id=f"{name} -> {variant['to']} {number}")


def _filled(value: Any) -> Any:
    """The case with the models of its roles."""
    if isinstance(value, dict):
        return {name: _filled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each) for each in value]
    return ROLES.get(value, value) if isinstance(value, str) else value


def test_every_removed_operation_is_declared_and_no_other() -> None:
    assert DECLARED.keys() == REMOVED.keys()


def test_every_successor_has_cases() -> None:
    successors = [each for declared in DECLARED.values() if isinstance(declared, list) for each in declared]
    assert [each["to"] for each in successors if not each.get("cases")] == []


@pytest.mark.parametrize(("operation", "variant", "case"), list(_cases()))
def test_a_request_and_its_answer_are_translated_as_the_case_says(
    operation: Operation, variant: dict[str, Any], case: dict[str, Any]
) -> None:
    translated = SUCCESSORS.translate(operation, Request.of(case.get("request")))
    sent = {"path": translated.request.path, "query": translated.request.query, "payload": translated.request.payload}
    assert translated.operation.wire_name == variant["to"]
    assert {name: value for name, value in sent.items() if value} == _filled(case["sent"])
    left_out = [each.where for each in translated.warnings if each.allowed == "it is left out"]
    assert left_out == case.get("left_out", [])
    if "answer" in case:
        assert translated.answer(case["answer"]) == case["returned"]


@pytest.mark.parametrize(("operation", "variant", "case"), list(_cases()))
def test_what_is_sent_is_a_request_of_the_successor(
    operation: Operation, variant: dict[str, Any], case: dict[str, Any]
) -> None:
    client = Client(catalogue=CATALOGUE, environ={}, token="any", on_removed="successor", validate="strict")
    wire = client.prepare(operation, case.get("request"))
    assert wire.operation is not None
    assert wire.operation.wire_name == variant["to"]


def test_what_has_no_successor_says_what_to_do() -> None:
    for operation in REMOVED.values():
        if "none" in find_declaration(operation):
            with pytest.raises(InvalidRequest, match="it has no successor: "):
                SUCCESSORS.translate(operation, Request())


def test_an_answer_of_another_kind_stays_as_it_is() -> None:
    answer = SUCCESSORS.translate(REMOVED["GET /fine-tunes"], Request()).answer
    assert answer("text") == "text"
    assert answer(None) is None


def test_several_prompts_are_no_message() -> None:
    asked = Request(path={"engine_id": "davinci"}, payload={"prompt": ["a", "b"]})
    with pytest.raises(InvalidRequest, match=r"payload\.prompt: no single text; chat completions create takes"):
        SUCCESSORS.translate(REMOVED["POST /engines/{engine_id}/completions"], asked)


def test_a_model_that_answers_is_kept() -> None:
    asked = Request(payload={"model": "gpt-6-luna", "instruction": "fix", "input": "teh"})
    translated = SUCCESSORS.translate(REMOVED["POST /edits"], asked)
    assert translated.request.payload["model"] == "gpt-6-luna"  # type: ignore[index,call-overload]
    assert len(translated.warnings) == 1
