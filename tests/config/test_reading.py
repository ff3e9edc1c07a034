"""YAML and JSON as values with places: what is accepted, what is refused, and where."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config.tree import Tree, read_text
from connector.documents import dump

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff\ufffe\uffff")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc x", min_size=1), inner, max_size=4),
)  # fmt: skip


def read(text: str, name: str = "a.yaml") -> Tree:
    return read_text(text, name)


def found(text: str, name: str = "a.yaml") -> list[str]:
    return [str(finding) for finding in read(text, name).findings]


def test_values_are_those_of_yaml_1_2() -> None:
    text = (
        "{a: yes, b: true, c: 0o17, d: 0x1F, e: 1_000, f: 1e3, g: 2024-01-01, h: ~, i: '1', j: !!str 1, 1: x, k: 010}"
    )
    assert read(text).value == {
        "a": "yes", "b": True, "c": 15, "d": 31, "e": 1000, "f": 1000.0, "g": "2024-01-01", "h": None, "i": "1",
        "j": "1", "1": "x", "k": 10,
    }  # fmt: skip


@settings(deadline=None)  # the first example imports
@given(JSON_VALUES)
def test_json_files_mean_what_json_says(value: object) -> None:
    tree = read(dump(value).decode(), "a.json")
    assert (tree.value, tree.findings) == (value, [])


def test_json_may_be_indented_with_tabs_and_write_a_letter_in_two_halves() -> None:
    assert read('{\n\t"a":\t"\\ud83d\\ude00 \\/"\n}', "a.json").value == {"a": "😀 /"}


def test_every_node_knows_its_line_and_column() -> None:
    tree = read("clients:\n  openai:\n    headers: [x, {y: z}]\n")
    assert str(tree.key_place(("clients", "openai"))) == "a.yaml:2:3"
    assert str(tree.value_place(("clients", "openai", "headers", 1, "y"))) == "a.yaml:3:22"
    assert str(tree.key_place(("clients", "openai", "headers", 1, "y"))) == "a.yaml:3:19"


def test_a_place_that_is_not_there_is_the_nearest_that_is() -> None:
    tree = read("a:\n  b: {c: 1}\n")
    assert str(tree.value_place(("a", "b", "d", 3))) == "a.yaml:2:6"


def test_merge_keys_bring_values_and_the_object_itself_wins() -> None:
    tree = read("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {<<: [*x, {a: 5, c: 4}]}\n")
    assert tree.value["y"] == {"a": 1, "b": 3}
    assert tree.value["z"] == {"a": 1, "b": 2, "c": 4}
    assert str(tree.value_place(("y", "a"))) == "a.yaml:1:11"


def test_every_duplicate_key_is_found_with_the_place_of_the_first() -> None:
    assert found("a: 1\nb: {c: 1, c: 2}\na: 3\n") == [
        "a.yaml:3:1 a: given twice; it stands at line 1, column 1 already; keep one of them",
        "a.yaml:2:11 b.c: given twice; it stands at line 2, column 5 already; keep one of them",
    ] or found("a: 1\nb: {c: 1, c: 2}\na: 3\n") == [
        "a.yaml:2:11 b.c: given twice; it stands at line 2, column 5 already; keep one of them",
        "a.yaml:3:1 a: given twice; it stands at line 1, column 1 already; keep one of them",
    ]


def test_aliases_that_multiply_are_stopped() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{here}: &{here} [{', '.join([f'*{last}'] * 10)}]" for last, here in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    [said] = found("\n".join(lines))
    assert "more than 200,000 values" in said
    assert said.endswith("do aliases in it multiply, or hold themselves?")


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "a: &a {<<: *a}"])
def test_aliases_that_hold_themselves_are_stopped(text: str) -> None:
    [said] = found(text)
    assert "hold themselves" in said or "levels" in said


@pytest.mark.parametrize("depth", [250, 5_000])
def test_depth_is_bounded(depth: int) -> None:
    [said] = found("[" * depth + "]" * depth)
    assert said == "a.yaml:1:202 nested too deep; at most 200 levels are read"


@pytest.mark.parametrize("text", ["- " * 202 + "x", "".join(f"{' ' * at}a:\n" for at in range(202)), "{a: " * 202])
def test_depth_is_bounded_in_every_style(text: str) -> None:
    [said] = found(text)
    assert said.endswith("nested too deep; at most 200 levels are read")


@pytest.mark.parametrize("text", ["[" * 200 + "1" + "]" * 200, "- " * 200 + "x", "{a: " * 200 + "x" + "}" * 200])
def test_two_hundred_levels_are_read(text: str) -> None:
    assert found(text) == []


def test_size_is_bounded() -> None:
    [said] = found("# " + "x" * 9_000_000)
    assert (
        said == "a.yaml:1:1 the file has 9,000,002 characters; at most 1,048,576 are read; divide it into several files"
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: {token: ${X}}", "1:13"),
        ("a:\n  b: &{text}", "2:7"),
        ("a: @{variables.x}", "1:4"),
        ("a: *.jsonl", "1:4"),
        ("a: [1,\n", "2:1"),
        ("\tb: 1", "1:1"),
        ("a: 1\n---\nb: 2", "2:1"),
        ("a: \x01", "1:4"),
    ],
)
def test_what_is_no_yaml_is_refused_with_a_hint(text: str, place: str) -> None:
    [said] = found(text)
    assert said.startswith(f"a.yaml:{place} not YAML: ")
    assert any(word in said for word in ("quote texts", "quotes", "blanks", "close it"))


def test_a_syntax_fault_never_quotes_the_line() -> None:
    assert "canary" not in str(found("a: {token: sk-canary-1, b: ${sk-canary-2}}"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a: !env X",
            "a.yaml:1:4 a: an unknown tag; write the value without it; text that begins with ! stands in quotes",
        ),
        (
            "a: !!binary aGk=",
            "a.yaml:1:4 a: an unknown tag; write the value without it; text that begins with ! stands in quotes",
        ),
        (
            "a: !x {b: 1}",
            "a.yaml:1:4 a: an unknown tag; write the value without it; text that begins with ! stands in quotes",
        ),
        ("a: !!int x", "a.yaml:1:4 a: no integer; write digits, or put it in quotes as text"),
        ("a: !!float x", "a.yaml:1:4 a: no number; write a decimal number, or put it in quotes as text"),
        (
            "a: !!set {b}",
            "a.yaml:1:4 a: an unknown tag; write the value without it; text that begins with ! stands in quotes",
        ),
        (
            "a: !!omap [b: 1]",
            "a.yaml:1:4 a: an unknown tag; write the value without it; text that begins with ! stands in quotes",
        ),
        (f"a: {'9' * 5000}", "a.yaml:1:4 a: an integer beyond 64 bits; write it as text, in quotes"),
        ("a: !!int 1:30", "a.yaml:1:4 a: no integer; write digits, or put it in quotes as text"),
        ("a: .nan", "a.yaml:1:4 a: not a finite number; JSON has no infinity and no NaN"),
        ("a: 18446744073709551616", "a.yaml:1:4 a: an integer beyond 64 bits; write it as text, in quotes"),
        (
            'a: "\\ud800"',
            "a.yaml:1:4 a: a lone surrogate or NUL; only text that UTF-8 can hold, without NUL, is accepted",
        ),
        ("~: 1", "a.yaml:1:1 a key that is no text; keys are text"),
        ("? [a]\n: 1", "a.yaml:1:3 a key that is no text; keys are text"),
        ("a: {<<: 1}", "a.yaml:1:9 a: `<<` merges something else than objects; name an anchor of one"),
    ],
)
def test_what_json_does_not_have_is_refused(text: str, said: str) -> None:
    assert found(text) == [said.replace("something else than objects; name an anchor of one", MERGES)]


MERGES = "something else than objects; name an anchor of one"


def test_an_empty_file_is_nothing() -> None:
    assert (read("").value, read("# only a comment\n").value, found("")) == (None, None, [])
