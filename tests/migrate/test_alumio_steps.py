"""Exported steps, each in our notation, compiled and run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector.model import Outcome, State
from connector.transform import Context, compile_chain
from tests.migrate.kit import JSON, Imported, use

Chain = Callable[..., Imported]
ITEMS = use("pattern", keys=[], pattern="bikes.*")
WHOLE = use("pattern", keys=[])


class Memory:
    """A storage for tests."""

    def __init__(self, **held: Any) -> None:
        self.held = held

    async def get(self, key: str) -> Any:
        return self.held.get(key)

    async def put(self, key: str, value: Any) -> None:
        self.held[key] = value

    async def delete(self, key: str) -> None:
        self.held.pop(key, None)


async def run(imported: Imported, document: JSON, **context: Any) -> list[JSON]:
    config = imported.load()
    built = compile_chain("chain", config.saved_chains())
    return [out async for out in built.arun([document], Context(**context))]


def value_is(pattern: str, *conditions: JSON) -> JSON:
    return use("value-condition-v2", accessor=use("pattern", keys=[], pattern=pattern), conditions=list(conditions))


def has(path: str) -> JSON:
    return use("key-condition", filter=use("key-exists-condition", path=path))


def sets(key: str, value: JSON, *mappers: JSON) -> JSON:
    return {**use("value-setter", configurations=[{"key": key, "value": value, "mappers": list(mappers)}]), "meta": []}


CASES: list[tuple[str, JSON, JSON, JSON]] = [
    ("setter", sets("a", "&{b}"), {"b": 1}, {"b": 1, "a": 1}),
    ("missing is null", sets("a", "&{b}"), {}, {"a": None}),
    (
        "mapped",
        sets("cents", ["&{price}", 100], use("operator", operator="multiplication"), use("cast-int")),
        {"price": "1.66"},
        {"price": "1.66", "cents": 166},
    ),
    ("keys named like fields", sets("value", "x"), {}, {"value": "x"}),
    (
        "remover",
        use("value-remover", patterns=[{"key": "a"}, {"key": "bikes.*.b"}]),
        {"a": 1, "bikes": [{"b": 1, "c": 2}]},
        {"bikes": [{"c": 2}]},
    ),
    ("nothing to remove", use("value-remover", patterns=[]), {"a": 1}, {"a": 1}),
    ("key-filter drops", use("key-filter", accessor=use("key", keys=["a"]), conditions=[]), {"a": 1, "b": 2}, {"b": 2}),
    (
        "key-filter drops what fits",
        use("key-filter", accessor=use("key", keys=[]), conditions=[use("not-one-of", value=["b"])]),
        {"a": 1, "b": 2},
        {"b": 2},
    ),
    (
        "value-filter drops what fits",
        use(
            "value-filter",
            accessor=use("key", keys=[]),
            conditions=[use("logic-or", conditions=[use("equals", value=[]), use("equals", value=None)])],
        ),
        {"a": [], "b": 2, "c": None},
        {"b": 2},
    ),
    (
        "node removes what does not fit",
        use("node", accessor=ITEMS, nodeFilters=[value_is("color", use("one-of", value=["red"]))], nodeTransformers=[]),
        {"bikes": [{"color": "blue"}, {"color": "red"}]},
        {"bikes": [{"color": "red"}]},
    ),
    (
        "node transforms",
        use("node", accessor=ITEMS, nodeFilters=[], nodeTransformers=[sets("seen", True)]),
        {"bikes": [{}]},
        {"bikes": [{"seen": True}]},
    ),
    (
        "conditional",
        use(
            "conditional",
            filters=[has("a")],
            transformers=[sets("r", 1)],
            elseCases=[{"filter": has("b"), "transformer": sets("r", 2)}],
            elseTransformers=[sets("r", 3)],
        ),
        {"b": 0},
        {"b": 0, "r": 2},
    ),
    (
        "conditional's else",
        use("conditional", filters=[has("a")], transformers=[], elseTransformers=[sets("r", 3)]),
        {},
        {"r": 3},
    ),
    (
        "and, or",
        use(
            "conditional",
            transformers=[sets("r", 1)],
            filters=[use("and-condition", filters=[has("a"), use("or-condition", filters=[has("x"), has("b")])])],
        ),
        {"a": 1, "b": 1},
        {"a": 1, "b": 1, "r": 1},
    ),
    ("data drops", use("data", filters=[has("a")], transformers=[sets("b", 1)]), {"a": 1}, {"a": 1, "b": 1}),
    (
        "pattern-move",
        use("pattern-move", pattern="*", conditions=[], replacement="all.$1"),
        {"a": 1},
        {"all": {"a": 1}},
    ),
    (
        "matches of a pattern that go to one place",
        use("pattern-move", pattern="*.locale", conditions=[], replacement="locale"),
        {"a": {"locale": "de"}, "b": {"locale": "en", "c": 1}, "d": [5]},
        {"a": {}, "b": {"c": 1}, "d": [5], "locale": "en"},
    ),
    (
        "no matches that go to one place",
        use("pattern-copy", pattern="a.*.*.id", conditions=[], replacement="id"),
        {"a": [[{"x": 1}]]},
        {"a": [[{"x": 1}]]},
    ),
    (
        "copies that go to one place",
        use("pattern-copy", pattern="a.*.*.id", conditions=[], replacement="ids.0"),
        {"a": [[{"id": 1}, {"id": 2}]]},
        {"a": [[{"id": 1}, {"id": 2}]], "ids": [2]},
    ),
    (
        "pattern-copy",
        use("pattern-copy", pattern="a.*", conditions=[], replacement="b.$1.name"),
        {"a": ["x"]},
        {"a": ["x"], "b": [{"name": "x"}]},
    ),
    (
        "accessor-move",
        use(
            "accessor-move",
            source=use("key", keys=[], root="labels"),
            stripEnclosures=True,
            destination=use("structure", key="locale", keys=[], root="texts", value="text"),
        ),
        {"labels": {"de": "Rad"}},
        {"labels": {}, "texts": [{"locale": "de", "text": "Rad"}]},
    ),
    (
        "value-mapper",
        use(
            "value-mapper",
            accessor=use("pattern", keys=[], pattern="name"),
            mappers=[
                use("string-replace", search="Rad"),
                use("string-append", append="-1"),
                use("string-prepend", prepend="x"),
            ],
        ),
        {"name": "Rad9"},
        {"name": "x9-1"},
    ),
    (
        "list-mapper",
        use(
            "list-mapper",
            accessor=WHOLE,
            mappers=[
                use("list-extend-with", array={"sku": "&{code || ``}"}),
                use("list-intersect-keys", array={"sku": True}),
            ],
        ),
        {"code": "r9"},
        {"sku": "r9"},
    ),
    (
        "key-mapper",
        use(
            "key-mapper",
            accessor=WHOLE,
            stripEnclosures=True,
            mappers=[use("dictionary-map", map=[["id", "number"]], comparator="equals")],
        ),
        {"id": 1},
        {"number": 1},
    ),
    (
        "values copied to children",
        use("recursively-copy-values-to-children", childrenPattern="bikes.*", mergeTemplate={"shop": "&{shop}"}),
        {"shop": 1, "bikes": [{}]},
        {"shop": 1, "bikes": [{"shop": 1}]},
    ),
    (
        "group-by",
        use("group-by", pattern="bikes.*", path="color", destination="colors"),
        {"bikes": [{"color": "red"}]},
        {"bikes": [{"color": "red"}], "colors": {"red": [{"color": "red"}]}},
    ),
    ("merger merges", use("merger", template={"b": "&{a}"}, transformer=sets("a", 2)), {"a": 1}, {"a": 1, "b": 2}),
    ("merger merges nothing", use("merger", template=[], transformer=sets("a", 2)), {"a": 1}, {"a": 1}),
    ("type-setter", use("type-setter", entityType="bike"), {}, {"@type": "bike"}),
    ("wrapper", use("list-transformer-wrapper", transformers=[sets("a", 1)]), {}, {"a": 1}),
    (
        "operator as a step",
        use("operator", left="a", right="b", operator="array-merge"),
        {"a": [1], "b": [2]},
        {"a": [1, 2], "b": [2]},
    ),
    (
        "convert-to-array",
        use("convert-to-array", pattern="x.*", recursive=False),
        {"x": {"a": 1, "b": {"c": 1}, "d": [2]}},
        {"x": {"a": [1], "b": {"c": 1}, "d": [2]}},
    ),
    ("keys and reverse", sets("k", {"b": 1, "a": 2}, use("list-keys"), use("list-reverse")), {}, {"k": ["a", "b"]}),
    ("cases of letters", sets("k", "rad", use("string-upper-first")), {}, {"k": "Rad"}),
    ("slug", sets("k", "Red Bike", use("string-slugify")), {}, {"k": "red-bike"}),
    ("standard", sets("k", "high", use("standard", **{"from": "high", "to": 20})), {}, {"k": 20}),
    (
        "dates",
        sets("k", "2024-05-06T07:08:09Z", use("format-date", toFormat="Y-m-d H:i")),
        {},
        {"k": "2024-05-06 07:08"},
    ),
]


@pytest.mark.parametrize(("step", "document", "out"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_steps(chain: Chain, step: JSON, document: JSON, out: JSON) -> None:
    imported = chain(step)
    assert imported.lost() == []
    assert await run(imported, document) == [out]
    assert all(count.done == count.total for count in imported.report.prototypes.values())


def test_rows_become_one_row_and_names_become_comments(chain: Chain) -> None:
    named = {**use("chain", transformers=[sets("a", 1), sets("b", 2)]), "meta": {"name": "First things"}}
    imported = chain({**use("data", filters=[], transformers=[named, sets("c", 3)]), "meta": []})
    assert imported.steps() == [
        {"value-setter": {"configurations": {key: index}}} for index, key in enumerate("abc", 1)
    ]
    assert "      # First things\n      - value-setter: {configurations: {a: 1}}\n" in imported.text(
        "chains/chain.yaml"
    )


def test_the_filter_of_stored_entities_passes_what_is_stored(chain: Chain) -> None:
    asked = use(
        "storage-entity-filter",
        store={"addEntityToStorage": False},
        storage="ids",
        storageKey="&{sku}",
        condition=use("storage-entity-does-not-exists"),
    )
    imported = chain(use("conditional", filters=[asked], transformers=[sets("a", 1)]))
    assert imported.steps()[0]["conditional"]["filters"] == [
        {"storage-entity-filter": {"storage": "ids", "storage_key": "?{sku}", "condition": "storage-entity-exists"}}
    ]


async def test_storages(chain: Chain) -> None:
    imported = chain(
        use("storage-get-entity-from-storage", storage="ids", storageKey="&{sku}", destination="id"),
        use("storage-save-entity-in-storage", storage="ids", storageKey="new-&{sku}", source="id"),
    )
    memory = Memory(r9=7)
    assert await run(imported, {"sku": "r9"}, storages={"ids": memory}) == [{"sku": "r9", "id": 7}]
    assert memory.held["new-r9"] == 7


async def test_requests(chain: Chain) -> None:
    asked: list[Any] = []

    async def call(client: str, kind: str, request: Any) -> Outcome:
        asked.append((client, kind, request["method"], request["path"], dict(request["query"]), request["payload"]))
        return Outcome(State.DONE, status=200, body={"ok": True})

    request = {
        "uri": "/v1/bikes/&{id}?a=1&b=&{color}&c=%20x",
        "payload": {"page": "&{page}"},
        "plugins": [use("logger", formatter="simple")],
    }
    graphql = {
        "uri": "/graphql",
        "method": "post",
        "payload": {"query": "mutation {\n  a\n}", "variables": {"id": "&{ok}"}},
    }
    imported = chain(
        use("http-transformer", client="shop", request=request),
        use("graphql-transformer", client="shop", request=graphql),
    )
    assert await run(imported, {"id": 5, "color": "red"}, call=call) == [{"ok": True}]
    assert asked == [
        ("shop", "http", "GET", "/v1/bikes/5", {"a": "1", "b": "red", "c": " x", "page": None}, None),
        ("shop", "http", "POST", "/graphql", {}, {"query": "mutation {\n  a\n}", "variables": {"id": True}}),
    ]


async def test_code_is_refused(chain: Chain) -> None:
    imported = chain(sets("a", 1), use("code-transformer", code="return 1", source="&{@}", destination="x"))
    assert "exception" in imported.steps()[1]
    (line,) = imported.lost()
    assert line.startswith("export.ndjson:1 list-transformer chain object.transformers[1]: code-transformer is refused")
    assert "evaluate no code" in line
    with pytest.raises(Exception, match="code-transformer"):
        await run(imported, {})


@pytest.mark.parametrize(
    "step",
    [
        use("teleporter", to="x", inner=[sets("a", 1)]),
        use("key-filter", accessor=use("key", keys=[]), conditions=[use("smells-like", value=1)]),
        sets("a", 1, use("to-roman")),
        use("value-mapper", accessor=use("psychic"), mappers=[use("cast-int")]),
        use("conditional", filters=[use("moon-phase")], transformers=[sets("a", 1)]),
    ],
)
def test_a_step_without_a_counterpart_fails_and_is_reported(chain: Chain, step: JSON) -> None:
    imported = chain(step)
    assert list(imported.steps()[0]) == ["exception"]
    assert "has no counterpart here" in imported.lost()[0]
    done = {name: count.done for name, count in imported.report.prototypes.items()}
    assert done.pop("chain") == 1
    assert set(done.values()) == {0}
    imported.load()


def test_what_does_not_compile_makes_room(chain: Chain) -> None:
    imported = chain(use("conditional", filters=[has("a")], transformers=[sets("ok", 1), sets("b", "&{[bad}")]))
    inner = imported.steps()[0]["conditional"]["transformers"]
    assert inner[0] == {"value-setter": {"configurations": {"ok": 1}}}
    assert "exception" in inner[1]
    assert "a step that fails is in its place" in imported.lost()[0]
    assert imported.report.prototypes["value-setter"].done == 1
    imported.load()


def test_parameters_that_are_unknown_are_reported(chain: Chain) -> None:
    imported = chain({**use("pattern-move", pattern="a", replacement="b", conditions=[], haste="much"), "meta": []})
    assert imported.steps() == [{"pattern-move": {"pattern": "a", "replacement": "b"}}]
    assert "object.transformers[0].haste: pattern-move has no such parameter here" in imported.lines[0]


@pytest.mark.parametrize(
    "step",
    [
        None,
        5,
        "",
        [],
        {},
        {"prototype": 5},
        {"parameters": {}},
        {"prototype": "chain", "parameters": None},
        {"prototype": "chain", "parameters": "x"},
        {"prototype": "node", "parameters": []},
        {"prototype": "value-setter", "parameters": {"configurations": "x"}},
        {"prototype": "value-remover", "parameters": {"patterns": {"0": {"key": "a"}}}},
        {"prototype": "conditional", "parameters": {"elseCases": [None, 3], "filters": "x"}},
        {"prototype": "merger", "parameters": {"transformer": 5}},
        {"prototype": "http-transformer", "parameters": {"request": []}},
        {"prototype": "storage-filter-stored-entity", "parameters": []},
        {"prototype": "operator", "parameters": []},
    ],
)
def test_odd_shapes_never_crash(chain: Chain, step: JSON) -> None:
    chain(step).load()
