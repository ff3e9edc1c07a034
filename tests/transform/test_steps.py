"""Every step on a good document, on a missing key, on a wrong type, on emptiness, on unicode, on nested lists."""

from __future__ import annotations

from typing import Any

import pytest

from connector.transform import Context, names
from tests.transform.kit import LABELS, Drops, Fails, Memory, answering, check

NOTHING_AT = "nothing at &{"
SAVE = {"storage": "kept", "storageKey": "&{id}"}

# name: steps, then (document, what becomes of it) for each of LABELS
CASES: dict[str, tuple[Any, dict[str, tuple[Any, Any]]]] = {
    "chain": (
        {"chain": [{"value-setter": {"configurations": {"b": "&{a}"}}}, {"value-remover": ["a"]}]},
        {
            "happy": ({"a": 1}, {"b": 1}),
            "missing": ({}, Fails("chain[0].chain[0]: b: nothing at &{a} in the document; write ?{a} if")),
            "wrong type": (["x"], Fails(NOTHING_AT)),
            "empty": ({"a": ""}, {"b": ""}),
            "unicode": ({"a": "é"}, {"b": "é"}),
            "nested": ({"a": [[1]]}, {"b": [[1]]}),
        },
    ),
    "data": (
        {"data": {"filters": [{"value-condition": {"accessor": "n", "conditions": [{"greater-than": 1}]}}]}},
        {
            "happy": ({"n": 2}, {"n": 2}),
            "missing": ({}, Drops("chain[0].data.filters[0]: value-condition-v2 does not hold")),
            "wrong type": ({"n": {}}, Drops("does not hold")),
            "empty": ({"n": ""}, Drops("does not hold")),
            "unicode": ({"n": 2, "é": "ü"}, {"n": 2, "é": "ü"}),
            "nested": ({"n": [[2]]}, Drops("does not hold")),
        },
    ),
    "node": (
        {
            "node": {
                "accessor": "lines.*",
                "node_filters": [{"key-exists-condition": "q"}],
                "node_transformers": [{"value-setter": {"configurations": {"t": "&{q}x"}}}],
            }
        },
        {
            "happy": ({"lines": [{"q": 1}, {}, {"q": 2}]}, {"lines": [{"q": 1, "t": "1x"}, {"q": 2, "t": "2x"}]}),
            "missing": ({"a": 1}, {"a": 1}),
            "wrong type": ({"lines": "x"}, {"lines": "x"}),
            "empty": ({"lines": []}, {"lines": []}),
            "unicode": ({"lines": {"é": {"q": "ü"}}}, {"lines": {"é": {"q": "ü", "t": "üx"}}}),
            "nested": ({"lines": [[{"q": 1}], {"q": 2}]}, {"lines": [{"q": 2, "t": "2x"}]}),
        },
    ),
    "brancher": (
        {"brancher": {"pattern": "data.*", "entityType": "order"}},
        {
            "happy": ({"data": [{"a": 1}, {"a": 2}]}, [{"a": 1, "@type": "order"}, {"a": 2, "@type": "order"}]),
            "missing": ({}, Drops("nothing at 'data.*'")),
            "wrong type": ({"data": [1]}, Fails("only an object can have a type")),
            "empty": ({"data": []}, Drops("nothing at 'data.*'")),
            "unicode": ({"data": {"é": {"ü": 1}}}, {"ü": 1, "@type": "order"}),
            "nested": ({"data": [[1]]}, Fails("an array of 1 item")),
        },
    ),
    "conditional": (
        {
            "conditional": {
                "filters": [{"value-condition": {"accessor": "k", "conditions": [{"equals": "a"}]}}],
                "transformers": [{"value-setter": {"configurations": {"r": 1}}}],
                "elseCases": [
                    {
                        "filters": [{"value-condition": {"accessor": "k", "conditions": [{"equals": "é"}]}}],
                        "transformers": [{"value-setter": {"configurations": {"r": 2}}}],
                    }
                ],
                "elseTransformers": [{"value-setter": {"configurations": {"r": 3}}}],
            }
        },
        {
            "happy": ({"k": "a"}, {"k": "a", "r": 1}),
            "missing": ({}, {"r": 3}),
            "wrong type": ({"k": 1}, {"k": 1, "r": 3}),
            "empty": ({"k": ""}, {"k": "", "r": 3}),
            "unicode": ({"k": "é"}, {"k": "é", "r": 2}),
            "nested": ({"k": [["a"]]}, {"k": [["a"]], "r": 3}),
        },
    ),
    "value-setter": (
        {"value-setter": {"configurations": [{"key": "a.b", "value": "&{v}", "mappers": [{"default": 0}]}]}},
        {
            "happy": ({"v": 1, "a": {"c": 2}}, {"v": 1, "a": {"c": 2, "b": 1}}),
            "missing": ({}, Fails(NOTHING_AT)),
            "wrong type": ({"v": 1, "a": "text"}, {"v": 1, "a": {"b": 1}}),
            "empty": ({"v": ""}, {"v": "", "a": {"b": 0}}),
            "unicode": ({"v": "é"}, {"v": "é", "a": {"b": "é"}}),
            "nested": ({"v": [[]], "a": [7]}, {"v": [[]], "a": {"0": 7, "b": [[]]}}),
        },
    ),
    "value-remover": (
        {"value-remover": {"patterns": [{"key": "a"}, {"key": "l.*.x"}, {"key": "l.0"}, {"key": "é.b"}]}},
        {
            "happy": ({"a": 1, "l": [{"x": 1}, {"x": 2, "y": 3}]}, {"l": [{"y": 3}]}),
            "missing": ({"b": 1}, {"b": 1}),
            "wrong type": ({"a": {}, "l": 5}, {"l": 5}),
            "empty": ({}, {}),
            "unicode": ({"é": {"b": 1, "c": 2}}, {"é": {"c": 2}}),
            "nested": ({"l": [1, [{"x": 1}]]}, {"l": [[{"x": 1}]]}),
        },
    ),
    "key-filter": (
        {"key-filter": {"accessor": {"key": {"keys": []}}, "conditions": [{"not-one-of": ["a", "é"]}]}},
        {
            "happy": ({"a": 1, "b": 2}, {"a": 1}),
            "missing": ({"b": 2}, {}),
            "wrong type": ("text", "text"),
            "empty": ({}, {}),
            "unicode": ({"é": 1, "ü": 2}, {"é": 1}),
            "nested": ([[1], [2]], []),
        },
    ),
    "value-filter": (
        {"value-filter": {"accessor": "l.*", "conditions": ["not-empty"]}},
        {
            "happy": ({"l": [1, None, 2]}, {"l": [1, 2]}),
            "missing": ({"a": 1}, {"a": 1}),
            "wrong type": ({"l": 1}, {"l": 1}),
            "empty": ({"l": [None, ""]}, {"l": []}),
            "unicode": ({"l": {"é": "", "ü": "x"}}, {"l": {"ü": "x"}}),
            "nested": ({"l": [[], [[]]]}, {"l": [[[]]]}),
        },
    ),
    "pattern-copy": (
        {"pattern-copy": {"pattern": "a.*.n", "replacement": "names.$1", "conditions": ["not-empty"]}},
        {
            "happy": ({"a": [{"n": "x"}, {"n": "y"}]}, {"a": [{"n": "x"}, {"n": "y"}], "names": ["x", "y"]}),
            "missing": ({"a": [{}, {"n": 1}]}, {"a": [{}, {"n": 1}], "names": {"1": 1}}),
            "wrong type": ({"a": 1}, {"a": 1}),
            "empty": ({"a": [{"n": ""}]}, {"a": [{"n": ""}]}),
            "unicode": ({"a": {"é": {"n": 1}}}, {"a": {"é": {"n": 1}}, "names": {"é": 1}}),
            "nested": ({"a": [[{"n": 1}]]}, {"a": [[{"n": 1}]]}),
        },
    ),
    "pattern-move": (
        {"pattern-move": {"pattern": "a.*", "replacement": "b.$1.v"}},
        {
            "happy": ({"a": ["x", "y"]}, {"a": [], "b": [{"v": "x"}, {"v": "y"}]}),
            "missing": ({}, {}),
            "wrong type": ({"a": "x"}, {"a": "x"}),
            "empty": ({"a": {}}, {"a": {}}),
            "unicode": ({"a": {"é.ü": 1}}, {"a": {}, "b": {"é.ü": {"v": 1}}}),
            "nested": ({"a": [[1]]}, {"a": [], "b": [{"v": [1]}]}),
        },
    ),
    "accessor-copy": (
        {
            "accessor-copy": {
                "source": {"key": {"root": "a", "keys": ["x", "é"]}},
                "destination": {"key": {"root": "b"}},
            }
        },
        {
            "happy": ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1, "y": 2}, "b": {"x": 1}}),
            "missing": ({"a": {"y": 2}}, {"a": {"y": 2}}),
            "wrong type": ({"a": 3}, {"a": 3}),
            "empty": ({"a": {}}, {"a": {}}),
            "unicode": ({"a": {"é": "ü"}, "b": {"c": 1}}, {"a": {"é": "ü"}, "b": {"c": 1, "é": "ü"}}),
            "nested": ({"a": {"x": [[1]]}, "b": {}}, {"a": {"x": [[1]]}, "b": {"x": [[1]]}}),
        },
    ),
    "accessor-move": (
        {"accessor-move": {"source": {"key": {"root": "a"}}, "destination": {"structure": {"root": "a"}}}},
        {
            "happy": ({"a": {"x": 1, "y": 2}}, {"a": [{"key": "x", "value": 1}, {"key": "y", "value": 2}]}),
            "missing": ({"b": 1}, {"b": 1}),
            "wrong type": ({"a": "x"}, {"a": "x"}),
            "empty": ({"a": {}}, {"a": {}}),
            "unicode": ({"a": {"é": 1}}, {"a": [{"key": "é", "value": 1}]}),
            "nested": ({"a": [[7], [8]]}, {"a": [{"key": 0, "value": [7]}, {"key": 1, "value": [8]}]}),
        },
    ),
    "value-mapper": (
        {"value-mapper": {"accessor": "a.*.n", "mappers": ["trim", {"string-case": "upper"}]}},
        {
            "happy": ({"a": [{"n": " x "}]}, {"a": [{"n": "X"}]}),
            "missing": ({"a": [{}]}, {"a": [{}]}),
            "wrong type": ({"a": [{"n": {}}]}, Fails("trim: found an object")),
            "empty": ({"a": []}, {"a": []}),
            "unicode": ({"a": {"é": {"n": "ü"}}}, {"a": {"é": {"n": "Ü"}}}),
            "nested": ({"a": [[{"n": "x"}]]}, {"a": [[{"n": "x"}]]}),
        },
    ),
    "list-mapper": (
        {"list-mapper": {"accessor": {"key": {"root": "l", "keys": []}}, "mappers": ["list-values", "list-unique"]}},
        {
            "happy": ({"l": {"a": 1, "b": 1}}, {"l": [1]}),
            "missing": ({}, {}),
            "wrong type": ({"l": 5}, Fails("list-values: found the number 5")),
            "empty": ({"l": {}}, {"l": []}),
            "unicode": ({"l": ["é", "é"]}, {"l": ["é"]}),
            "nested": ({"l": [[1], [1]]}, {"l": [[1]]}),
        },
    ),
    "key-mapper": (
        {"key-mapper": {"accessor": {"pattern": {}}, "mappers": [{"dictionary-map": {"map": {"a": "b", "é": "e"}}}]}},
        {
            "happy": ({"a": 1, "c": 2}, {"b": 1, "c": 2}),
            "missing": ({"c": 2}, {"c": 2}),
            "wrong type": ("x", Fails("the document is the text 'x', only objects have keys")),
            "empty": ({}, {}),
            "unicode": ({"é": 1}, {"e": 1}),
            "nested": ([["a"]], Fails("only objects have keys")),
        },
    ),
    "group-by": (
        {"group-by": {"pattern": "l.*", "path": "k", "destination": "g"}},
        {
            "happy": ({"l": [{"k": 1}, {"k": 1}]}, {"l": [{"k": 1}, {"k": 1}], "g": {"1": [{"k": 1}, {"k": 1}]}}),
            "missing": ({"l": [{}]}, {"l": [{}], "g": {"": [{}]}}),
            "wrong type": ({"l": [5]}, {"l": [5], "g": {"": [5]}}),
            "empty": ({"l": []}, {"l": [], "g": {}}),
            "unicode": ({"l": [{"k": "é"}]}, {"l": [{"k": "é"}], "g": {"é": [{"k": "é"}]}}),
            "nested": ({"l": [{"k": [[1]]}]}, {"l": [{"k": [[1]]}], "g": {"[[1]]": [{"k": [[1]]}]}}),
        },
    ),
    "recursively-copy-values-to-children": (
        {
            "recursively-copy-values-to-children": {
                "childrenPattern": "orders.*.lines.*",
                "mergeTemplate": {"id": "&{id}", "meta": {"tags": "?{tags}"}},
            }
        },
        {
            "happy": (
                {"id": 1, "orders": [{"lines": [{"n": 1, "meta": {"a": 1}}]}]},
                {"id": 1, "orders": [{"lines": [{"n": 1, "meta": {"a": 1, "tags": None}, "id": 1}]}]},
            ),
            "missing": ({"orders": [{"lines": [{}]}]}, Fails(NOTHING_AT)),
            "wrong type": ({"orders": "x"}, {"orders": "x"}),
            "empty": ({"orders": []}, {"orders": []}),
            "unicode": (
                {"id": "é", "tags": ["ü"], "orders": {"ä": {"lines": {"ö": {}}}}},
                {
                    "id": "é",
                    "tags": ["ü"],
                    "orders": {"ä": {"lines": {"ö": {"id": "é", "meta": {"tags": ["ü"]}}}}},
                },
            ),
            "nested": ({"id": 1, "orders": [[{"lines": [{}]}]]}, {"id": 1, "orders": [[{"lines": [{}]}]]}),
        },
    ),
    "merger": (
        {
            "merger": {
                "template": {"m": {"up": "&{n}"}},
                "transformer": {"value-mapper": {"accessor": "n", "mappers": [{"string-case": "upper"}]}},
            }
        },
        {
            "happy": ({"n": "a", "m": {"k": 1}}, {"n": "a", "m": {"k": 1, "up": "A"}}),
            "missing": ({}, Fails(NOTHING_AT)),
            "wrong type": ({"n": []}, Fails("string-case: found an array of 0 items")),
            "empty": ({"n": ""}, {"n": "", "m": {"up": ""}}),
            "unicode": ({"n": "é"}, {"n": "é", "m": {"up": "É"}}),
            "nested": ([[{"n": "a"}]], Fails(NOTHING_AT)),
        },
    ),
    "http-transformer": (
        {
            "http-transformer": {
                "client": "c",
                "request": {"uri": "/x/&{id}", "method": "POST", "payload": "&{@}"},
                "destination": "got",
            }
        },
        {
            "happy": ({"id": 1}, {"id": 1, "got": {"ok": "é"}}),
            "missing": ({}, Fails(NOTHING_AT)),
            "wrong type": ("x", Fails(NOTHING_AT)),
            "empty": ({"id": ""}, {"id": "", "got": {"ok": "é"}}),
            "unicode": ({"id": "é"}, {"id": "é", "got": {"ok": "é"}}),
            "nested": ({"id": [[1]]}, {"id": [[1]], "got": {"ok": "é"}}),
        },
    ),
    "openai": (
        {"openai": {"entity": "embeddings", "payload": {"input": "&{t}"}, "destination": "e"}},
        {
            "happy": ({"t": "x"}, {"t": "x", "e": {"ok": "é"}}),
            "missing": ({}, Fails(NOTHING_AT)),
            "wrong type": ([1], Fails(NOTHING_AT)),
            "empty": ({"t": ""}, {"t": "", "e": {"ok": "é"}}),
            "unicode": ({"t": "é"}, {"t": "é", "e": {"ok": "é"}}),
            "nested": ({"t": [["a"]]}, {"t": [["a"]], "e": {"ok": "é"}}),
        },
    ),
    "storage-get-entity-from-storage": (
        {"storage-get-entity-from-storage": {**SAVE, "destination": "found.it"}},
        {
            "happy": ({"id": 1}, {"id": 1, "found": {"it": {"n": "one"}}}),
            "missing": ({"id": 9}, {"id": 9}),
            "wrong type": ([1], Fails(NOTHING_AT)),
            "empty": ({"id": ""}, Fails("the storage key is empty")),
            "unicode": ({"id": "é"}, {"id": "é", "found": {"it": ["ü"]}}),
            "nested": ({"id": [[1]]}, {"id": [[1]]}),
        },
    ),
    "storage-save-entity-in-storage": (
        {"storage-save-entity-in-storage": {**SAVE, "source": "v"}},
        {
            "happy": ({"id": 5, "v": 1}, {"id": 5, "v": 1}),
            "missing": ({"id": 5}, {"id": 5}),
            "wrong type": ("x", "x"),
            "empty": ({"id": "", "v": 1}, Fails("the storage key is empty")),
            "unicode": ({"id": "ö", "v": "é"}, {"id": "ö", "v": "é"}),
            "nested": ({"id": 5, "v": [[1]]}, {"id": 5, "v": [[1]]}),
        },
    ),
    "storage-filter-stored-entity": (
        {"storage-filter-stored-entity": SAVE},
        {
            "happy": ({"id": 7, "n": 1}, {"id": 7, "n": 1}),
            "missing": ({}, Fails(NOTHING_AT)),
            "wrong type": ("x", Fails(NOTHING_AT)),
            "empty": ({"id": ""}, Fails("the storage key is empty")),
            "unicode": ({"id": "é"}, {"id": "é"}),
            "nested": ({"id": [[1]]}, {"id": [[1]]}),
        },
    ),
    "type-setter": (
        {"type-setter": {"entityType": "&{kind}-é"}},
        {
            "happy": ({"kind": "a", "@type": "old"}, {"kind": "a", "@type": "a-é"}),
            "missing": ({}, Fails(NOTHING_AT)),
            "wrong type": (["a"], Fails(NOTHING_AT)),
            "empty": ({"kind": ""}, {"kind": "", "@type": "-é"}),
            "unicode": ({"kind": "ü"}, {"kind": "ü", "@type": "ü-é"}),
            "nested": ({"kind": [[1]]}, {"kind": [[1]], "@type": "[[1]]-é"}),
        },
    ),
    "exception": (
        {"exception": {"message": "no price in ?{id}"}},
        {
            "happy": ({"id": 4}, Fails("chain[0]: no price in 4")),
            "missing": ({}, Fails("chain[0]: no price in ")),
            "wrong type": ("x", Fails("no price in")),
            "empty": ({"id": ""}, Fails("no price in")),
            "unicode": ({"id": "é"}, Fails("no price in é")),
            "nested": ({"id": [[1]]}, Fails("no price in [[1]]")),
        },
    ),
    "breakpoint-logger": (
        {"breakpoint-logger": []},
        {
            "happy": ({"a": 1}, {"a": 1}),
            "missing": ({}, {}),
            "wrong type": ("x", "x"),
            "empty": ([], []),
            "unicode": ({"é": "ü"}, {"é": "ü"}),
            "nested": ({"a": [[1]]}, {"a": [[1]]}),
        },
    ),
    "expression": (
        {"expression": {"expression": "items[?q > `1`].n | [0]", "destination": "first"}},
        {
            "happy": (
                {"items": [{"q": 1}, {"q": 2, "n": "b"}]},
                {"items": [{"q": 1}, {"q": 2, "n": "b"}], "first": "b"},
            ),
            "missing": ({}, {"first": None}),
            "wrong type": ({"items": [{"q": "x"}]}, Fails("a number and a text cannot be ordered")),
            "empty": ({"items": []}, {"items": [], "first": None}),
            "unicode": ({"items": [{"q": 2, "n": "é"}]}, {"items": [{"q": 2, "n": "é"}], "first": "é"}),
            "nested": ({"items": [[{"q": 2}]]}, {"items": [[{"q": 2}]], "first": None}),
        },
    ),
    "schema": (
        {
            "schema": {
                "schema": {"type": "object", "properties": {"n": {"type": "string", "minLength": 1}}, "required": ["n"]}
            }
        },
        {
            "happy": ({"n": "a"}, {"n": "a"}),
            "missing": ({}, Fails("chain[0]: document.n: missing")),
            "wrong type": ({"n": 1}, Fails("document.n: found the number 1; text is allowed")),
            "empty": ({"n": ""}, Fails("document.n: found 0 characters")),
            "unicode": ({"n": "é"}, {"n": "é"}),
            "nested": ([[{"n": "a"}]], Fails("document: found an array of 1 item; an object is allowed")),
        },
    ),
    "aggregate": (
        {"aggregate": {"size": 10, "value": "?{n}", "destination": "batch.é"}},
        {
            "happy": ({"n": 1}, {"batch": {"é": [1]}}),
            "missing": ({}, {"batch": {"é": [None]}}),
            "wrong type": ("x", {"batch": {"é": [None]}}),
            "empty": ({"n": ""}, {"batch": {"é": [""]}}),
            "unicode": ({"n": "ü"}, {"batch": {"é": ["ü"]}}),
            "nested": ({"n": [[1]]}, {"batch": {"é": [[[1]]]}}),
        },
    ),
    "tokens": (
        {"tokens": {"source": "t", "max": 2}},
        {
            "happy": ({"t": "123456789"}, {"t": "12345678"}),
            "missing": ({}, Fails("nothing at 't'")),
            "wrong type": ({"t": 12}, {"t": "12"}),
            "empty": ({"t": ""}, {"t": ""}),
            "unicode": ({"t": "1234567é"}, {"t": "1234567"}),
            "nested": ({"t": [[1]]}, {"t": "[[1]]"}),
        },
    ),
}


@pytest.fixture(autouse=True)
def no_vocabularies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens are estimated, whatever is installed: a vocabulary would come from the network."""
    import sys

    from connector.transform.tokenizer import encoding_for

    monkeypatch.setitem(sys.modules, "tiktoken", None)
    encoding_for.cache_clear()


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("name", CASES)
async def test_a_step(name: str, label: str) -> None:
    step, cases = CASES[name]
    document, expected = cases[label]
    kept = Memory(**{"1": {"n": "one"}, "é": ["ü"]})
    context = Context(storages={"kept": kept}, call=answering({"ok": "é"}))
    await check([step], document, expected, context)


def test_every_step_has_cases() -> None:
    assert set(names("step")) == set(CASES)
    assert all(set(cases) == set(LABELS) for _, cases in CASES.values())
