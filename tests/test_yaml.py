"""YAML as JSON values: what is taken, and what is refused before it hurts."""

# ruff: noqa: E501 - tables of texts are read by their lines

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.documents import check
from connector.errors import ConfigurationError
from connector.yaml import read_document, read_yaml
from tests.timing import within

PLACE = re.compile(r"line \d+, column \d+: \S")
SECONDS = 2.0
"""The most CPU time that a text of a few kilobytes may take."""


def test_yaml_becomes_json_values() -> None:
    text = b"day: 2024-01-04\nat: 2024-01-04T05:06:07\n200: ok\non: yes\nlist: [1, 2.5, null, true]\n"
    assert read_yaml(text, "a.yaml") == {
        "day": "2024-01-04",
        "at": "2024-01-04T05:06:07",
        "200": "ok",
        "on": "yes",
        "list": [1, 2.5, None, True],
    }


def test_an_anchor_may_be_used_again() -> None:
    assert read_yaml(b"a: &x 1\nb: &x 2\nc: *x\n", "a.yaml") == {"a": 1, "b": 2, "c": 2}


def test_a_byte_order_mark_is_no_part_of_a_document() -> None:
    assert read_yaml("a: 1".encode("utf-8-sig"), "a.yaml") == {"a": 1}


def test_bounds_of_a_document_of_an_api_may_lie_beyond_64_bits() -> None:
    assert read_yaml("{minimum: -9223372036854776000}", "a.yaml") == {"minimum": -9223372036854776000}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "line 2, column 1: a: given twice; it stands at line 1, column 1 already"),
        ("a: [1\n", "line 2, column 1: not YAML: a [ that begins on line 1 is not closed"),
        ("a: &a [*a]\n", "more than 200 levels; do aliases"),
        ("a: !!python/object:os.system x\n", "line 1, column 4: a: an unknown tag"),
        ("a: !!int x\n", "line 1, column 4: a: no integer"),
        ("a: !!timestamp x\nb: !!int ''\n", "line 2, column 4: b: no integer"),
        ("a: !!float 1e999\n", "line 1, column 4: a: not a finite number"),
        (f"a: {'7' * 9999}\n", "line 1, column 4: a: an integer beyond 64 bits"),
        ("a: 1\n---\nb: 2\n" * 50, "line 2, column 1: not YAML"),
        ("%YAML 1.1\n---\na: 190:20:30\n", "not YAML: unreadable"),
        ("a: !!omap [b: 1]\n", "a: an unknown tag"),
        ('a: "\\U00110000"\n', "line 1, column "),
        ("[" * 4000, "line 1, column "),
        ("- " * 3000 + "x", "line 1, column "),
        ("a:\n\tb: 1", "line 2, column 1: not YAML"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_yaml(text.encode(), "a.yaml")
    assert message in str(caught.value)
    assert str(caught.value).startswith("a.yaml: line ")


@pytest.mark.parametrize(
    "data", ["a: é".encode("latin-1"), "a: 1\nb: 2".encode("utf-16"), b"a: 1\n\xff", b"a: \xc3\x28"]
)
def test_bytes_that_are_not_utf_8_are_refused_with_their_place(data: bytes) -> None:
    with pytest.raises(ConfigurationError, match=r"a\.yaml: not UTF-8 at line \d+, column \d+; save it as UTF-8"):
        read_yaml(data, "a.yaml")


def merging(levels: int, width: int) -> str:
    """Return a text whose merge keys visit width to the power of levels objects."""
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * width)}]}}" for n in range(1, levels)]
    return "\n".join(lines)


def multiplying(levels: int) -> str:
    """Return a text whose aliases stand for ten to the power of levels values."""
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    return "\n".join(lines + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)])


BOMBS = {
    "aliases": multiplying(12),
    "merge keys": merging(12, 9),
    "deep merge keys": merging(150, 2),
    "a long text, often": f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 4000)}]",
    "a long key, often": f"a: &a {{{'x' * 1000}: 1}}\nb: [{', '.join(['*a'] * 20_000)}]",
    "deep paths": "[" * 190
    + "a: &a ["
    + ", ".join(["1"] * 2000)
    + "], b: ["
    + ", ".join(["*a"] * 90)
    + "]"
    + "]" * 190,
    "itself twice": "a: &a {b: *a, c: *a, d: [*a, *a]}",
    "itself by merging": "a: &a {<<: [*a, *a], b: {<<: *a}}",
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_multiplies_is_stopped_in_time(name: str, tmp_path: Path) -> None:
    text = BOMBS[name]
    read_document("a: 1")  # the library is loaded when it is first needed
    document = within(SECONDS * (1 + len(text) / 20_000), lambda: read_document(text))
    assert "more than" in document.faults[0].found
    assert document.value is None
    (tmp_path / "connector.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match="do aliases in it multiply"):
        read_yaml((tmp_path / "connector.yaml").read_bytes(), "connector.yaml")


PIECES = st.sampled_from(
    ["a: ", "b", "\n", "  ", "- ", "? ", ": ", "[", "]", "{", "}", ",", "&a ", "*a", "*b", "<<: ", "!!int ", "!!set ", "!x ", "!!binary ",
     "|\n", ">-\n", "'", '"', "\\", "\\u", "\\x", "#", "%YAML 1.1\n", "%TAG ! x\n", "---\n", "...\n", "\t", "\0", "\ufeff", "\ud800", "é",
     "0x", "1:30", "1e400", ".inf", "9" * 30, "~", "\r", "\x85", "\u2028", "!<", ">", "@", "`", "=", "!!python/name:os.system "]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=200))
def test_any_text_is_a_document_or_a_fault_with_its_place(text: str) -> None:
    document = within(SECONDS, lambda: read_document(text))
    if document.faults:
        assert all(PLACE.match(str(fault)) for fault in document.faults)
    else:
        check(document.value)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_a_document_or_a_configuration_error(data: bytes) -> None:
    try:
        said = ""
        check(read_yaml(data, "a.yaml"), any_integer=True)
    except ConfigurationError as error:
        said = str(error)
    assert said == "" or re.search(r"line \d+, column \d+", said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("token: {{secrets.KEY}}", 'write "${KEY}"'),
        ("token: {{ secrets.KEY }}\nb: 1", 'write "${KEY}"'),
        ("a: {token: {{secrets.KEY}}}", 'write "${KEY}"'),
        ("a: {token: ${{ KEY }}, b: 1}", 'write "${KEY}"'),
        ("a: {{secrets.KEY}}/v1", 'write "${KEY}"'),
        ("a: [{{KEY}}]", 'write "${KEY}"'),
        ("a: {{ env.KEY }}", 'write "${KEY}"'),
        ("a: {token: ${KEY}}", 'in quotes: "${KEY}"'),
        ("a: {token: ${KEY:-s3cret}, b: 1}", 'in quotes: "${KEY}"'),
        ("a: [${KEY}]", 'in quotes: "${KEY}"'),
        ("a: {b: ${KEY}/y, c: 1}", 'in quotes: "${KEY}"'),
        ("a: &{id}", 'in quotes: "&{id}"'),
        ("a: {b: &{id}}", 'in quotes: "&{id}"'),
        ("a: {b: ${sk-s3cret}}", 'in quotes: "${…}"'),
        ("a: {{ steps.a['b'] }}", "put the whole text in quotes"),
        ("a: @{variables.x}", 'in quotes: "@{variables.x}"'),
    ],
)
def test_a_reference_without_quotes_is_named(text: str, said: str) -> None:
    (fault,) = read_document(text).faults
    assert said in str(fault)
    assert "s3cret" not in str(fault)


@pytest.mark.parametrize(
    "written", ["!s3cret", "!!s3cret", "!s3cret!x y", "*s3cret", "&s3cret", "@s3cret", "%s3cret", "`s3cret"]
)
def test_no_message_shows_a_secret_that_was_not_put_in_quotes(written: str) -> None:
    for text in (f"token: {written}\n", f"{{token: {written} }}\n", f"- {written} x\n"):
        assert not [str(fault) for fault in read_document(text).faults if "s3cret" in str(fault)]
