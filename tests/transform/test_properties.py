"""What holds for any document: moves are copies and removals, what is set can be read, nothing given is changed."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connector.transform import compile_chain
from connector.transform.edit import Edit, assign, merge, remove
from connector.transform.paths import MISSING, parse_path, path_getter


def written(path: tuple[str, ...]) -> str:
    return ".".join(json.dumps(key) if "." in key else key for key in path)


keys = st.sampled_from(["a", "b", "c", "é", "0", "1", "x.y"])
values = st.recursive(
    st.none() | st.integers(-5, 5) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=14,
)
documents = st.dictionaries(keys, values, max_size=5)
paths = st.lists(keys, min_size=1, max_size=3).map(tuple)
named = paths.map(written)


def apply(step: dict[str, Any], document: Any) -> Any:
    before = copy.deepcopy(document)
    (out,) = compile_chain([step]).apply(document)
    assert document == before
    return out


@given(documents)
def test_no_steps_change_nothing(document: Any) -> None:
    assert compile_chain([]).apply(document) == [document]


@given(documents, named)
def test_a_copy_and_a_removal_are_a_move(document: Any, path: str) -> None:
    fresh = {"pattern": path, "replacement": "target.place"}
    copied = apply({"pattern-copy": fresh}, document)
    assert apply({"value-remover": [path]}, copied) == apply({"pattern-move": fresh}, document)


@given(documents, st.sampled_from(["rest.*", "rest.*.a", "rest.a.*", "rest.*.*"]))
def test_copies_and_removals_of_patterns_are_moves(document: Any, pattern: str) -> None:
    stars = ".".join(f"${number + 1}" for number in range(pattern.count("*")))
    fresh = {"pattern": pattern, "replacement": f"target.{stars}"}
    copied = apply({"pattern-copy": fresh}, {"rest": document})
    assert apply({"value-remover": [pattern]}, copied) == apply({"pattern-move": fresh}, {"rest": document})


@given(documents, paths, values)
def test_what_is_set_can_be_read(document: Any, path: tuple[str, ...], value: Any) -> None:
    before = copy.deepcopy(document)
    changed = assign(document, path, value)
    assert path_getter(path)(changed) == value
    assert document == before
    setter = {"value-setter": {"configurations": [{"key": written(path), "value": "&{v}"}]}}
    assert path_getter(path)(apply(setter, {**document, "v": value})) == value


@given(documents, paths, values)
def test_a_removal_undoes_a_new_key(document: Any, path: tuple[str, ...], value: Any) -> None:
    if path[0] not in document:
        assert remove(assign(document, path, value), path).keys() - document.keys() <= {path[0]}
    assert remove(document, path) == document or path_getter(path)(document) is not MISSING


@given(documents, st.lists(st.tuples(paths, values), max_size=4), st.lists(paths, max_size=3))
def test_edits_are_what_single_changes_are(document: Any, sets: list[Any], removals: list[Any]) -> None:
    before = copy.deepcopy(document)
    edit = Edit(document)
    single = document
    for path, value in sets:
        edit.set(path, value)
        single = assign(single, path, value)
    assert edit.end() == single
    again = Edit(single)
    for path in removals[:1]:
        again.remove(path)
        single = remove(single, path)
    assert again.end() == single
    assert document == before


@given(paths)
def test_written_paths_are_read_as_they_were(path: tuple[str, ...]) -> None:
    assert parse_path(written(path)) == path


@given(documents, documents)
def test_merging_keeps_what_is_there_and_the_last_wins(one: Any, two: Any) -> None:
    assert merge(one, {}) == one
    assert merge({}, one) == one
    assert merge(one, one) == one
    merged = merge(one, two)
    assert merge(merged, two) == merged
    assert merged.keys() == one.keys() | two.keys()
    assert all(merged[key] == value for key, value in two.items() if not isinstance(value, dict))


@given(st.lists(values, max_size=4))
def test_structures_come_back_as_what_they_were(items: list[Any]) -> None:
    document = {"m": {f"k{number}": item for number, item in enumerate(items)}}
    key, pairs = {"key": {"root": "m"}}, {"structure": {"root": "m", "key": "name", "value": "v"}}
    there = apply({"accessor-move": {"source": key, "destination": pairs}}, document)
    back = apply({"accessor-move": {"source": pairs, "destination": key}}, there)
    assert back == (document if items else {"m": there["m"]})
