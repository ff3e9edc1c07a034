"""Exports whose objects are not as they should be, at every place in turn."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.config import load
from connector.migrate import import_alumio
from tests.migrate.kit import JSON, exported, use

ODD: list[JSON] = [None, [], {}, "", "text &{x", 7, True, [[]], [None], {"0": 1}, {"prototype": "unheard-of"}]
PLACE = use("pattern", keys=[], pattern="a.*")
HAS = use("key-condition", filter=use("key-exists-condition", path="a"))
STEPS = [
    use(
        "data",
        filters=[HAS],
        transformers=[
            use(
                "value-setter",
                configurations=[{"key": "a", "value": ["&{b}"], "mappers": [use("operator", operator="addition")]}],
            )
        ],
    ),
    use("node", accessor=PLACE, nodeFilters=[HAS], nodeTransformers=[use("value-remover", patterns=[{"key": "a"}])]),
    use(
        "conditional",
        filters=[HAS],
        transformers=["t"],
        elseCases=[{"filter": HAS, "transformer": use("exception", message="m")}],
    ),
    use(
        "merger",
        template={"a": "&{b}"},
        transformer=use(
            "http-transformer",
            client="c",
            request={
                "uri": "/a?b=c",
                "payload": {"a": 1},
                "plugins": [use("logger", formatter="long")],
                "headers": {"X": "y"},
            },
        ),
    ),
    use("storage-get-entity-from-storage", storage="s", storageKey="&{a}", destination="b"),
    use("key-filter", accessor=use("key", keys=["a"], root="b"), conditions=[use("one-of", value=["a"])]),
]
OBJECTS = [
    exported("list-transformer", "t", use("value-remover", patterns=[{"key": "a"}])),
    exported("list-transformer", "u", use("chain", transformers=STEPS)),
    exported("http-client", "c", use("openai-http-client", baseUri="https://x.test", token="${T}")),
    exported(
        "http-client",
        "d",
        {
            "parameters": {
                "plugins": [use("base-uri", uri={"parameters": "https://y.test"})],
                "authentications": [use("bearer", token="${B}")],
            }
        },
    ),
    exported(
        "incoming-configuration",
        "i",
        {
            "parameters": {
                "entityType": "e",
                "transformers": ["u"],
                "subscriber": use(
                    "http-subscriber",
                    client="c",
                    request={"uri": "/x"},
                    pagination=use("next", pattern="n"),
                    deserializer=use("json", pattern="d"),
                ),
            }
        },
    ),
    exported(
        "incoming-configuration",
        "j",
        {"parameters": {"subscriber": use("storage-subscriber", storage="s", groupSize=5, groupItems=True)}},
    ),
    exported(
        "outgoing-configuration",
        "o",
        {"parameters": {"publisher": use("http-publisher", client="c", request={"uri": "/x"})}},
    ),
    exported(
        "route-configuration",
        "r",
        {
            "parameters": {
                "incoming": "i",
                "outgoing": "o",
                "transformers": ["t"],
                "parallelExecution": {"enabled": True, "maximumProcesses": 2},
            }
        },
    ),
    exported(
        "scheduler-entry",
        "n",
        {"parameters": {"expression": "0 3 * * *", "job": [use("run-outgoing", route="r", numTasks=2)]}},
    ),
    exported("storage", "s", {"parameters": {"path": "x", "logger": {"parameters": {"actions": []}}}}),
    exported("entity", "e", {"parameters": {"identifierPath": ["code"], "schema": {"type": "object"}}}),
    exported("transformer-test", "x", {"parameters": {"entity": {"a": 1}, "expected": {"expected": [[]]}}}, owner="u"),
    exported("incoming-transformer-test", "y", {"parameters": {"entity": {"a": 1}}}, owner="i"),
    exported("http-client-test", "z", {"parameters": {"uri": "/", "method": "GET"}}, owner="c"),
]


def places(value: JSON, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where anything stands in a value."""
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in members:
        yield from places(item, (*path, key))


def replaced(objects: JSON, path: tuple[str | int, ...], value: JSON) -> JSON:
    changed = copy.deepcopy(objects)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


CASES = list(enumerate(zip(filter(None, places(OBJECTS)), itertools.cycle(ODD), strict=False)))
PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_an_odd_value_at_any_place_is_survived(part: int, tmp_path: Path) -> None:
    for number, (path, value) in CASES[part::PARTS]:
        export, into = tmp_path / f"{number}.ndjson", tmp_path / str(number)
        export.write_text("\n".join(json.dumps(one) for one in replaced(OBJECTS, path, value)))
        report = import_alumio([export], into)
        load(into, environ={})
        assert sum(count.total for count in report.objects.values()) >= len(OBJECTS), path
        assert all(0 <= count.done <= count.total for count in report.prototypes.values()), path


def test_as_it_should_be_everything_comes_over(tmp_path: Path) -> None:
    export = tmp_path / "export.ndjson"
    export.write_text("\n".join(json.dumps(one) for one in OBJECTS))
    report = import_alumio([export], tmp_path / "out")
    assert report.lost == 0
    assert all(count.done == count.total for count in (*report.prototypes.values(), *report.objects.values()))
