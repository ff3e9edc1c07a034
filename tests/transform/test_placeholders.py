"""Placeholders: what they name, what they become, and that values are never scanned again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.transform import Context, InvalidChain, Scope, Unfit, compile_template
from connector.transform.placeholders import escape

DOCUMENT: dict[str, Any] = {
    "name": "Ünal",
    "n": 12,
    "price": 1.5,
    "yes": True,
    "no": False,
    "null": None,
    "list": [1, "a", None],
    "object": {"a": {"b": [{"c": "deep"}]}},
    "products": [{"sku": "x-1", "tags": []}, {"sku": "x-2"}],
    "0": "zero",
    "content-type": "text/plain",
    "@type": "order",
    "evil": "&{name} ?{name} @{variables.secret} ${HOME}",
}
SCOPE = Scope(
    Context(
        variables={"model": "gpt-5", "deep": {"x": [1]}, "template": "&{name}", "secret": "s"},
        task={"id": "t1"},
        route={"name": "r1"},
        now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    ),
    {"size": 3, "text": "&{name}"},
)
EMPTY = Scope(Context(missing="empty"))


def resolve(value: Any, document: Any = DOCUMENT, scope: Scope = SCOPE) -> Any:
    return compile_template(value, parameters=None).resolve(document, scope)


SOLE: list[tuple[str, Any]] = [
    ("&{@}", DOCUMENT),
    ("&{n}", 12),
    ("&{ n }", 12),
    ("&{price}", 1.5),
    ("&{yes}", True),
    ("&{null}", None),
    ("&{list}", [1, "a", None]),
    ("&{list.1}", "a"),
    ("&{list.2}", None),
    ("&{0}", "zero"),
    ("&{object.a.b.0.c}", "deep"),
    ("&{products.1.sku}", "x-2"),
    ("&{content-type}", "text/plain"),
    ("&{@type}", "order"),
    ("&{products[*].sku}", ["x-1", "x-2"]),
    ("&{products[?sku == 'x-2'] | [0].sku}", "x-2"),
    ("&{object.{x: a.b, y: `{}`}}", {"x": [{"c": "deep"}], "y": {}}),
    ("&{missing || ``}", ""),
    ("&{missing || `[]`}", []),
    ("&{missing || `0`}", 0),
    ("&{missing || 'b}c'}", "b}c"),
    ('&{"content-type"}', "text/plain"),
    ("?{missing}", None),
    ("?{list.9}", None),
    ("?{name.x}", None),
    ("?{list[9]}", None),
    ("@{variables.model}", "gpt-5"),
    ("@{variables.deep.x.0}", 1),
    ("@{variables.template}", "&{name}"),
    ("@{task.id}", "t1"),
    ("@{route.name}", "r1"),
    ("@{parameters.size}", 3),
    ("@{parameters.text}", "&{name}"),
    ("@{now}", "2026-01-02T03:04:05+00:00"),
    ("@{task}", {"id": "t1"}),
]
IN_TEXT: list[tuple[str, str]] = [
    ("Hello &{name}!", "Hello Ünal!"),
    ("&{n}/&{price}", "12/1.5"),
    ("&{yes} &{no}", "true false"),
    ("<&{null}>", "<>"),
    ("<?{missing}>", "<>"),
    ("&{list} ", '[1,"a",null] '),
    ("&{object}.", '{"a":{"b":[{"c":"deep"}]}}.'),
    ("a\\&{n}", "a&{n}"),
    ("\\?{x} \\@{y}", "?{x} @{y}"),
    ("\\\\&{n}", "\\12"),
    ("\\\\\\&{n}", "\\&{n}"),
    ("C:\\dir & {x} ?", "C:\\dir & {x} ?"),
    ("${HOME} $1 {n} &n", "${HOME} $1 {n} &n"),
    ("&{missing || 'a{b'}&{n}", "a{b12"),
    ("{&{n}}", "{12}"),
]


@pytest.mark.parametrize(("text", "value"), SOLE)
def test_a_sole_placeholder_keeps_the_type(text: str, value: Any) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("text", "value"), IN_TEXT)
def test_placeholders_inside_text_become_text(text: str, value: str) -> None:
    assert resolve(text) == value


def test_values_are_never_scanned_again() -> None:
    evil = DOCUMENT["evil"]
    assert resolve("&{evil}") == evil
    assert resolve("<&{evil}>") == f"<{evil}>"
    assert resolve(["@{variables.template}", "x@{parameters.text}"]) == ["&{name}", "x&{name}"]
    assert resolve("&\\&{n}{n}") == "&&{n}{n}"


MISSING = ["&{missing}", "&{missing} in text", "&{list.3}", "&{name.x}", "&{products[7].sku}", "@{variables.nope}"]


@pytest.mark.parametrize("text", MISSING)
def test_what_is_missing_is_an_error_or_nothing(text: str) -> None:
    with pytest.raises(Unfit, match=r"request\.a\[0\]: .*(nothing at &|is not set)"):
        compile_template({"a": [text]}, where="request").resolve(DOCUMENT, SCOPE)
    assert resolve(text, scope=EMPTY) == (" in text" if "in text" in text else None)


WRONG: list[tuple[str, str]] = [
    ("&{", "is not closed"),
    ("a &{b", "write \\&{ for the text itself"),
    ("&{}", "an empty placeholder"),
    ("&{a..b}", "not a JMESPath expression"),
    ("&{a[}", "not a JMESPath expression"),
    ("&{list[::0]}", "a slice with step 0"),
    ("@{variable.x}", "did you mean 'variables'?"),
    ("@{env.HOME}", "names nothing"),
    ("@{parameters.size}", "no such parameter; this chain declares none"),
    ("@{now.year}", "now has no parts"),
    ("&{a.__class__ || b(}", "not a JMESPath expression"),
]


@pytest.mark.parametrize(("text", "reason"), WRONG)
def test_what_cannot_work_is_refused_when_it_is_written(text: str, reason: str) -> None:
    with pytest.raises(InvalidChain) as caught:
        compile_template({"good": "&{n}", "bad": [text, text]}, where="body")
    assert [fault.place for fault in caught.value.faults] == [("body", "bad", 0), ("body", "bad", 1)]
    assert all(reason in str(fault) for fault in caught.value.faults)
    assert caught.value.faults[1].where == "body.bad[1]"


def test_attributes_of_values_are_out_of_reach() -> None:
    for body in ("__class__", "name.__class__", "list.append", "object.keys"):
        assert resolve(f"?{{{body}}}") is None


def test_origins_name_every_leaf() -> None:
    template = compile_template(
        {"m": "@{variables.model}", "i": ["x &{name} ?{n}", 5, {}], "d": "&{n}"}, where="payload"
    )
    found = [(origin.place, origin.kind, origin.written, origin.names) for origin in template.origins]
    assert found == [
        (("m",), "variables", "@{variables.model}", ("variables.model",)),
        (("i", 0), "text", "x &{name} ?{n}", ("name", "n")),
        (("i", 1), "constant", "5", ()),
        (("i", 2), "constant", "{}", ()),
        (("d",), "document", "&{n}", ("n",)),
    ]
    assert not template.constant


def test_a_constant_is_known_to_be_one_and_is_never_shared() -> None:
    template = compile_template({"a": [1, "\\&{x}"], "b": {}, "c": []})
    assert template.constant
    assert template.value == {"a": [1, "&{x}"], "b": {}, "c": []}
    first, second = template.resolve(None, SCOPE), template.resolve(None, SCOPE)
    for part in ("a", "b", "c"):
        assert first[part] is not second[part]


@given(st.text())
def test_escaped_text_comes_out_as_it_is(text: str) -> None:
    assert resolve(escape(text)) == text
    assert resolve(f"{escape(text)} &{{n}}") == f"{text} 12"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_any_value_passes_unchanged_and_unscanned(value: Any) -> None:
    assert resolve("&{v}", {"v": value}) == value
    assert resolve("&{v || v}", {"v": value or "x"}) == (value or "x")
    assert resolve(["&{@}"], value) == [value]


@given(st.text(alphabet="&?@{}\\$ab.", max_size=30))
def test_values_that_look_like_placeholders_stay_text(text: str) -> None:
    assert resolve("<&{v}>", {"v": text}) == f"<{text}>"
