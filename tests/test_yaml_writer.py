"""YAML as it is written: what is read is what was written, and it looks well."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config.tree import read_text
from connector.yaml import read_yaml
from connector.yaml.writer import Commented, comment, format_yaml

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def written(value: Any) -> str:
    return "\n".join(format_yaml(value)) + "\n"


@settings(deadline=None)  # the first example imports
@given(st.dictionaries(TEXTS.filter(lambda key: key != "<<"), VALUES, max_size=4))
def test_what_is_written_is_read(value: dict[str, Any]) -> None:
    assert read_yaml(written(value).encode(), "x") == value


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "no",
        "on",
        "off",
        "null",
        "~",
        "true",
        "1",
        "1.5",
        "1e3",
        "0x10",
        "1_000",
        "2024-01-01",
        "12:30",
        "",
        " a",
        "a ",
        "#a",
        "a #b",
        "a: b",
        "- a",
        "&{x}",
        "*",
        "!a",
        "%a",
        "@a",
        "`a`",
        "'a'",
        '"a"',
        "{a}",
        "[a]",
        "a\nb",
        "a\n\nb\n",
        "a\n\n",
        "\na",
        " a\nb",
        "a \nb",
        "a\tb",
        "\x85",
        "\u2028",
        "\ufeff",
        "é",
        "😀",
        "\\",
        "C:\\x",
        "=",
        "<<",
        "---",
        "...",
    ],
)
def test_a_text_stays_a_text(text: str) -> None:
    for value in ({"key": text}, {"list": [text, [text]]}, {text or "empty": 1}):
        if "<<" in value:
            continue
        assert read_yaml(written(value).encode(), "x") == value
        assert read_text(written(value), "x").value == value


def test_short_things_stand_on_one_line_and_long_ones_do_not() -> None:
    value = {"short": {"a": [1, 2], "b": {}}, "long": {f"name {number}": "v" * 20 for number in range(6)}}
    lines = written(value).splitlines()
    assert lines[0] == "short: {a: [1, 2], b: {}}"
    assert lines[1:3] == ["long:", '  "name 0": ' + "v" * 20] or lines[1:3] == ["long:", "  name 0: " + "v" * 20]


def test_long_texts_are_blocks() -> None:
    assert written({"query": "mutation {\n  a\n}\n"}) == "query: |\n  mutation {\n    a\n  }\n"
    assert written(["a\nb"]) == "- |-\n  a\n  b\n"


def test_comments_stand_before_what_they_are_about() -> None:
    steps = [Commented({"a": 1}, "First\nof two"), Commented({"b": {"c": [Commented({"d": 2}, "Inner")]}})]
    assert written({"steps": steps}).splitlines() == [
        "steps:",
        "  # First",
        "  # of two",
        "  - a: 1",
        "  - b:",
        "      c:",
        "        # Inner",
        "        - d: 2",
    ]


def test_a_comment_cannot_become_anything_else() -> None:
    assert list(comment("a\r\nb: c\x85d\u2028e\n\n- f")) == ["# a", "# b: c", "# d", "# e", "#", "# - f"]
