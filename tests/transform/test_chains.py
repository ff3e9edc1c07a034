"""Chains as they are written: short and long forms, saved chains with parameters, and every fault with its place."""

from __future__ import annotations

from typing import Any

import pytest

from connector.transform import Context, Failed, InvalidChain, compile_chain
from tests.transform.kit import check, trace_of

GREET: dict[str, Any] = {
    "summary": "Greets.",
    "parameters": {
        "name": {"type": "string", "default": "?{name}"},
        "times": {"type": "integer", "default": 1},
        "words": {"type": ["array", "string"]},
        "destination": {"type": "string", "default": "greeting"},
        "extra": {"default": None},
    },
    "steps": [
        {
            "value-setter": {
                "configurations": [
                    {
                        "key": "@{parameters.destination}",
                        "value": {"to": "@{parameters.name}", "n": "@{parameters.times}", "w": "@{parameters.words}"},
                    }
                ]
            }
        }
    ],
}
CHAINS: dict[str, Any] = {
    "greet": GREET,
    "twice": [{"greet": {"words": "hi"}}, {"greet": {"words": ["a"], "destination": "second", "name": "x&{name}"}}],
    "double": [{"value-mapper": {"accessor": "n", "mappers": [{"prepared-operator": {"operator": "addition"}}]}}],
    "quadruple": ["double", {"chain": ["double"]}],
}


def result(steps: Any, document: Any, **context: Any) -> Any:
    (out,) = compile_chain(steps, CHAINS).apply(document, Context(**context))
    return out


def faults(steps: Any, chains: Any = None) -> list[tuple[str, str]]:
    with pytest.raises(InvalidChain) as caught:
        compile_chain(steps, chains)
    return [(fault.where, str(fault)) for fault in caught.value.faults]


def test_no_steps_change_nothing() -> None:
    document = {"a": [1, {"b": "&{x}"}]}
    assert compile_chain([]).apply(document) == [document]
    assert result([], document) is document


SAME: list[Any] = [
    [{"prototype": "value-setter", "parameters": {"configurations": [{"key": "a", "value": "&{n}", "mappers": []}]}}],
    [{"meta": [], "prototype": "value-setter", "parameters": {"configurations": [{"key": "a", "value": "&{n}"}]}}],
    [{"value-setter": {"configurations": {"a": "&{n}"}}}],
    {"value-setter": {"configurations": {"a": "&{n}"}}},
    {"meta": {"name": "x"}, "value-setter": {"configurations": {"key": "a", "value": "&{n}"}}},
    [{"chain": [{"value-setter": {"configurations": [{"key": "a", "value": "&{n}"}]}}]}],
    [{"list-transformer-wrapper": {"transformers": [{"value-setter": {"configurations": {"a": "&{n}"}}}]}}],
    [{"data": {"transformers": [{"value-setter": {"configurations": {"a": "&{n}"}}}]}}],
    [{"data": {"filters": [], "steps": {"value-setter": {"configurations": {"a": "&{n}"}}}}}],
]


@pytest.mark.parametrize("steps", SAME, ids=range(len(SAME)))
def test_one_meaning_in_many_spellings(steps: Any) -> None:
    assert result(steps, {"n": 1}) == {"n": 1, "a": 1}


def test_camel_case_and_snake_case_are_one() -> None:
    for name in ("nodeTransformers", "node_transformers", "steps"):
        assert result([{"node": {"accessor": "l.*", name: [{"value-remover": "x"}]}}], {"l": [{"x": 1}]}) == {"l": [{}]}


def test_a_text_names_a_saved_chain() -> None:
    assert result("quadruple", {"n": 1}) == {"n": 4}
    assert result(["double", "double", "double"], {"n": 1}) == {"n": 8}
    assert result([{"double": {}}, {"prototype": "double", "parameters": []}], {"n": 1}) == {"n": 4}


def test_parameters_are_templates_on_the_document_that_enters() -> None:
    found = result([{"greet": {"words": ["&{w}"], "times": "&{n}"}}], {"name": "Zoë", "w": "hé", "n": 3})
    assert found["greeting"] == {"to": "Zoë", "n": 3, "w": ["hé"]}
    found = result([{"chain": {"call": {"name": "greet", "with": {"words": "x", "name": "\\&{n}"}}}}], {})
    assert found == {"greeting": {"to": "&{n}", "n": 1, "w": "x"}}


def test_parameters_of_one_call_are_not_those_of_another() -> None:
    found = result("twice", {"name": "Al"})
    assert found["greeting"] == {"to": "Al", "n": 1, "w": "hi"}
    assert found["second"] == {"to": "xAl", "n": 1, "w": ["a"]}


def test_what_a_parameter_holds_is_never_scanned() -> None:
    found = result([{"greet": {"words": "&{w}"}}], {"w": "&{name} @{parameters.times}"})
    assert found["greeting"]["w"] == "&{name} @{parameters.times}"


def test_variables_reach_saved_chains_and_parameters_do_not_leak() -> None:
    chains = {"outer": {"parameters": {"a": {}}, "steps": [{"inner": {"b": "@{variables.v}@{parameters.a}"}}]}}
    chains |= {
        "inner": {"parameters": {"b": {}}, "steps": [{"value-setter": {"configurations": {"r": "@{parameters.b}"}}}]}
    }
    (out,) = compile_chain([{"outer": {"a": 1}}], chains).apply({}, Context(variables={"v": "x"}))
    assert out == {"r": "x1"}
    chains["inner"]["steps"] = [{"value-setter": {"configurations": {"r": "@{parameters.a}"}}}]
    ((where, text),) = faults([{"outer": {"a": 1}}], chains)
    assert where == "chains.inner.steps[0].value-setter.configurations.r"
    assert "no such parameter; there are b" in text


def test_a_wrong_type_fails_the_document() -> None:
    chain = compile_chain([{"greet": {"words": "&{w}"}}], CHAINS)
    for wrong in (1, True, None, {}):
        with pytest.raises(Failed, match=r"parameter words: found .*, a value of type array or string is needed"):
            chain.apply({"w": wrong})
    with pytest.raises(Failed, match="parameter times: found true, a value of type integer is needed"):
        compile_chain([{"greet": {"words": "a", "times": "&{t}"}}], CHAINS).apply({"t": True})


def test_faults_of_parameters_are_found_when_the_chain_is_written() -> None:
    assert faults([{"greet": {"word": 1, "times": "x", "name": "&{"}}], CHAINS) == [
        (
            "chain[0].greet.word",
            "chain[0].greet.word: unknown parameter; there are name, times, words, destination, extra; "
            "did you mean 'words'?",
        ),
        (
            "chain[0].greet.name",
            "chain[0].greet.name: the placeholder that begins '&{' is not closed; "
            "write \\&{ for the text itself; see placeholders",
        ),
        (
            "chain[0].greet.times",
            "chain[0].greet.times: parameter times: found the text 'x', a value of type integer is needed; "
            "see the chain's parameters",
        ),
        ("chain[0].greet.words", "chain[0].greet.words: missing; a value of type array or string is needed"),
    ]
    assert faults([{"double": {"x": 1}}], CHAINS) == [
        ("chain[0].double.x", "chain[0].double.x: unknown parameter; none are declared")
    ]


def test_circles_are_refused() -> None:
    ((where, text),) = faults("a", {"a": ["b"], "b": [{"node": {"accessor": "x", "steps": ["c"]}}], "c": ["a"]})
    assert where == "chains.c[0]"
    assert "the chain calls itself: a → b → c → a" in text
    assert "x → x" in faults("x", {"x": [{"x": {}}]})[0][1]


NOTHING: list[Any] = [
    None,
    {},
    [{"chain": None}],
    [{"chain": []}],
    [{"prototype": "chain", "parameters": None, "meta": None}],
    [{"conditional": []}],
    [{"data": {"filters": None, "transformers": None}}],
    [{"node": {"accessor": {"key": None}, "nodeFilters": [], "nodeTransformers": {}}}],
    [{"value-setter": {"configurations": []}}],
    [{"value-mapper": {"accessor": "a", "mappers": []}}],
    [{"merger": {"template": [], "transformer": []}}],
]


@pytest.mark.parametrize("steps", NOTHING, ids=range(len(NOTHING)))
def test_what_is_empty_does_nothing(steps: Any) -> None:
    assert result(steps, {"a": 1}) == {"a": 1}


WRONG: list[tuple[Any, str, str]] = [
    ([{"value-seter": {}}], "chain[0].value-seter", "did you mean 'value-setter'"),
    ([{"string-case": "upper"}], "chain[0].string-case", "string-case is a mapper: it belongs in value-mapper"),
    ([{"matches": "x"}], "chain[0].matches", "matches is a condition: it belongs in filters"),
    (["nope"], "chain[0]", "unknown step or saved chain 'nope'"),
    ([7], "chain[0]", "found the number 7; a step is {name: parameters} or {prototype, parameters}"),
    ([{}], "chain[0]", "found an object of 0 keys"),
    ([None], "chain[0]", "found null"),
    ([{1: {}}], "chain[0]", "found an object of 1 keys"),
    ([{"data": {1: {}}}], "chain[0].data", "an object of parameters by name"),
    ([{"prototype": 5}], "chain[0].prototype", "unknown step"),
    ([{"http": {"client": "c", "request": []}}], "chain[0].http", "one request is needed"),
    ([{"value-mapper": {"accessor": "a", "mappers": [None]}}], "chain[0].value-mapper.mappers[0]", "found null"),
    ([{"chain": [], "data": {}}], "chain[0]", "found an object of 2 keys"),
    ([{"prototype": "chain", "paramters": {}}], "chain[0].paramters", "unknown key"),
    (7, "chain", "found the number 7; a list of steps"),
    ([{"chain": [{"chain": 5}]}], "chain[0].chain[0].chain", "found the number 5"),
    ([{"value-setter": 5}], "chain[0].value-setter", "found the number 5; an object of parameters by name"),
    ([{"value-setter": {}}], "chain[0].value-setter.configurations", "missing; value-setter needs a list of objects"),
    ([{"value-setter": {"configurations": [{"value": 1}]}}], "chain[0].value-setter.configurations[0].key", "missing"),
    (
        [{"value-setter": {"configurations": [{"key": "a", "valeu": 1}]}}],
        "chain[0].value-setter.configurations[0].valeu",
        "did you mean 'value'",
    ),
    (
        [{"value-setter": {"configurations": [{"key": "a..b"}]}}],
        "chain[0].value-setter.configurations[0].key",
        "empty part",
    ),
    ([{"value-remover": ["a", "b..c"]}], "chain[0].value-remover[1]", "empty part"),
    (
        [{"node": {"accessor": "a", "filters": [{"equal": 1}]}}],
        "chain[0].node.filters[0]",
        "did you mean 'equals' or 'not-equals'",
    ),
    ([{"node": {"accessor": {"keys": {}}}}], "chain[0].node.accessor", "did you mean 'key'"),
    ([{"node": {"accessor": 5}}], "chain[0].node.accessor", "a accessor is"),
    (
        [{"node": {"accessor": "a", "node_filters": [], "filters": []}}],
        "chain[0].node.filters",
        "given twice; node_filters is the same",
    ),
    (
        [{"node": {"accessor": "a", "steps": [{"brancher": "b.*"}]}}],
        "chain[0].node",
        "brancher belongs to whole documents",
    ),
    ([{"merger": {"transformer": {"brancher": "b.*"}}}], "chain[0].merger", "brancher cannot stand here"),
    ([{"data": {"steps": [{"aggregate": 5}]}}], "chain[0].data.steps", "aggregate stands inside another step"),
    ([{"aggregate": {}}], "chain[0].aggregate", "aggregate needs size, bytes or seconds"),
    ([{"aggregate": 0}], "chain[0].aggregate", "found 0; a whole number at least 1 and at most 1000000 is needed"),
    (
        [{"pattern-copy": {"pattern": "a.*", "replacement": "b"}}],
        "chain[0].pattern-copy",
        "needs $1 in its replacement",
    ),
    (
        [{"pattern-copy": {"pattern": "a.*", "replacement": "b.$2"}}],
        "chain[0].pattern-copy",
        "$2 stands for the 2. '*'",
    ),
    (
        [{"key-filter": {"accessor": "a", "mode": "remove"}}],
        "chain[0].key-filter.mode",
        "found 'remove'; allowed: keep, drop",
    ),
    (
        [{"value-mapper": {"accessor": "a", "mappers": ["trimm"]}}],
        "chain[0].value-mapper.mappers[0]",
        "did you mean 'trim'",
    ),
    (
        [{"value-mapper": {"accessor": "a", "mappers": ["string-replace"]}}],
        "chain[0].value-mapper.mappers[0]",
        "either search or pattern",
    ),
    ([{"schema": {"schema": {"type": "strin"}}}], "chain[0].schema.schema.type", "did you mean 'string'?"),
    ([{"schema": {"schema": {}, "on_invalid": "note"}}], "chain[0].schema", "needs a destination"),
    ([{"expression": "a["}], "chain[0].expression", "not a JMESPath expression"),
    ([{"chain": {"call": {"nme": "x"}}}], "chain[0].chain.call", "no name"),
    ([{"type-setter": {"entity_type": 5}}], "chain[0].type-setter.entity_type", "found the number 5; a text is needed"),
    (
        [{"openai": {"entity": "x", "payload": {"a": ["&{b[}"]}}}],
        "chain[0].openai.payload.a[0]",
        "not a JMESPath expression",
    ),
    ([{"breakpoint-logger": {"x": 1}}], "chain[0].breakpoint-logger.x", "breakpoint-logger has no parameters"),
]


@pytest.mark.parametrize(("steps", "where", "reason"), WRONG)
def test_a_fault_has_its_place_and_its_reason(steps: Any, where: str, reason: str) -> None:
    found = faults(steps)
    assert [place for place, _ in found] == [where]
    assert reason in found[0][1]


def test_all_faults_are_found_at_once() -> None:
    steps = [case[0][0] for case in WRONG if isinstance(case[0], list)]
    assert len(faults(steps)) == len(steps)


def test_a_fault_in_a_saved_chain_is_placed_there() -> None:
    with pytest.raises(InvalidChain) as caught:
        compile_chain([{"value-remover": "a"}, "s"], {"s": {"steps": [{"value-remover": "a"}, {"x": {}}]}})
    assert [fault.place for fault in caught.value.faults] == [("chains", "s", "steps", 1, "x")]


def test_a_failure_names_the_innermost_step() -> None:
    steps = [{"node": {"accessor": "l.*", "steps": [{"conditional": {"filters": [{"equals": 1}], "else": ["up"]}}]}}]
    chain = compile_chain(steps, {"up": [{"value-mapper": {"accessor": "n", "mappers": ["cast-int"]}}]})
    with pytest.raises(Failed) as caught:
        chain.apply({"l": [{"n": 1}, {"n": "x"}]})
    assert caught.value.where == "chains.up[0]"
    assert caught.value.reason == "cast-int: found the text 'x', a number is needed"
    assert str(caught.value.__cause__) == caught.value.reason


async def test_a_trace_shows_each_step_and_where_it_ended() -> None:
    steps = [
        {"value-setter": {"configurations": {"a": 1}}},
        {"conditional": {"transformers": [{"value-remover": "n"}]}},
        "breakpoint-logger-chain",
        {"data": {"filters": [{"key-exists-condition": "gone"}]}},
    ]
    chain = compile_chain(steps, {"breakpoint-logger-chain": [{"breakpoint-logger": []}]})
    trace = await trace_of(chain, {"n": 2})
    assert [(step.where, step.step, step.before, step.after) for step in trace] == [
        ("chain[0]", "value-setter", {"n": 2}, {"n": 2, "a": 1}),
        ("chain[1].conditional.transformers[0]", "value-remover", {"n": 2, "a": 1}, {"a": 1}),
        ("chain[1]", "conditional", {"n": 2, "a": 1}, {"a": 1}),
        ("chains.breakpoint-logger-chain[0]", "breakpoint-logger", {"a": 1}, {"a": 1}),
        ("chain[3]", "data", {"a": 1}, None),
    ]
    assert trace[-1].note == "chain[3].data.filters[0]: key-exists-condition does not hold"


async def test_a_trace_ends_with_the_failure() -> None:
    chain = compile_chain([{"exception": "stop"}, {"value-remover": "a"}])
    trace = await trace_of(chain, {"a": 1})
    assert [(step.step, step.after, step.note) for step in trace] == [("exception", None, "chain[0]: stop")]


async def test_paths_may_come_from_the_document() -> None:
    await check(
        [{"value-setter": {"configurations": [{"key": "names.&{lang}", "value": 1}]}}],
        {"lang": "nl"},
        {"lang": "nl", "names": {"nl": 1}},
    )
    chain = compile_chain([{"value-setter": {"configurations": [{"key": "&{k}", "value": 1}]}}])
    assert chain.apply({"k": 0}) == [{"k": 0, "0": 1}]
    with pytest.raises(Failed, match="a dotted path is needed"):
        chain.apply({"k": ["a"]})
