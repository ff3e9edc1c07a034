"""Result and error expressions: what is carried over says what feelin says; the rest is refused where it stands."""

from __future__ import annotations

from typing import Any

import pytest

from connector.hosts.camunda.feel import FeelFault, parse_expression
from tests.hosts.camunda.rig import judge

NAMES: dict[str, Any] = {
    "response": {
        "status": 200, "headers": {"x": "1"},
        "body": {
            "choices": [{"message": {"content": "Hi"}}, {"message": {"content": "Ho"}}], "n": None,
            "usage": {"total_tokens": 12.5},
        },
    },
    "error": None, "a": 3, "b": -2.5, "s": "Hello", "t": True, "l": [1, 2, 3], "e": [],
    "c": {"x": 1, "y": {"z": "q"}}, "job": {"retries": 3},
}  # fmt: skip
ATOMS = (
    "1", "0", "-2.5", '"a"', '"Hello"', "true", "false", "null", "a", "b", "s", "t", "l", "e", "c", "missing",
    "response.status", "c.y.z", "l[1]", "[1,2]", "{x: 1}", "error.code",
)  # fmt: skip
NUMBERS = ("1", "0", "-2.5", "a", "b", "response.status", "l[1]")
TEXTS = ('"a"', '"Hello"', "s", "c.y.z", '""')
ONE, TWO = ("not", "upper case", "lower case", "string length", "count"), (
    "contains", "starts with", "ends with", "substring before", "substring after", "append", "concatenate",
    "list contains", "get value",
)  # fmt: skip
WHOLE = (
    "response.body.choices[1].message.content", "response.body.choices[-1].message.content",
    "response.body.choices.message.content", "{a: 1, b: a + 1}", "true or false and false",
    "false and true or true", '{"x y": 2}', "{a: {b: 1}}.a.b",
    'if a > 2 then "x" else "y"', "if null then 1 else 2", "1 + 2 * 3 - 4 / 2", "2 ** 3 ** 2", "-2 ** 2", "- a",
    "(1 + 2) * 3", "a > 1 and a < 5 or t", "not(a = 3)", '"a\\n\\"b\\u00e9"',
    "if a = 3 then if t then 1 else 2 else 3", '"x" + string(a)', '"x" + s', ".5 + 1", "[1, [2, 3]]", "c.x.y", "s.x",
    "{}", "[]", "// c\n1", "/* c */ 1 ", "7 - -3", "a - 1", "a -1", "a-1", "10/4",
    "1/3", "0.1+0.2", "l[0]", "l[4]", "l[-3]", "l[-4]", "l[a]", 'substring("Hello", 2)', 'substring("Hello", 2, 3)',
    'substring("Hello", -3, 2)', 'string join(["a", "b"], ", ")', 'string join(["a", "b"])', "string(1.50)",
    "string(true)", 'number("1.0")', 'number("x")', '"ä" < "b"',
    "{reply: response.body.choices[1].message.content, tokens: response.body.usage.total_tokens}",
    'bpmnError("A", "b", {x: 1})', 'if response.status = 200 then null else bpmnError("X","y",{z: 1})',
    'jobError("m", {}, job.retries - 1, "PT1S")', 'jobError("m", {why: error.code}, 0, "PT1M")',
)  # fmt: skip
EXPRESSIONS = (
    *(f"{one} {sign} {other}" for one in ATOMS for sign in ("+", "-", "*", "/", "**", "and", "or") for other in ATOMS),
    *(f"{one} {sign} {other}" for one in ATOMS for sign in ("=", "!=") for other in ATOMS),
    *(
        f"{one} {sign} {other}"
        for sign in ("<", "<=", ">", ">=")
        for kind in (NUMBERS, TEXTS) for one in kind for other in kind
    ),
    *(f"{name}({one})" for name in ONE for one in ATOMS),
    *(f"{name}({one}, {other})" for name in TWO for one in ATOMS for other in ATOMS),
    *WHOLE,
)  # fmt: skip
EMPTY = (("l", "e"), ("e", "l"), ("e", "[1,2]"), ("[1,2]", "e"))
DIFFERENT = frozenset(f"{one} {sign} {other}" for sign in ("=", "!=") for one, other in EMPTY) | {
    "list contains([1,2], e)", "list contains({x: 1}, {x: 1})", "list contains(l, e)",
}  # fmt: skip
"""A list that is compared with an empty one: feelin says null; the cluster, and we, say false."""


def test_feelin_says_the_same() -> None:
    asked = [text for text in EXPRESSIONS if text not in DIFFERENT]
    assert len(asked) > 8000
    others = judge("feelin.mjs", [[text, NAMES] for text in asked])
    assert len(others) == len(asked)
    found = [
        (text, _ours(text), other) for text, other in zip(asked, others, strict=True) if not _same(_ours(text), other)
    ]
    assert found == []


def test_a_comparison_of_kinds_that_have_no_order_is_null() -> None:
    """As FEEL has it; feelin answers in several ways."""
    assert [parse_expression(text).evaluate({}) for text in ('1 < "a"', "true < 2", "null > 1", "[1] < 2")] == [
        None
    ] * 4


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("is defined(c.x)", True), ("is defined(c.q)", False), ("is defined(response.body.n)", True),
        ("is defined(missing)", False), ("`a`", 3), ("if a then 1 else 2", 2), ('substring("Hello", -9, 9)', "Hello"),
        ("number(3)", 3), ("= a", 3), (" = {x: a}", {"x": 3}), ('@"PT5S"', "PT5S"), ('duration("P1D")', "P1D"),
        ("1 / 0", None), ('get or else(error.code, "none")', "none"), ("is empty(e)", True), ("is empty(l)", False),
        ("get or else(a, 1) + 1", 4), ("4 / 2", 2),
        ("ignoreError({x: 1})", {"errorType": "ignoreError", "variables": {"x": 1}}),
        ("2 ** 5000", None), ("missing.a.b[1]", None), ('jobError("m")', {"errorType": "jobError", "message": "m",
         "variables": {}, "retries": None, "retryBackoff": None}),
    ],
)  # fmt: skip
def test_what_feelin_does_not_know_or_says_otherwise(text: str, value: Any) -> None:
    assert parse_expression(text).evaluate(NAMES) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("for x in l return x", "column 1: loops over lists is not carried over"),
        ("some x in l satisfies x > 1", "column 1: `some … satisfies` is not carried over"),
        ("a between 1 and 2", "column 3: `between` is not carried over"),
        ("a in [1..3]", "column 3: `in` is not carried over"),
        ("l[item > 1]", "column 2: filters of lists are not carried over"),
        ("[1..3]", "column 3: ranges are not carried over"),
        ("function(x) x", "column 1: functions of one's own is not carried over"),
        ("a instance of number", "column 3: `instance of` is not carried over"),
        ('@"2026-01-01"', "column 1: @'2026-01-01' is no duration; dates and times are not carried over"),
        ("substring(string: s, start position: 1)", "arguments by name are not carried over"),
        ("now()", "column 1: the function 'now' is not carried over"),
        ("uper case(s)", "did you mean 'upper case'"),
        ("1 +", "column 4: found the end; a value is missing"),
        ("1 2", "column 3: found '2'; an operator or the end is allowed"),
        ("{a 1}", "column 4: found '1'; ':' is missing"),
        ("if a then 1", "column 12: found the end; 'else' is missing"),
        ("'a'", 'column 1: "\'"; texts stand in double quotes'),
        ('"a', "column 1: a text that does not end"),
        ("a.\n 1 .b", "line 2, column 2: found '1'; a name is allowed behind a point"),
        ("substring(s)", "column 1: substring is given 1; it takes 2 to 3"),
        ("(" * 70 + "1" + ")" * 70, "more than 60 levels; write it flatter"),
        ("-" * 90 + "1", "more than 60 levels"),
        ("a" * 20_001, "20,001 characters; up to 20,000 are allowed"),
        ("", "column 1: found the end"),
    ],
)
def test_what_is_not_carried_over_is_refused_where_it_stands(text: str, said: str) -> None:
    with pytest.raises(FeelFault) as raised:
        parse_expression(text)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bpmnError(1, s)", "column 1: bpmnError: the code is 1, a text is allowed"),
        ("bpmnError(s, error)", "bpmnError: the message is null, a text is allowed"),
        ("bpmnError(s, s, l)", "bpmnError: the variables are [1,2,3], a context is allowed"),
        ("jobError(s, {}, 1.5)", "jobError: the retries are 1.5, a whole number is allowed"),
        ('jobError(s, {}, 1, "soon")', 'jobError: the time is "soon", a duration such as @"PT10S" is allowed'),
    ],
)
def test_a_verdict_of_wrong_values_is_told(text: str, said: str) -> None:
    with pytest.raises(FeelFault) as raised:
        parse_expression(text).evaluate(NAMES)
    assert said in str(raised.value)


def _ours(text: str) -> Any:
    try:
        return {"value": parse_expression(text).evaluate(NAMES)}
    except FeelFault as fault:
        return {"fault": str(fault)}


def _same(one: Any, other: Any) -> bool:
    """Whether two answers are the same, numbers up to their last digits."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return bool(abs(one - other) <= 1e-9 * max(1, abs(one)))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other
