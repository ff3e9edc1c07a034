"""Configurations read, merged and checked: all faults at once, each with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connector.config import InvalidConfiguration, Kinds, Live, load, parse
from connector.config.lint import lint
from connector.errors import ConfigurationError, UnknownName

EXAMPLES = Path(__file__).parent / "examples"
Write = Callable[..., Path]
ENVIRON = {"OPENAI_API_KEY": "sk-canary-0123456789"}


def faults(source: Path, kinds: Kinds | None = None, **options: object) -> list[str]:
    with pytest.raises(InvalidConfiguration) as refused:
        load(source, environ={}, kinds=kinds, **options)  # type: ignore[arg-type]
    folder = f"{source if source.is_dir() else source.parent}/"
    return [str(finding).replace(folder, "") for finding in refused.value.findings]


def test_the_example_of_the_guide_is_read() -> None:
    config = load(EXAMPLES / "tickets.yaml", environ=ENVIRON)
    assert config.clients["openai"].parameters == {"token": "sk-canary-0123456789", "organization": None}
    assert config.incoming["tickets"].subscriber.parameters == {"url": "tickets/*.jsonl"}
    assert config.outgoing["classify"].chain == ["chat-prompt", "structured-output"]
    assert config.routes["classify-tickets"].concurrency == 64
    assert config.schedules["nightly"].run[0].name == "spend"
    assert config.folder == EXAMPLES


def test_variables_chains_and_both_spellings_are_read(kinds: Kinds) -> None:
    config = load(EXAMPLES / "variables.yaml", environ={**ENVIRON, "TICKETS": "inbox"})
    assert config.clients["openai"].parameters["retry"] == {"maxRetries": "4", "backoff": "exponential"}
    assert config.clients["openai"].parameters["headers"] == {"X-Team": "support"}
    assert config.clients["local"].parameters["limits"] == {"concurrency": 2, "requests_per_minute": 60}
    assert config.incoming["tickets"].subscriber.parameters == {"url": "inbox/*.jsonl"}
    assert config.incoming["files"].input == [
        {"value-setter": {"configurations": {"query.limit": "@{variables.limit}"}}}
    ]
    answer = config.outgoing["answer"]
    assert (answer.on_unknown, answer.validation, answer.concurrency) == ("retry", "known", 8)
    assert answer.request == {"payload": {"temperature": 0.2, "max_output_tokens": "@{variables.limit}"}}
    assert answer.error is not None
    assert answer.error.chain == ["clean"]
    assert config.variable_values() == {
        "team": "support", "model": "gpt-5-mini", "limit": 20, "pin": "", "labels": {"a": 1}
    }  # fmt: skip
    assert set(config.saved_chains()["prompt"]) == {"parameters", "steps"}
    assert config.saved_chains()["clean"][0] == {"value-remover": {"patterns": [{"key": "internal"}]}}
    assert (config.storages["kept"].path, config.storages["seen"].path) == ("state/kept", None)


def test_a_folder_is_one_configuration() -> None:
    config = load(EXAMPLES / "folder", environ={})
    assert (list(config.clients), list(config.incoming), list(config.routes)) == (
        ["openai"],
        ["models"],
        ["keep-models"],
    )
    assert config.outgoing["keep"].description == "café 😀"


def test_names_that_two_files_give_are_refused_naming_both(write: Write) -> None:
    write("clients:\n  a: {prototype: openai}\nvariables: {x: 1}\n", "one.yaml")
    write("variables: {x: 2}\nclients:\n  b: {prototype: openai}\n  a: {prototype: http}\n", "two.yaml")
    folder = write("x-any: 1\n", "three.yml").parent
    assert faults(folder) == [
        "two.yaml:1:13 variables.x: given twice; it stands at one.yaml:3:13 already; rename or remove one of them",
        "two.yaml:4:3 clients.a: given twice; it stands at one.yaml:2:3 already; rename or remove one of them",
    ]


def test_faults_of_all_files_come_at_once(write: Write) -> None:
    write("clients: {a: {prototype: opanai}}\n", "a.yaml")
    write("clients: [", "b.yaml")
    write("- a list\n", "c.yaml")
    write("incoming: {i: {subscriber: {prototype: x, parameters: {client: b}}}}\n", "d.json")
    (write("", "e.yaml")).write_bytes(b"\xff\xfe\x00")
    found = faults(write("", "f.yaml").parent)
    assert [line.split(" ")[0] for line in found] == [
        "a.yaml:1:26",
        "b.yaml:1:11",
        "c.yaml:1:1",
        "d.json:1:64",
        "e.yaml:1:1",
    ]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no configuration at"):
        load(tmp_path / "none.yaml")
    with pytest.raises(ConfigurationError, match="holds no"):
        load(tmp_path)


def test_an_entry_that_is_wrong_is_declared_all_the_same(write: Write) -> None:
    path = write("clients: {a: {}}\nincoming: {i: {subscriber: {prototype: x, parameters: {client: a}}}}\n")
    assert faults(path) == ["connector.yaml:1:14 clients.a.prototype: missing; it is needed"]


def test_parameters_of_connections_are_judged_by_their_kinds(write: Write, kinds: Kinds) -> None:
    path = write(
        "incoming: {i: {subscriber: {prototype: openai, parameters: {client: '&{x}', entity: files, pageLimit: 0}}}}\n"
    )
    assert faults(path, kinds) == [
        "connector.yaml:1:103 incoming.i.subscriber.parameters.pageLimit: found the number 0; at least 1 is allowed"
    ]


def test_values_that_are_known_later_are_judged_later(write: Write, kinds: Kinds) -> None:
    path = write(
        "incoming: {i: {subscriber: {prototype: openai,"
        " parameters: {client: '${C:-x}', entity: files, pageLimit: '${N}', action: '&{a}'}}}}\n"
    )
    config = load(path, environ={"N": "3"}, kinds=kinds)
    assert config.incoming["i"].subscriber.parameters["pageLimit"] == "3"


def test_variables_in_plain_fields_are_replaced_when_read_and_must_be_set(write: Write) -> None:
    text = "outgoing: {o: {publisher: {prototype: none}, concurrency: '${N}', onUnknown: '${U:-retry}'}}\n"
    path = write(text)
    assert faults(path) == [
        "connector.yaml:1:59 outgoing.o.concurrency: ${N} is not set;"
        " set it in the environment or in .env, or give a default: ${N:-…}"
    ]
    assert load(path, environ={"N": "7"}).outgoing["o"].concurrency == 7
    with pytest.raises(InvalidConfiguration) as refused:
        load(path, environ={"N": "canary-many"})
    assert "found a text that is not shown; an integer is allowed" in str(refused.value)
    assert "canary" not in str(refused.value)


def test_missing_variables_are_faults_only_when_they_are_required(write: Write) -> None:
    path = write("clients: {a: {prototype: openai, parameters: {token: '${T}'}}, b: {prototype: openai}}\n")
    config = load(path, environ={})
    config.require([("clients", "b")])
    with pytest.raises(InvalidConfiguration, match=r"1:54 clients\.a\.parameters\.token: \$\{T\} is not set"):
        config.require([("clients", "a"), ("clients", "b")])
    with pytest.raises(InvalidConfiguration, match=r"clients\.a\.parameters\.token: \$\{T\} is not set"):
        _ = config.clients["a"].parameters
    assert len(faults(path, require_variables=True)) == 1


def test_a_reload_of_a_broken_file_keeps_the_old_configuration(write: Write) -> None:
    path = write("variables: {a: 1}\n")
    live = Live(path, environ={})
    path.write_text("variables: {a: 2}\nclient: {}\n")
    with pytest.raises(InvalidConfiguration, match="2:1 client: unknown key"):
        live.reload()
    assert live.current.variable_values() == {"a": 1}
    path.write_text("variables: {a: 3}\n")
    assert live.reload() is live.current
    assert live.current.variable_values() == {"a": 3}


def test_programs_make_configurations_of_plain_values() -> None:
    config = parse(
        {"clients": {"a": {"prototype": "http", "parameters": {"base_uri": "${U}"}}}},
        environ={"U": "https://x.example"},
    )
    assert config.clients["a"].client().base_uri == "https://x.example"
    with pytest.raises(InvalidConfiguration, match=r"configuration:1:1 clients\.a\.prototype: missing"):
        parse({"clients": {"a": {}}})


def test_unknown_steps_and_variables_are_found_when_it_is_loaded(write: Write) -> None:
    chain = "[trimm, value-setter: {configurations: {a: '@{variables.x}'}}]"
    path = write(f"outgoing: {{o: {{chain: {chain}, publisher: {{prototype: x}}}}}}\n")
    assert [line.split(": ")[1].split(";")[0] for line in faults(path)] == [
        "unknown step or saved chain 'trimm'", "unknown variable 'x'"
    ]  # fmt: skip


def test_what_is_disabled_stops_nobody(write: Write, kinds: Kinds) -> None:
    entry = "{chain: [trimm], publisher: {prototype: kafka, parameters: {client: x, url: '${NOBODY}'}}"
    path = write(f"outgoing:\n  o: {entry}, disabled: true}}\n")
    assert load(path, environ={}, kinds=kinds, require_variables=True).outgoing["o"].disabled
    found = lint(path, environ={}, kinds=kinds)
    assert {finding.severity for finding in found} == {"warning"}
    assert {finding.rule for finding in found} == {
        "unknown-step",
        "unknown-prototype",
        "unknown-name",
        "variable-not-set",
    }
    write(f"outgoing:\n  o: {entry}}}\n")
    assert len(faults(path, kinds, require_variables=True)) == 4


def test_names_are_found_or_guessed() -> None:
    config = parse({"storages": {"seen": None}})
    assert config.find("storages", "seen") is config.storages["seen"]
    with pytest.raises(UnknownName, match="unknown storage 'sen'; did you mean 'seen'"):
        config.find("storages", "sen")
    with pytest.raises(UnknownName, match="unknown client 'x'; none is declared"):
        config.find("clients", "x")


def test_a_configuration_cannot_be_changed() -> None:
    config = parse({"routes": {}, "incoming": {"i": {"subscriber": {"prototype": "file"}}}})
    with pytest.raises(TypeError):
        config.incoming["j"] = config.incoming["i"]  # type: ignore[index]
    with pytest.raises(ValueError, match="frozen"):
        config.incoming["i"].disabled = True  # type: ignore[misc]
