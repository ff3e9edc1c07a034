"""References: what they mean, where their values come from, and that a value is never read as a template."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config import InvalidConfiguration, parse
from connector.config.providers import KEYRING_SECONDS, Providers, parse_dotenv
from connector.config.references import Malformed, Reference, fill_inert
from connector.config.references import parse as parse_text
from connector.errors import ConfigurationError
from connector.transform import Context, Scope, compile_template


def env(name: str, default: str | None = None) -> Reference:
    return Reference("environment", name, default)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("plain $1 $x {y} {{ z }}", ("plain $1 $x {y} {{ z }}",)),
        ("a ${{ z }}", ("a ", Malformed("${{ z }}"))),
        ("{{ secrets.z }}", (Malformed("{{ secrets.z }}"),)),
        (r"\{{secrets.z}} \${{ z }} \{{z}}", ("{{", "secrets.z}} ", "${", "{ z }} ", r"\{{", "z}}")),
        ("${A}", (env("A"),)),
        ("a${A:-b}c", ("a", env("A", "b"), "c")),
        ("${A:-}", (env("A", ""),)),
        ("${A:-x:y-z}", (env("A", "x:y-z"),)),
        ("${file:/run/secrets/x}", (Reference("file", "/run/secrets/x"),)),
        ("${file:a b:-d}", (Reference("file", "a b", "d"),)),
        ("${keyring:mail/me}", (Reference("keyring", "mail/me"),)),
        (r"\${A}", ("${", "A}")),
        ("${A B}", (Malformed("${A B}"),)),
        ("${file:}", (Malformed("${file:}"),)),
        ("${A", (Malformed("${A"),)),
        ("@{variables.x}", ("@{variables.x}",)),
    ],
)
def test_texts_are_taken_apart(text: str, parts: tuple[object, ...]) -> None:
    assert parse_text(text) == parts


def test_in_clients_declared_variables_are_references_too() -> None:
    assert parse_text("a @{variables.x}", declared=True) == ("a ", Reference("variable", "x"))


def resolved(written: object, environ: dict[str, str], **sections: object) -> object:
    document = {"clients": {"c": {"prototype": "openai", "parameters": {"organization": written}}}, **sections}
    return parse(document, environ=environ).clients["c"].parameters["organization"]


def test_an_empty_variable_counts_as_not_set() -> None:
    assert resolved("${A:-b}", {"A": ""}) == "b"
    assert resolved("x${A:-b}y", {"A": "c"}) == "xcy"


def test_an_optional_parameter_of_a_client_that_is_not_set_is_not_given() -> None:
    assert resolved("${A:-}", {}) is None


def test_declared_variables_take_the_environment_first_and_their_type() -> None:
    declared = {"n": {"type": "integer", "default": 3}, "o": {"type": "object"}, "t": {"default": "${X:-d}"}, "s": 5}
    assert parse({"variables": declared}, environ={}).variable_values() == {"n": 3, "t": "d", "s": 5}
    environ = {"n": "4", "o": '{"a": 1}', "X": "x", "s": "6"}
    assert parse({"variables": declared}, environ=environ).variable_values() == {
        "n": 4,
        "o": {"a": 1},
        "t": "x",
        "s": "6",
    }
    with pytest.raises(
        ConfigurationError, match="variable n: the environment gives something else than its type"
    ) as refused:
        parse({"variables": declared}, environ={"n": "canary"}).variable_values()
    assert "canary" not in str(refused.value)


def test_dotenv_beside_the_configuration_comes_after_the_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=from file\nB='b'\n")
    providers = Providers({"A": "from environment"}, tmp_path)
    assert [providers.find(env(name)) for name in "ABC"] == ["from environment", "b", None]
    assert [providers.source(env(name)) for name in "ABC"] == ["environment", ".env", ""]
    (tmp_path / ".env").write_text("A=from file\nB='changed'\n")
    assert providers.find(env("B")) == "changed"


def test_a_dotenv_line_is_a_variable_or_a_comment() -> None:
    text = '# c\n\nA=1\nexport B = two words \nC=\'#x\'\nD="a\\nb\\"" # c\nE=a#b # c\nF=\n'
    assert parse_dotenv(text)[0] == {"A": "1", "B": "two words", "C": "#x", "D": 'a\nb"', "E": "a#b", "F": ""}
    assert parse_dotenv("A=1\nsk-canary 1\n\nB='\n") == ({"A": "1"}, [2, 4])


def test_a_wrong_line_of_dotenv_is_a_fault_that_does_not_quote_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nsk-canary 1\n")
    with pytest.raises(InvalidConfiguration) as refused:
        parse({"routs": {}}, folder=tmp_path, environ={})
    assert [finding.place.line for finding in refused.value.findings] == [2, 1]
    assert "canary" not in str(refused.value)


def test_files_lose_their_last_line_break_and_start_at_the_folder(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("abc\n")
    providers = Providers({}, tmp_path)
    assert providers.find(Reference("file", "key")) == "abc"
    assert providers.find(Reference("file", str(tmp_path / "key"))) == "abc"
    assert providers.find(Reference("file", "none")) is None


@pytest.mark.parametrize(
    ("name", "said"), [(".", "no regular file"), ("big", "at most 1,048,576"), ("bytes", "not UTF-8")]
)
def test_files_that_are_no_text_are_refused(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "big").write_text("x" * 1_048_577)
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match=said):
        Providers({}, tmp_path).find(Reference("file", name))


def test_the_keyring_is_asked_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    ring = ModuleType("keyring")
    ring.errors = ModuleType("errors")  # type: ignore[attr-defined]
    ring.errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]
    ring.get_password = lambda service, user: asked.append((service, user)) or f"value {len(asked)}"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", ring)
    now = [0.0]
    providers = Providers({}, tmp_path, clock=lambda: now[0])
    reference = Reference("keyring", "mail/box/me")
    assert [providers.find(reference), providers.find(reference)] == ["value 1", "value 1"]
    now[0] += KEYRING_SECONDS + 1
    assert providers.find(reference) == "value 2"
    assert asked == [("mail/box", "me")] * 2


def test_without_the_keyring_package_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigurationError, match="pip install keyring"):
        Providers({}, tmp_path).find(Reference("keyring", "a/b"))


def test_all_that_is_missing_is_said_at_once() -> None:
    document = {
        "outgoing": {"o": {"publisher": {"prototype": "x", "parameters": {"a": "${A}${B}", "b": ["${keyring:s/n}"]}}}}
    }
    with pytest.raises(InvalidConfiguration) as refused:
        _ = parse(document, environ={}).outgoing["o"].publisher.parameters
    said = str(refused.value)
    assert "3 faults" in said
    assert all(part in said for part in ("${A} is not set", "${B} is not set", "parameters.b[0]", "keyring"))


AWKWARD = st.text(st.sampled_from(list("&?@{}\\ab$.`'\"")), max_size=12)


@settings(deadline=None)  # the first example imports
@given(st.lists(st.tuples(st.sampled_from(["", "a", "&", "?", "@", "{", "}", " &{x} ", "?{y}"]), AWKWARD), max_size=4))
def test_a_value_is_never_read_as_a_placeholder(pieces: list[tuple[str, str]]) -> None:
    values = {f"V{index}": value for index, (_, value) in enumerate(pieces)}
    written = "".join(f"{literal}${{V{index}}}" for index, (literal, _) in enumerate(pieces))
    template = fill_inert(parse_text(written), lambda reference: values[reference.name])
    made = compile_template(template).resolve({"x": "X"}, Scope(Context(missing="empty")))
    literal = {" &{x} ": " X ", "?{y}": ""}
    expected = "".join(literal.get(text, text) + value for text, value in pieces)
    assert (made if made is not None else "") == expected


def test_values_in_chains_and_requests_are_made_harmless(tmp_path: Path) -> None:
    document = {"outgoing": {"o": {"publisher": {"prototype": "x"}, "request": {"payload": {"input": "${A} &{b}"}}}}}
    config = parse(document, environ={"A": "&{secret}"}, folder=tmp_path)
    assert config.outgoing["o"].request == {"payload": {"input": r"\&{secret} &{b}"}}


def test_what_is_written_stays_to_be_shown() -> None:
    document = {"clients": {"c": {"prototype": "openai", "parameters": {"token": "${T}"}}}}
    config = parse(document, environ={"T": "canary-0123456789"})
    assert config.clients["c"].raw_parameters == {"token": "${T}"}
    assert "canary" not in repr(config) + repr(config.clients) + repr(config.lookup) + str(config.tree)


Redact = Callable[[str], str]


def test_the_redactor_knows_what_is_secret(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("canary-in-a-file\n")
    document = {
        "clients": {"c": {"prototype": "openai", "parameters": {"token": "${API_TOKEN}", "organization": "${ORG}"}}},
        "variables": {"pin": {"secret": True, "default": "${PIN}"}, "team": "support-team"},
        "outgoing": {"o": {"publisher": {"prototype": "x", "parameters": {"password": "${file:s}"}}}},
    }
    environ = {"API_TOKEN": "canary-token", "ORG": "organization-1", "PIN": "canary-pin"}
    redact = parse(document, environ=environ, folder=tmp_path).redactor()
    said = redact("canary-token canary-pin canary-in-a-file organization-1 support-team")
    assert said == "*** *** *** organization-1 support-team"


def test_a_value_is_secret_by_where_it_comes_from_or_where_it_goes() -> None:
    parameters = {"token": "${PLAIN}", "organization": "${ORG}", "headers": {"X-Api-Key": "${HEADER}"}}
    document = {
        "clients": {"c": {"prototype": "openai", "parameters": parameters}},
        "variables": {"address": {"default": "${PLACE}"}},
    }
    environ = {
        "PLAIN": "plain-canary", "ORG": "org-name", "HEADER": "header-canary",
        "PLACE": "postgresql://me:place%2Fcanary@db/x?password=query-canary",
    }  # fmt: skip
    redact = parse(document, environ=environ).redactor()
    assert redact.secrets == {"plain-canary", "header-canary", "place%2Fcanary", "place/canary", "query-canary"}


def test_a_secret_that_stands_in_a_client_as_it_is_is_hidden_too() -> None:
    parameters = {"token": "literal-canary", "base_uri": "https://me:place-canary@h/v1", "organization": "org-name"}
    document = {"clients": {"c": {"prototype": "openai", "parameters": parameters}}}
    assert parse(document, environ={}).redactor().secrets == {"literal-canary", "place-canary"}
