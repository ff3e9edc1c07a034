"""Texts of other platforms in our notation."""

from __future__ import annotations

import pytest

from connector.config.references import Malformed, parse
from connector.migrate.notation import environment_name, translate_secrets, translate_text, translate_value
from connector.transform import Context, Scope, compile_template


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("&{a.b}", "?{a.b}"),
        ("&{@}", "&{@}"),
        ("&{ a || `{}` }-&{b}", "?{a || `{}`}-?{b}"),
        ("&{a[?n=='}'].b}", "?{a[?n=='}'].b}"),
        ("?{a} and @{variables.x}", "\\?{a} and \\@{variables.x}"),
        ("&{never closed", "\\&{never closed"),
        ("${NAME} ${NAME:-x}", "${NAME} ${NAME:-x}"),
        ("${a.b} ${ ${1}", "\\${a.b} \\${ \\${1}"),
        ("{{secrets.API_KEY}}", "${API_KEY}"),
        ("Bearer {{ secrets.api-key }}!", "Bearer ${api_key}!"),
        ("Bearer ${{ KEY }}", "Bearer ${KEY}"),
        ("${{secrets.KEY}}${{ env.OTHER }}", "${KEY}${OTHER}"),
        ("plain $1 text", "plain $1 text"),
        ("", ""),
    ],
)
def test_texts(theirs: str, ours: str) -> None:
    assert translate_text(theirs) == ours
    assert not [part for part in parse(ours) if isinstance(part, Malformed)]


def test_what_must_be_there_stays_so() -> None:
    assert translate_text("/items/&{id}", strict=True) == "/items/&{id}"


def test_what_is_escaped_comes_out_as_it_was() -> None:
    template = compile_template(translate_text("?{a} &{a} &{b} &{open"))
    assert template.resolve({"a": 1}, Scope(Context())) == "?{a} 1  &{open"


def test_values_are_looked_through() -> None:
    assert translate_value({"a": ["&{x}", 1, None], "b": {"c": "&{y}"}}) == {"a": ["?{x}", 1, None], "b": {"c": "?{y}"}}


def test_secrets_alone_leave_placeholders() -> None:
    assert translate_secrets("&{a} {{secrets.B}}") == "&{a} ${B}"


def test_names_of_variables() -> None:
    assert [environment_name(name) for name in ("a-b.c", "1a", "é", "")] == ["a_b_c", "_1a", "_", "_"]
