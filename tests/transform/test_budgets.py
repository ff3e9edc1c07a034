"""What would run away is stopped: clearly, in under a second, and before memory grows."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest

from connector.transform import Failed, InvalidChain, Unfit, compile_chain
from connector.transform.expression import compile_jmespath
from connector.transform.regex import compile_regex
from tests.timing import slowness, within

MEGABYTES = 200


def refusal(run: Callable[[], object]) -> Failed | Unfit:
    """Return the error that says what was stopped."""
    with pytest.raises((Failed, Unfit)) as caught:
        run()
    return caught.value


DOUBLED = " | ".join(["[@, @]"] * 60)
HOSTILE: list[tuple[str, Any, str]] = [
    (DOUBLED, {"a": 1}, "more than 4194304 bytes, its budget"),
    (" | ".join(["{a: @, b: @}"] * 40), 1, "bytes, its budget"),
    (" | ".join(["[@, @][]"] * 40), [1], "visits more than"),
    (" | ".join(["join('', [@, @])"] * 40), "abcdefg", "budget"),
    (f"to_string({DOUBLED})", {"a": 1}, "to_string() is given a value too large"),
    (f"({DOUBLED}) == ({DOUBLED})", {"a": 1}, "compares values too large"),
    (f"contains([{DOUBLED}], {DOUBLED})", {"a": 1}, "contains() is given a value too large"),
    ("a[*].b[*].c[*].d[*]", {"a": [{"b": [{"c": [{"d": [1] * 60}] * 60}] * 60}] * 60}, "visits more than"),
    ("sort_by(@, &sort_by(@, &@)[0])", [[1] * 2000] * 2000, "visits more than"),
    ("map(&map(&map(&@, @), @), @)", [[[1] * 200] * 200] * 200, "visits more than"),
    ("to_number('1e999')", {}, "inf, a number that JSON does not have"),
    ("ceil(to_number('1e999'))", {}, "inf, a number"),
    ("[to_number('nan')]", {}, "nan, a number that JSON does not have"),
]


@pytest.mark.parametrize(("expression", "document", "reason"), HOSTILE)
def test_an_expression_that_runs_away_is_stopped(expression: str, document: Any, reason: str) -> None:
    chain = compile_chain([{"expression": {"expression": expression, "destination": "r"}}])
    told = str(within(2, lambda: refusal(lambda: chain.apply(document))))
    assert reason in told or "takes more than 0.5 s, its budget" in told  # on a slow machine time may be up first


ALONE = """
import json, re, sys
from pathlib import Path
from connector.transform import Unfit
from connector.transform.expression import compile_jmespath
for expression, document in json.load(sys.stdin):
    try:
        compile_jmespath(expression)(document)
    except Unfit:
        continue
    sys.exit(f"not stopped: {expression[:80]}")
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel keeps no peak elsewhere")
def test_expressions_that_run_away_take_no_memory() -> None:
    """All of them in a process of their own, whose peak is looked at."""
    given = json.dumps([case[:2] for case in HOSTILE if len(json.dumps(case[1])) < 1_000])
    ended = subprocess.run([sys.executable, "-c", ALONE], input=given, capture_output=True, text=True, check=True)
    assert int(ended.stdout) < MEGABYTES


TOO_DEEP = [
    "(" * 1000 + "a" + ")" * 1000,
    "[" * 1000 + "a" + "]" * 1000,
    "!" * 5000 + "a",
    " || ".join(["a"] * 1500),
    "`" + "[" * 3000 + "]" * 3000 + "`",
]


@pytest.mark.parametrize("expression", TOO_DEEP, ids=range(len(TOO_DEEP)))
def test_an_expression_that_nests_a_thousand_deep_is_refused(expression: str) -> None:
    told = within(1, lambda: refusal(lambda: compile_jmespath(expression)))
    assert isinstance(told, Unfit)
    assert re.search(r"nested too deeply|at most", str(told))


def test_a_long_path_is_not_deep() -> None:
    assert compile_jmespath("a" + ".b" * 1000 + "[0]" * 500)({"a": 1}) is None


def test_a_long_expression_is_refused() -> None:
    with pytest.raises(Unfit, match="at most 10000 are allowed"):
        compile_jmespath("a" * 10_001)
    with pytest.raises(Unfit, match="more than 2000 parts"):
        compile_jmespath("[" + ",".join(["a"] * 2100) + "]")


def test_large_documents_are_no_reason_to_stop() -> None:
    rows = [{"id": number, "text": "x" * 100} for number in range(60_000)]
    found = compile_jmespath("rows[?id >= `0`].{id: id, text: text}")({"rows": rows})
    assert len(found) == 60_000


RUNAWAY = [
    "(a+)+b",
    "(a|a)*b",
    "(a|aa)+b",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(.*)*(.*)*(.*)*b",
    "a{1,100}a{1,100}a{1,100}b",
]


@pytest.mark.parametrize("pattern", RUNAWAY)
def test_a_regular_expression_takes_linear_time(pattern: str) -> None:
    condition = {"value-condition": {"accessor": "t", "conditions": [{"matches": pattern}]}}
    mapper = {"value-mapper": {"accessor": "t", "mappers": [{"string-replace": {"pattern": pattern, "replace": "-"}}]}}

    def replace_and_filter() -> object:
        compile_regex.cache_clear()
        return compile_chain([mapper, {"data": {"filters": [condition]}}]).apply({"t": "a" * 30_000})

    assert within(1, replace_and_filter) == []


REFUSED = [
    ("(a", "missing )"),
    ("(?=a)b", "neither look-around nor back references"),
    (r"(a)\1", "neither look-around nor back references"),
    ("(a{1000}){1000}", "cannot be used"),
    ("((a{100}){100}){100}", "cannot be used"),
    ("a" * 1001, "at most 1000 are allowed"),
]


@pytest.mark.parametrize(("pattern", "reason"), REFUSED)
def test_a_regular_expression_that_cannot_be_linear_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        compile_regex(pattern)
    assert reason in str(caught.value)


def test_without_re2_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    compile_regex.cache_clear()
    with pytest.raises(Unfit, match="pip install google-re2"):
        compile_regex("a-pattern-nobody-uses")


def test_patterns_of_schemas_take_linear_time() -> None:
    chain = compile_chain([{"schema": {"schema": {"properties": {"t": {"pattern": "^(a+)+b$"}}}}}])
    assert isinstance(within(1, lambda: refusal(lambda: chain.apply({"t": "a" * 20_000}))), Failed)


def test_schemas_are_never_fetched() -> None:
    with pytest.raises(InvalidChain, match="nothing is fetched"):
        compile_chain([{"schema": {"schema": {"$ref": "http://127.0.0.1:1/schema.json"}}}])
    with pytest.raises(InvalidChain, match="nothing is fetched"):
        compile_chain([{"schema": {"schema": {"$ref": "file:///etc/passwd"}}}])


def test_without_jsonata_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.transform.expression.jsonata.find_spec", lambda _: None)
    with pytest.raises(InvalidChain, match="pip install jsonata-python"):
        compile_chain([{"expression": {"language": "jsonata", "expression": "a"}}])


needs_jsonata = pytest.mark.skipif(find_spec("jsonata") is None, reason="jsonata-python is not installed")


@needs_jsonata
def test_jsonata_evaluates() -> None:
    steps = [{"expression": {"language": "jsonata", "expression": "$sum(items.(price * qty))", "destination": "total"}}]
    items = [{"price": 2, "qty": 3}, {"price": 1.5, "qty": 2}]
    assert compile_chain(steps).apply({"items": items}) == [{"items": items, "total": 9}]


@needs_jsonata
@pytest.mark.parametrize(
    "expression",
    [
        "($f := function($n) { $f($n + 1) }; $f(1))",
        "$pad('a', 1000000000)",
        "$map([1..10000000], function($x) { $x })",
        "$match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', /(a+)+b/)",
    ],
)
def test_jsonata_that_runs_away_is_stopped(expression: str) -> None:
    chain = compile_chain([{"expression": {"language": "jsonata", "expression": expression}}])
    for _ in range(2):
        began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        with pytest.raises(Failed, match=r"budget|MemoryError"):
            chain.apply({})
        took = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - began
        assert took < 2 or took < 2 * slowness()


@needs_jsonata
def test_jsonata_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidChain, match="JSONata"):
        compile_chain([{"expression": {"language": "jsonata", "expression": "$sum("}}])
