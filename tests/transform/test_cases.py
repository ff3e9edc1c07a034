"""Cases of chains: what passes, what does not, and how the difference reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.errors import ConfigurationError
from connector.transform.cases import read_cases, read_file, run_cases

CHAINS: dict[str, Any] = {
    "shape": {
        "parameters": {"factor": {"type": "integer", "default": 1}},
        "steps": [
            {"data": {"filters": [{"key-exists-condition": "n"}]}},
            {"value-setter": {"configurations": {"n": ["&{n}", "@{parameters.factor}"], "by": "?{who}@{variables.v}"}}},
            {"value-mapper": {"accessor": "n", "mappers": [{"operator": "multiplication"}]}},
        ],
    },
    "split": ["shape", {"brancher": "parts.*"}],
    "ask": [
        {"openai": {"entity": "x", "payload": "@{now}", "destination": "a"}},
        {"storage-get-entity-from-storage": {"storage": "s", "storageKey": "&{k}", "destination": "b"}},
    ],
}


async def differences(name: str, *cases: Any) -> list[str]:
    given = [{"name": f"case {number}", **case} for number, case in enumerate(cases)]
    verdicts = await run_cases(name, read_cases(given, "x.test.yaml"), CHAINS)
    assert all(verdict.passed is (verdict.difference == "") for verdict in verdicts)
    return [verdict.difference for verdict in verdicts]


async def test_cases_that_pass() -> None:
    assert (
        await differences(
            "shape",
            {"input": {"n": "2"}, "variables": {"v": "!"}, "output": {"n": 2, "by": "!"}},
            {"input": {"n": 2}, "variables": {"v": 1}, "parameters": {"factor": 3}, "output": {"by": "1", "n": 6.0}},
            {"input": {}, "skipped": True},
            {"input": {}, "skipped": "key-exists-condition"},
            {"input": {"n": "x"}, "variables": {"v": ""}, "failed": "a number is needed"},
            {"input": {"n": 1}, "failed": "@{variables.v} is not set"},
            {"input": {"n": 1}, "missing": "empty", "failed": False},
        )
        == [""] * 7
    )
    parts = {"n": 1, "parts": [{"a": 1}, {"a": 2}]}
    assert await differences("split", {"input": parts, "variables": {"v": ""}, "outputs": [{"a": 1}, {"a": 2}]}) == [""]


async def test_recorded_answers_and_storages_stand_in() -> None:
    case = {
        "input": {"k": "é"},
        "calls": [{"body": "hi"}],
        "storages": {"s": {"é": [1]}},
        "output": {"k": "é", "a": "hi", "b": [1]},
    }
    refused = {
        "input": {"k": 1},
        "calls": [{"state": "refused", "status": 400, "reason": "no"}],
        "failed": "refused with status 400: no",
    }
    unrecorded = {"input": {"k": 1}, "failed": "the case records no answer for this call of openai"}
    assert await differences("ask", case, refused, unrecorded) == [""] * 3


async def test_a_difference_shows_the_lines_that_differ() -> None:
    (text,) = await differences(
        "shape", {"input": {"n": 2, "a": 1}, "variables": {"v": ""}, "output": {"a": 1, "by": "", "n": 3}}
    )
    assert text.splitlines() == [
        "--- expected",
        "+++ found",
        "@@ -2,4 +2,4 @@",
        '   "a": 1,',
        '   "by": "",',
        '-  "n": 3',
        '+  "n": 2',
        " }",
    ]


async def test_a_wrong_end_is_told_in_words() -> None:
    fit = {"variables": {"v": ""}}
    assert await differences(
        "shape",
        {"input": {}, "output": {}},
        {"input": {"n": "x"}, "output": {}, **fit},
        {"input": {"n": 1}, "skipped": True, **fit},
        {"input": {}, "failed": True},
        {"input": {}, "skipped": "another reason"},
        {"input": {}, "skipped": False},
    ) == [
        "expected output, but it was skipped: transformers/steps".replace("transformers/steps", DROPPED),
        "expected output, but it failed: chains.shape.steps[2]: multiplication".replace("multiplication", UNFIT),
        'expected to be skipped, but it gave 1 document: [{"n":1,"by":""}]',
        f"expected to be failed, but it was skipped: {DROPPED}",
        f"expected to be skipped because 'another reason', but it was skipped: {DROPPED}",
        f"expected not to be skipped, but it was skipped: {DROPPED}",
    ]


DROPPED = "chains.shape.steps[0].data.filters[0]: key-exists-condition does not hold"
UNFIT = "found the text 'x', a number is needed"


async def test_a_chain_with_faults_fails_its_cases() -> None:
    (text,) = await differences("shape", {"input": {}, "parameters": {"fator": 1}, "output": {}})
    assert "case 0[0].shape.fator: unknown parameter; there are factor; did you mean 'factor'?" in text


def test_a_file_that_holds_no_cases_is_refused_with_all_reasons(tmp_path: Path) -> None:
    path = tmp_path / "shape.test.yaml"
    path.write_text(
        "- {name: a, input: 1, output: 2, skiped: true}\n- {input: 1}\n- 5\n- {input: 1, output: 1, failed: true}\n"
    )
    with pytest.raises(ConfigurationError) as caught:
        read_file(path)
    assert str(caught.value).splitlines() == [
        "shape.test.yaml[0].skiped: unknown key; known: name, input, variables, parameters, calls, storages, now, "
        "missing, operation, output, outputs, skipped, failed; did you mean 'skipped'?",
        "shape.test.yaml[1]: a case has input and one of output, outputs, skipped, failed; found input",
        "shape.test.yaml[2]: found the number 5, a case is an object",
        "shape.test.yaml[3]: a case has input and one of output, outputs, skipped, failed; found input, output, failed",
    ]
    with pytest.raises(ConfigurationError, match="a list of cases is needed"):
        read_cases({"input": 1}, "x")


async def test_a_file_of_cases_is_read_and_run(tmp_path: Path) -> None:
    path = tmp_path / "shape.test.yaml"
    path.write_text("- name: é\n  input: {n: 4}\n  variables: {v: x}\n  output: {n: 4, by: x}\n", encoding="utf-8")
    (verdict,) = await run_cases("shape", read_file(path), CHAINS)
    assert (verdict.case, verdict.passed) == ("é", True)
