"""JMESPath in placeholders: what the `jmespath` package finds, this finds, by cases of every feature and by chance."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError

from connector.transform import Context, Scope, Unfit, compile_template
from connector.transform.expression import compile_jmespath
from connector.transform.expression.budget import GROWTH, size_within
from connector.transform.expression.growth import bound_size
from connector.transform.expression.jmespath import parse_jmespath

PEOPLE: dict[str, Any] = {
    "people": [
        {"name": "Bob", "age": 30, "tags": ["a", "b"], "on": True},
        {"name": "Zoë", "age": 25, "tags": [], "on": False},
        {"name": "Al", "age": 41.5, "tags": ["c"], "address": {"city": "Oslo"}},
        {"name": None, "age": "x"},
    ],
    "ops": {"one": {"n": 1}, "two": {"n": 2}, "three": {"m": 3}},
    "matrix": [[1, 2, [3]], [4], 5, []],
    "empty": {"list": [], "object": {}, "text": "", "null": None, "zero": 0, "false": False},
    "strings": ["b", "a", "c"],
    "numbers": [3, 1, 2.5, -7],
    "a-b": {"c.d": 1},
    "type": "object",
}
EXPRESSIONS = (Path(__file__).parent / "expressions.txt").read_text(encoding="utf-8").splitlines()
"""A line for each use of each feature, and each kind of mistake."""


def by_the_package(expression: str, document: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return jmespath.search(expression, document)


def both(expression: str, document: Any) -> tuple[Any, Any]:
    """What the package finds and what we find; an exception's type stands for an error."""
    try:
        theirs = by_the_package(expression, document)
    except (JMESPathError, TypeError, ValueError, OverflowError):
        theirs = Unfit
    try:
        ours = compile_jmespath(expression)(document)
    except Unfit:
        ours = Unfit
    return theirs, ours


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_feature_gives_what_the_package_gives(expression: str) -> None:
    theirs, ours = both(expression, PEOPLE)
    assert ours == theirs
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("expression", [part for part in EXPRESSIONS if part != "@"])
def test_a_placeholder_gives_what_the_package_gives(expression: str) -> None:
    theirs, _ = both(expression, PEOPLE)
    if theirs is Unfit:
        return
    assert compile_template(f"?{{{expression}}}").resolve(PEOPLE, Scope(Context())) == theirs


def test_slices_with_step_zero_are_our_error() -> None:
    with pytest.raises(Unfit, match="a slice with step 0"):
        compile_jmespath("people[::0]")


names = st.sampled_from(["a", "b", "c", "d"])
leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-5, 5) | st.text("abé", max_size=3)
documents = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=16
)
literals = st.sampled_from(["`1`", "`0`", "`true`", "`null`", "'a'", "`[]`", "`{}`", "``", '`[1, "a"]`', "@", "`-2.5`"])


def joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, inner)
    comparators = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    indices = st.sampled_from(["[0]", "[-1]", "[1:]", "[::-1]", "[:2]", "[]", "[*]", ".*"])
    functions = st.sampled_from(
        [
            "abs",
            "avg",
            "ceil",
            "floor",
            "length",
            "keys",
            "max",
            "min",
            "not_null",
            "reverse",
            "sort",
            "sum",
            "to_array",
            "to_number",
            "to_string",
            "type",
            "values",
        ]
    )
    return st.one_of(
        pairs.map(lambda p: f"{p[0]}.{p[1]}" if p[1][0].isalpha() else f"({p[0]}) | {p[1]}"),
        pairs.map(lambda p: f"({p[0]}) || ({p[1]})"),
        pairs.map(lambda p: f"({p[0]}) && ({p[1]})"),
        pairs.map(lambda p: f"[{p[0]}, {p[1]}]"),
        pairs.map(lambda p: f"{{x: {p[0]}, y: {p[1]}}}"),
        pairs.map(lambda p: f"({p[0]})[?{p[1]}]"),
        pairs.map(lambda p: f"contains({p[0]}, {p[1]})"),
        pairs.map(lambda p: f"map(&({p[0]}), {p[1]})"),
        pairs.map(lambda p: f"sort_by({p[1]}, &({p[0]}))"),
        pairs.map(lambda p: f"max_by({p[1]}, &({p[0]}))"),
        pairs.map(lambda p: f"merge({p[1]}, {p[0]})"),
        pairs.map(lambda p: f"join({p[1]}, {p[0]})"),
        st.tuples(inner, comparators, inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
        st.tuples(inner, indices).map(lambda p: f"({p[0]}){p[1]}"),
        st.tuples(functions, inner).map(lambda p: f"{p[0]}({p[1]})"),
        inner.map(lambda e: f"!({e})"),
    )


expressions = st.recursive(names | literals, joined, max_leaves=6)


@settings(max_examples=600)
@given(expressions, documents)
def test_any_expression_gives_what_the_package_gives(expression: str, document: Any) -> None:
    theirs, ours = both(expression, document)
    assert ours == theirs
    assert repr(ours) == repr(theirs)


def assert_within_bound(expression: str, document: Any) -> None:
    try:
        result = compile_jmespath(expression)(document)
    except Unfit:
        return
    size, whole = (size_within(value, math.inf, math.inf) for value in (result, document))
    assert size is not None
    assert whole is not None
    bound = bound_size(parse_jmespath(expression))
    assert size <= bound.factor * whole + bound.constant


@settings(max_examples=300)
@given(expressions, documents)
def test_no_result_is_larger_than_its_expression_tells(expression: str, document: Any) -> None:
    assert_within_bound(expression, document)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_no_result_of_a_feature_is_larger_than_its_expression_tells(expression: str) -> None:
    assert_within_bound(expression, PEOPLE)


@pytest.mark.parametrize(
    ("expression", "most"),
    [
        ("messages[?role=='user'].content", 1),
        ("messages[*].{role: role, content: content}", 8),
        ("join(', ', tags)", 3),
        ("{id: id, name: customer.name, texts: messages[*].content}", 3),
    ],
)
def test_what_people_write_need_not_be_measured(expression: str, most: float) -> None:
    assert bound_size(parse_jmespath(expression)).factor <= most


@pytest.mark.parametrize("expression", ["[@, @] | [@, @] | [@, @] | [@, @] | [@, @]", "join(a, b)", "to_string(@)"])
def test_what_may_grow_is_measured(expression: str) -> None:
    assert bound_size(parse_jmespath(expression)).factor > GROWTH


@pytest.mark.parametrize("expression", ["`1e999`", "[`1e999`]", "a == `[-1e999]`"])
def test_a_literal_that_is_no_number_of_json_is_refused(expression: str) -> None:
    with pytest.raises(Unfit, match="inf, a number that JSON does not have"):
        compile_jmespath(expression)
