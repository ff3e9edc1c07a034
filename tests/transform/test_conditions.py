"""Every condition on a good value, on nothing, on a wrong type, on emptiness, on unicode, on nested lists."""

from __future__ import annotations

from typing import Any

import pytest

from connector.transform import Context, Failed, InvalidChain, compile_chain, names
from tests.transform.kit import LABELS, Drops, Memory, check, outcome_of

GONE = object()
"""The key `v` is not there."""

# name: parameters, then (value of the key `v`, whether the condition holds) for each of LABELS
VALUES: dict[str, tuple[Any, dict[str, tuple[Any, bool]]]] = {
    "equals": (
        {"value": [1, "é"]},
        {
            "happy": ([1, "é"], True),
            "missing": (GONE, False),
            "wrong type": ("1", False),
            "empty": ([], False),
            "unicode": ([1, "e"], False),
            "nested": ([[1, "é"]], False),
        },
    ),
    "type-array": (
        {"strict": True},
        {
            "happy": ([1], True),
            "missing": (GONE, False),
            "wrong type": ("[]", False),
            "empty": ([], True),
            "unicode": ("é", False),
            "nested": ([[1]], True),
        },
    ),
    "type-object": (
        {"strict": True},
        {
            "happy": ({"a": 1}, True),
            "missing": (GONE, False),
            "wrong type": ([], False),
            "empty": ({}, True),
            "unicode": ("é", False),
            "nested": ([[1]], False),
        },
    ),
    "type-string": (
        {"strict": True},
        {
            "happy": ("a", True),
            "missing": (GONE, False),
            "wrong type": (1, False),
            "empty": ("", True),
            "unicode": ("é", True),
            "nested": ([[1]], False),
        },
    ),
    "type-boolean": (
        {"strict": True},
        {
            "happy": (False, True),
            "missing": (GONE, False),
            "wrong type": (0, False),
            "empty": ("", False),
            "unicode": ("é", False),
            "nested": ([[1]], False),
        },
    ),
    "type-number": (
        {"strict": True},
        {
            "happy": (1.5, True),
            "missing": (GONE, False),
            "wrong type": ("1", False),
            "empty": ("", False),
            "unicode": ("é", False),
            "nested": ([[1]], False),
        },
    ),
    "type-integer": (
        {"strict": True},
        {
            "happy": (1, True),
            "missing": (GONE, False),
            "wrong type": (True, False),
            "empty": ("", False),
            "unicode": ("é", False),
            "nested": ([[1]], False),
        },
    ),
    "type-numeric": (
        {"strict": True},
        {
            "happy": ("1.5", True),
            "missing": (GONE, False),
            "wrong type": (True, False),
            "empty": ("", False),
            "unicode": ("é", False),
            "nested": ([[1]], False),
        },
    ),
    "one-of": (
        {"value": [1, "é", None, []]},
        {
            "happy": (1.0, True),
            "missing": (GONE, True),
            "wrong type": (True, False),
            "empty": ({}, True),
            "unicode": ("é", True),
            "nested": ([[]], False),
        },
    ),
    "empty": (
        {},
        {
            "happy": ("", True),
            "missing": (GONE, True),
            "wrong type": (0, False),
            "empty": ({}, True),
            "unicode": ("é", False),
            "nested": ([[]], False),
        },
    ),
    "greater-than": (
        {"value": 10},
        {
            "happy": (11, True),
            "missing": (GONE, False),
            "wrong type": ("9", False),
            "empty": ("", False),
            "unicode": ("é", False),
            "nested": ([11], False),
        },
    ),
    "less-than": (
        {"value": "10"},
        {
            "happy": (9, True),
            "missing": (GONE, False),
            "wrong type": ("9", True),
            "empty": ([], False),
            "unicode": ("é", False),
            "nested": ([9], False),
        },
    ),
    "matches": (
        {"pattern": "^(é|a)+$"},
        {
            "happy": ("aé", True),
            "missing": (GONE, False),
            "wrong type": (["a"], False),
            "empty": ("", False),
            "unicode": ("ééé", True),
            "nested": ([["a"]], False),
        },
    ),
    "contains": (
        {"value": "é"},
        {
            "happy": ("café", True),
            "missing": (GONE, False),
            "wrong type": (1, False),
            "empty": ("", False),
            "unicode": (["é"], True),
            "nested": ([["é"]], False),
        },
    ),
}
OPPOSITES = {name: f"not-{name}" for name in VALUES}
# name: parameters, then (document, whether the condition holds) for each of LABELS
DOCUMENTS: dict[str, tuple[Any, dict[str, tuple[Any, bool]]]] = {
    "value-condition-v2": (
        {"accessor": "items.*.n", "conditions": [{"greater-than": 1}, {"less-than": 9}]},
        {
            "happy": ({"items": [{"n": 2}, {"n": 8}]}, True),
            "missing": ({}, False),
            "wrong type": ({"items": [{"n": 2}, {"n": {}}]}, False),
            "empty": ({"items": []}, False),
            "unicode": ({"items": {"é": {"n": 5}}}, True),
            "nested": ({"items": [[{"n": 2}]]}, False),
        },
    ),
    "key-condition": (
        {"filter": {"key-exists-condition": {"path": "a.0.é"}}},
        {
            "happy": ({"a": [{"é": None}]}, True),
            "missing": ({"a": [{}]}, False),
            "wrong type": ({"a": "x"}, False),
            "empty": ({"a": []}, False),
            "unicode": ({"a": {"0": {"é": 1}}}, True),
            "nested": ({"a": [[{"é": 1}]]}, False),
        },
    ),
    "key-exists-condition": (
        {"path": 'a."b.c"'},
        {
            "happy": ({"a": {"b.c": False}}, True),
            "missing": ({"a": {}}, False),
            "wrong type": ({"a": 1}, False),
            "empty": ({"a": {"b.c": ""}}, True),
            "unicode": ({"a": {"b.ć": 1}}, False),
            "nested": ({"a": [{"b.c": 1}]}, False),
        },
    ),
    "key-not-exists-condition": (
        {"path": "a"},
        {
            "happy": ({"b": 1}, True),
            "missing": ({}, True),
            "wrong type": ([1], True),
            "empty": ({"a": None}, False),
            "unicode": ({"á": 1}, True),
            "nested": ({"b": {"a": 1}}, True),
        },
    ),
    "logic-and": (
        {
            "conditions": [
                {"key-exists-condition": "a"},
                {"value-condition": {"accessor": "a", "conditions": "not-empty"}},
            ]
        },
        {
            "happy": ({"a": 1}, True),
            "missing": ({}, False),
            "wrong type": ([], False),
            "empty": ({"a": ""}, False),
            "unicode": ({"a": "é"}, True),
            "nested": ({"a": [[]]}, True),
        },
    ),
    "logic-or": (
        {"conditions": [{"key-exists-condition": "a"}, {"key-exists-condition": "é"}]},
        {
            "happy": ({"a": 1}, True),
            "missing": ({}, False),
            "wrong type": ("a", False),
            "empty": ({"a": ""}, True),
            "unicode": ({"é": 1}, True),
            "nested": ({"b": [{"a": 1}]}, False),
        },
    ),
    "logic-not": (
        {"conditions": [{"key-exists-condition": "a"}, {"key-exists-condition": "é"}]},
        {
            "happy": ({"a": 1}, False),
            "missing": ({}, True),
            "wrong type": ("a", True),
            "empty": ({"a": ""}, False),
            "unicode": ({"é": 1}, False),
            "nested": ({"b": [{"a": 1}]}, True),
        },
    ),
}
STORED: dict[str, tuple[Any, dict[str, tuple[Any, bool]]]] = {
    "storage-entity-filter": (
        {"value-condition": {"accessor": "state", "conditions": [{"one-of": ["é", "ok"]}]}},
        {
            "happy": ({"id": 1}, True),
            "missing": ({"id": 9}, False),
            "wrong type": ({"id": 2}, False),
            "empty": ({"id": 3}, False),
            "unicode": ({"id": "é"}, True),
            "nested": ({"id": [1]}, False),
        },
    ),
    "storage-entity-does-not-exists": (
        "storage-entity-does-not-exists",
        {
            "happy": ({"id": 9}, True),
            "missing": ({"id": 10}, True),
            "wrong type": ({"id": 1}, False),
            "empty": ({"id": 3}, False),
            "unicode": ({"id": "é"}, False),
            "nested": ({"id": [1]}, True),
        },
    ),
    "storage-entity-exists": (
        {"storage-entity-exists": []},
        {
            "happy": ({"id": 1}, True),
            "missing": ({"id": 9}, False),
            "wrong type": ({"id": 2}, True),
            "empty": ({"id": 3}, True),
            "unicode": ({"id": "é"}, True),
            "nested": ({"id": [1]}, False),
        },
    ),
}


async def verdict(condition: Any, document: Any, context: Context | None = None) -> bool:
    found = await outcome_of([{"data": {"filters": [condition]}}], document, context)
    if isinstance(found, Drops):
        return False
    assert found == document
    return True


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("name", VALUES)
async def test_a_condition_on_a_value_and_its_opposite(name: str, label: str) -> None:
    parameters, cases = VALUES[name]
    value, expected = cases[label]
    document = {} if value is GONE else {"v": value}
    for condition, wanted in ((name, expected), (OPPOSITES[name], not expected)):
        asked = {"value-condition-v2": {"accessor": "v", "conditions": [{condition: parameters}]}}
        assert await verdict(asked, document) is wanted


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_condition_on_a_document(name: str, label: str) -> None:
    parameters, cases = DOCUMENTS[name]
    document, expected = cases[label]
    assert await verdict({name: parameters}, document) is expected


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("name", STORED)
async def test_a_condition_on_what_is_stored(name: str, label: str) -> None:
    condition, cases = STORED[name]
    document, expected = cases[label]
    memory = Memory(**{"1": {"state": "ok"}, "2": "text", "3": {}, "é": {"state": "é"}})
    asked = {"storage-entity-filter": {"storage": "seen", "storageKey": "&{id}", "condition": condition}}
    assert await verdict(asked, document, Context(storages={"seen": memory})) is expected


def test_every_condition_has_cases() -> None:
    assert set(names("condition")) == {*VALUES, *OPPOSITES.values(), *DOCUMENTS, *STORED}
    for _, cases in (*VALUES.values(), *DOCUMENTS.values(), *STORED.values()):
        assert set(cases) == set(LABELS)


MORE: list[tuple[Any, Any, bool]] = [
    ({"equals": "&{other}"}, {"v": 2, "other": 2}, True),
    ({"greater-than": "&{other}"}, {"v": "b", "other": "a"}, True),
    ({"greater-than": 9007199254740992}, {"v": "9007199254740993"}, True),
    ({"equals": []}, {"v": {}}, True),
    ({"equals": 0}, {"v": False}, False),
    ({"not-equals": None}, {}, False),
    ({"one-of": "&{allowed}"}, {"v": 1, "allowed": [1]}, True),
    ({"matches": "\\d"}, {"v": 12}, True),
    ({"contains": 1}, {"v": ["1", 1]}, True),
    ({"contains": 1}, {"v": "a1"}, True),
    ({"prototype": "equals", "parameters": {"value": 1}, "meta": []}, {"v": 1}, True),
    ({"prototype": "empty", "parameters": []}, {"v": 1}, False),
    ("not-empty", {"v": 1}, True),
]


@pytest.mark.parametrize(("condition", "document", "expected"), MORE)
async def test_what_a_condition_can_be_told(condition: Any, document: Any, expected: bool) -> None:
    assert await verdict({"value-condition": {"accessor": "v", "conditions": [condition]}}, document) is expected


def test_a_dropped_document_names_the_filter() -> None:
    heard: list[tuple[Any, str]] = []
    chain = compile_chain([{"data": {"filters": [{"key-exists-condition": "a"}, {"key-exists-condition": "b"}]}}])
    context = Context(on_skip=lambda document, reason: heard.append((document, reason)))
    assert chain.apply({"a": 1}, context) == []
    assert heard == [({"a": 1}, "chain[0].data.filters[1]: key-exists-condition does not hold")]


def test_a_condition_that_cannot_compare_says_so() -> None:
    chain = compile_chain([{"data": {"filters": [{"one-of": {"value": "&{v}"}}]}}])
    with pytest.raises(Failed, match="one-of needs a list"):
        chain.apply({"v": 1})


async def test_a_storage_condition_may_keep_the_document() -> None:
    memory = Memory()
    filters = {
        "storage-entity-filter": {
            "storage": "seen",
            "storageKey": "&{id}",
            "condition": {"prototype": "storage-entity-does-not-exists", "parameters": []},
            "store": {"addEntityToStorage": True},
        }
    }
    chain = compile_chain([{"data": {"filters": [filters]}}])
    context = Context(storages={"seen": memory})
    assert [out async for out in chain.arun([{"id": 1}, {"id": 1}, {"id": 2}], context)] == [{"id": 1}, {"id": 2}]
    assert memory.values == {"1": {"id": 1}, "2": {"id": 2}}


def test_a_condition_that_waits_is_refused_where_nothing_can() -> None:
    waiting = {"storage-entity-filter": {"storage": "s", "storageKey": "k", "condition": "storage-entity-exists"}}
    with pytest.raises(InvalidChain, match="storage-entity-filter stands where nothing can wait"):
        compile_chain([{"key-filter": {"accessor": "a", "conditions": [waiting]}}])


async def test_joined_conditions_may_wait() -> None:
    waiting = {"storage-entity-filter": {"storage": "s", "storageKey": "&{id}", "condition": "storage-entity-exists"}}
    steps = [{"data": {"filters": [{"logic-or": [{"key-exists-condition": "free"}, waiting]}]}}]
    context = Context(storages={"s": Memory(**{"1": True})})
    await check(steps, {"id": 1}, {"id": 1}, context)
    await check(steps, {"free": True}, {"free": True}, context)
    await check(steps, {"id": 2}, Drops("logic-or does not hold"), context)
