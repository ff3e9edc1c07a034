"""Values changed in a text: what is written afterwards says what is wanted, and every other line stays."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from connector.config.text_edits import ABSENT, insert_in_text, move_in_text, put_in_text, rename_in_text
from connector.config.tree import read_text, value_at, walk
from connector.errors import ConfigurationError

FILE = Path("a.yaml")
NAMES = st.sampled_from(["a", "b", "c d", "1", "e-f"])
SCALARS = st.integers(0, 9) | st.sampled_from(["x", "y: z", "# no", "", "two\nlines\n", "&{a}"]) | st.booleans()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)


def written(document: dict[str, Any], *, flow: bool | None, indent: int) -> str:
    """Return a document as somebody else's YAML, with a comment above each line and one behind."""
    yaml: Any = YAML(typ="safe", pure=True)  # the library has no types for what it takes
    yaml.default_flow_style, yaml.indent = flow, indent
    text = StringIO()
    yaml.dump(document, text)
    return "# top\n" + text.getvalue()


def without_empty(value: Any) -> Any:
    """Return a value without what goes when it is empty."""
    if isinstance(value, dict):
        kept = {name: without_empty(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item not in (None, {})}
    return value


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, st.data(), st.sampled_from([False, None, True]), st.sampled_from([2, 4]))
def test_any_change_of_a_list_is_made_and_nothing_else(
    document: dict[str, Any], data: st.DataObject, flow: bool | None, indent: int
) -> None:
    lists = [path for path, value in walk(document) if isinstance(value, list) and value]
    assume(lists)
    path = data.draw(st.sampled_from(lists))
    items = list(value_at(document, path))
    at = data.draw(st.integers(0, len(items) - 1))
    kind = data.draw(st.sampled_from(["insert", "remove", "move", "set"]))
    value = data.draw(VALUES)
    text = written(document, flow=flow, indent=indent)
    assume(read_text(text, "a.yaml").value == document)
    if kind == "insert":
        after = insert_in_text(text, FILE, (*path, at), value)
        items.insert(at, value)
    elif kind == "remove":
        after = put_in_text(text, FILE, (*path, at), ABSENT)
        del items[at]
    elif kind == "move":
        to = data.draw(st.integers(0, len(items) - 1))
        after = move_in_text(text, FILE, (*path, at), to)
        items.insert(to, items.pop(at))
    else:
        after = put_in_text(text, FILE, (*path, at), value)
        items[at] = value
    assert after.startswith("# top\n")
    assert value_at(read_text(after, "a.yaml").value, path) == items
    name = path[0]
    others = {key: item for key, item in document.items() if key != name}
    found = read_text(after, "a.yaml").value
    assert {key: item for key, item in found.items() if key != name} == others


@settings(max_examples=80, deadline=None)
@given(DOCUMENTS, st.data(), st.booleans(), NAMES)
def test_a_member_is_renamed_at_its_place(document: dict[str, Any], data: st.DataObject, flow: bool, to: str) -> None:
    members = [path for path, _ in walk(document) if path and isinstance(path[-1], str)]
    path = data.draw(st.sampled_from(members))
    holder = value_at(document, path[:-1])
    assume(to not in holder)
    text = written(document, flow=flow, indent=2)
    assume(read_text(text, "a.yaml").value == document)
    after = rename_in_text(text, FILE, path, to)
    found = value_at(read_text(after, "a.yaml").value, path[:-1])
    before = value_at(read_text(text, "a.yaml").value, path[:-1])
    assert list(found) == [to if name == path[-1] else name for name in before]
    assert len(after.splitlines()) == len(text.splitlines())


CHAIN = """\
chain:
# what comes first
- a: 1   # one
- b:
    c: 2
  # and of b
# the last
- {d: [3, 4]}   # four
other: |
  - no item
"""


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            lambda: move_in_text(CHAIN, FILE, ("chain", 2), 0),
            "chain:\n# the last\n- {d: [3, 4]}   # four\n# what comes first\n- a: 1   # one\n"
            "- b:\n    c: 2\n  # and of b\nother: |\n  - no item\n",
        ),
        (
            lambda: put_in_text(CHAIN, FILE, ("chain", 2, "d", 0), ABSENT),
            CHAIN.replace("[3, 4]", "[4]"),
        ),
        (
            lambda: put_in_text(CHAIN, FILE, ("chain", 1, "b", "e"), "x"),
            CHAIN.replace("    c: 2\n", "    c: 2\n    e: x\n"),
        ),
        (
            lambda: insert_in_text(CHAIN, FILE, ("chain", 1), "new"),
            CHAIN.replace("# one\n", "# one\n- new\n"),
        ),
        (
            lambda: put_in_text(CHAIN, FILE, ("chain", 0, "a"), ABSENT),
            CHAIN.replace("- a: 1   # one\n", "- {}\n"),
        ),
        (lambda: insert_in_text("a: []\n", FILE, ("a", 0), {"b": 1}), "a:\n  - b: 1\n"),
        (lambda: insert_in_text("b: 1\n", FILE, ("a", 0), 1), "b: 1\n\na:\n  - 1\n"),
    ],
)
def test_comments_stay_with_what_they_are_about(made: Any, expected: str) -> None:
    assert made() == expected


def test_what_cannot_be_is_refused_with_its_place() -> None:
    for wrong, said in (
        (lambda: insert_in_text(CHAIN, FILE, ("chain", 9), 1), r"chain\[9\]: no place in a list"),
        (lambda: move_in_text(CHAIN, FILE, ("chain", 0), 7), r"chain\[0\] cannot be moved to 7"),
        (lambda: rename_in_text(CHAIN, FILE, ("chain",), "other"), "that name is taken"),
        (lambda: rename_in_text(CHAIN, FILE, ("chain", 0), "x"), "nothing there has a name"),
        (lambda: put_in_text("a: [", FILE, ("a",), 1), "mend its text first"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            wrong()
