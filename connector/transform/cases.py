"""Cases of chains: an input and the expected result. `NAME.test.yaml` beside `NAME.yaml` holds a list of them.

A case is `{name, input, output | outputs | skipped | failed}` and, where needed, `variables`, `parameters`, `calls`,
`storages`, `now` and `missing`. `skipped` and `failed` are true, or a part of the reason. `calls` are the answers that
calls get, in their order.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

import orjson

from connector.errors import ConfigurationError, ConnectorError
from connector.model import JSON, Outcome, State, is_document, is_list
from connector.request.display import describe_value
from connector.suggestions import closest, did_you_mean
from connector.transform.chain import Chain, compile_chain
from connector.transform.conditions.values import same
from connector.transform.context import Context, Storage
from connector.transform.errors import Failed

__all__ = ["Case", "CaseResult", "read_cases", "read_file", "record_case", "run_case", "run_cases"]

KEYS = ("name", "input", "variables", "parameters", "calls", "storages", "now", "missing", "operation")
EXPECTED = ("output", "outputs", "skipped", "failed")


@dataclass(frozen=True, slots=True)
class Case:
    """An input with its expected result."""

    name: str
    input: JSON
    expected: tuple[str, JSON]
    given: Mapping[str, JSON] = field(default_factory=dict[str, JSON])


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of a case; the difference is empty when it passed."""

    case: str
    passed: bool
    difference: str = ""


class MemoryStorage:
    """A storage for as long as a case runs."""

    def __init__(self, values: Mapping[str, JSON]) -> None:
        self._values = dict(values)

    async def get(self, key: str) -> JSON:
        return self._values.get(key)

    async def put(self, key: str, value: JSON) -> None:
        self._values[key] = value

    async def delete(self, key: str) -> None:
        self._values.pop(key, None)


def read_cases(raw: JSON, where: str) -> list[Case]:
    """Return the cases of a file; raise ConfigurationError with every fault."""
    if not is_list(raw):
        raise ConfigurationError(f"{where}: found {describe_value(raw)}, a list of cases is needed")
    faults: list[str] = []
    cases = [_read_case(item, f"{where}[{index}]", faults) for index, item in enumerate(raw)]
    if faults:
        raise ConfigurationError("\n".join(faults))
    return cases


def _read_case(raw: JSON, where: str, faults: list[str]) -> Case:
    if not is_document(raw):
        faults.append(f"{where}: found {describe_value(raw)}, a case is an object")
        return Case(where, None, ("output", None))
    for key in raw:
        if key not in (*KEYS, *EXPECTED):
            meant = did_you_mean(closest(str(key), (*KEYS, *EXPECTED)))
            faults.append(
                f"{where}.{key}: unknown key; known: {', '.join((*KEYS, *EXPECTED))}" + (f"; {meant}" if meant else "")
            )
    expected = [(key, raw[key]) for key in EXPECTED if key in raw]
    if len(expected) != 1 or "input" not in raw:
        faults.append(f"{where}: a case has input and one of {', '.join(EXPECTED)}; found {', '.join(map(str, raw))}")
        return Case(where, None, ("output", None))
    return Case(str(raw.get("name", where)), raw["input"], expected[0], {key: raw[key] for key in KEYS if key in raw})


async def run_case(case: Case, chain: Chain) -> CaseResult:
    """Run one case against a chain."""
    difference = _compare(case, *await _run(case.input, case.given, chain))
    return CaseResult(case.name, not difference, difference)


async def record_case(given: JSON, settings: Mapping[str, JSON], chain: Chain) -> dict[str, JSON]:
    """Return what a case with an input and its settings would have to expect: the chain makes it now."""
    outputs, skipped, failed = await _run(given, settings, chain)
    if failed:
        return {"failed": failed[0]}
    if not outputs and skipped:
        return {"skipped": skipped[0]}
    return {"output": outputs[0]} if len(outputs) == 1 else {"outputs": outputs}


async def _run(given: JSON, settings: Mapping[str, JSON], chain: Chain) -> tuple[list[JSON], list[str], list[str]]:
    """Return what a chain makes of an input, and why it was skipped or failed."""
    skipped: list[str] = []
    failed: list[Failed] = []
    outputs = await chain.aapply(given, _build_context(settings, skipped, failed))
    return outputs, skipped, [str(failure) for failure in failed]


def read_file(path: Path) -> list[Case]:
    """Read the cases of one file."""
    from connector.yaml import read_yaml

    return read_cases(read_yaml(path.read_bytes(), path.name), path.name)


async def run_cases(name: str, cases: Iterable[Case], chains: Mapping[str, JSON] | None = None) -> list[CaseResult]:
    """Run cases against the saved chain of that name."""
    verdicts: list[CaseResult] = []
    for case in cases:
        try:
            chain = compile_chain([{name: case.given.get("parameters") or {}}], chains, where=case.name)
        except ConnectorError as error:
            verdicts.append(CaseResult(case.name, False, str(error)))
        else:
            verdicts.append(await run_case(case, chain))
    return verdicts


def _build_context(given: Mapping[str, JSON], skipped: list[str], failed: list[Failed]) -> Context:
    kept: Mapping[str, JSON] = given.get("storages") or {}
    storages: dict[str, Storage] = {name: MemoryStorage(values or {}) for name, values in kept.items()}
    answers = _iterate_answers(given.get("calls") or [])
    missing: Literal["error", "empty"] = "empty" if given.get("missing") == "empty" else "error"

    async def call(client: str, _: str, __: Mapping[str, JSON]) -> Outcome:
        answer = next(answers, None)
        if answer is None:
            return Outcome(State.NOT_SENT, reason=f"the case records no answer for this call of {client}")
        return Outcome(
            State(answer.get("state", "done")),
            answer.get("status", 200),
            body=answer.get("body"),
            reason=answer.get("reason", ""),
        )

    return Context(
        variables=given.get("variables") or {},
        missing=missing,
        now=lambda: datetime.fromisoformat(given.get("now") or "2026-01-01T00:00:00+00:00"),
        on_skip=lambda _, reason: skipped.append(reason),
        on_failed=lambda _, failure: failed.append(failure),
        call=call,
        storages=storages,
        concurrency=1,
    )


def _iterate_answers(recorded: list[JSON]) -> Iterator[JSON]:
    """Yield the recorded answers in their order; one with `repeat` is yielded for ever."""
    for answer in recorded:
        yield answer
        while answer.get("repeat"):
            yield answer


def _compare(case: Case, outputs: list[JSON], skipped: list[str], failed: list[str]) -> str:
    key, expected = case.expected
    if key in ("skipped", "failed"):
        return _compare_signal(
            key, expected, skipped if key == "skipped" else failed, _describe(outputs, skipped, failed)
        )
    wanted = [expected] if key == "output" else expected
    if same(outputs, wanted) and not failed:
        return ""
    if failed or (skipped and not outputs):
        return f"expected {key}, but {_describe(outputs, skipped, failed)}"
    return diff(wanted[0], outputs[0]) if len(wanted) == len(outputs) == 1 else diff(wanted, outputs)


def _compare_signal(key: str, expected: JSON, reasons: list[str], found: str) -> str:
    if expected is False:
        return f"expected not to be {key}, but {found}" if reasons else ""
    if not reasons:
        return f"expected to be {key}, but {found}"
    if isinstance(expected, str) and not any(expected in reason for reason in reasons):
        return f"expected to be {key} because {expected!r}, but {found}"
    return ""


def _describe(outputs: list[JSON], skipped: list[str], failed: list[str]) -> str:
    if failed:
        return f"it failed: {'; '.join(failed)}"
    if skipped and not outputs:
        return f"it was skipped: {'; '.join(skipped)}"
    return f"it gave {len(outputs)} document{'' if len(outputs) == 1 else 's'}: {orjson.dumps(outputs).decode()[:200]}"


def diff(expected: JSON, found: JSON) -> str:
    """Return the lines in which two values differ, with the lines around them."""
    lines = difflib.unified_diff(_format_lines(expected), _format_lines(found), "expected", "found", lineterm="", n=2)
    return "\n".join(lines)


def _format_lines(value: JSON) -> list[str]:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode().splitlines()
