"""Clients added to a file: everything else in it stays as it stands."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from connector.config import load
from connector.config.edits import Edit, add_client, add_entry, change_entry, remove_entry
from connector.config.tree import read_text
from connector.errors import ConfigurationError, UnknownName

EXAMPLES = Path(__file__).parent / "examples"
Write = Callable[..., Path]

COMMENTED = """\
# The project's connections.
x-team: &team {X-Team: "red"}   # shared

clients:            # whom to call
    openai:
        prototype: 'openai'   # the usual
        parameters:
            token: "${OPENAI_API_KEY}"
            headers: *team
    # the next one is ours

outgoing:
    keep:
        chain:
            - a
            - b
        publisher: {prototype: none}
"""


def test_comments_quotes_order_and_indentation_stay(write: Write) -> None:
    edit = add_client(write(COMMENTED), "erp", "http", {"base_uri": "https://erp.example.com"})
    added = [line for line in edit.diff().splitlines() if line.startswith(("+", "-")) and "connector.yaml" not in line]
    assert added == [
        "+    erp:", "+        prototype: http", "+        parameters:", "+            base_uri: https://erp.example.com"
    ]  # fmt: skip


@pytest.mark.parametrize("example", ["tickets.yaml", "variables.yaml"])
def test_examples_change_by_the_new_lines_only(example: str, write: Write) -> None:
    path = write((EXAMPLES / example).read_text())
    edit = add_client(path, "erp-2", "http", {"base_uri": "https://erp.example.com", "headers": {"X-Key": "${KEY}"}})
    assert [line for line in edit.diff().splitlines()[2:] if line.startswith("-")] == []
    edit.write()
    config = load(path, environ={"OPENAI_API_KEY": "x"})
    assert config.clients["erp-2"].raw_parameters["headers"] == {"X-Key": "${KEY}"}


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    edit = add_client(tmp_path / "new" / "connector.yaml", "a", "openai", {})
    edit.write()
    assert edit.after == "clients:\n  a:\n    prototype: openai\n"
    assert load(edit.file, environ={}).clients["a"].prototype == "openai"


def test_a_name_that_is_taken_and_a_file_that_cannot_be_edited_are_refused(write: Write) -> None:
    path = write("clients: {a: {prototype: openai}}\n")
    with pytest.raises(ConfigurationError, match="there is a client 'a' already"):
        add_client(path, "a", "openai", {})
    for text, said in (("clients: [1]\n", "clients is no object"), ("- 1\n", "not an object"), ("a: [", "not YAML")):
        with pytest.raises(ConfigurationError, match=said):
            add_client(write(text), "b", "openai", {})


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("# nothing yet\n", "# nothing yet\n\nclients:\n  new:\n    prototype: openai\n"),
        ("clients:\nroutes: {}\n", "clients:\n  new:\n    prototype: openai\nroutes: {}\n"),
        ("clients: null # none\n", "clients:\n  new:\n    prototype: openai\n"),
        ("clients: {}\nroutes: {}\n", "clients: {new: {prototype: openai}}\nroutes: {}\n"),
        (
            "clients: {a: {prototype: http, parameters: {base_uri: 'https://x.org'}} } # c\n",
            "clients: {a: {prototype: http, parameters: {base_uri: 'https://x.org'}}, new: {prototype: openai} } # c\n",
        ),
        (
            "clients:\n  a: {prototype: openai}\n  # of a\n\n# of routes\nroutes: {}\n",
            "clients:\n  a: {prototype: openai}\n  # of a\n  new:\n    prototype: openai\n\n# of routes\nroutes: {}\n",
        ),
        (
            "clients:\n  a:\n    prototype: http\n    description: |\n      Two\n\n      lines\n",
            "clients:\n  a:\n    prototype: http\n    description: |\n      Two\n\n      lines\n"
            "  new:\n    prototype: openai\n",
        ),
        (
            "clients:\r\n  a: {prototype: openai}",
            "clients:\r\n  a: {prototype: openai}\r\n  new:\r\n    prototype: openai\r\n",
        ),
        ("{}", "{clients: {new: {prototype: openai}}}"),
    ],
)
def test_it_is_written_as_its_neighbours_are(text: str, after: str, tmp_path: Path) -> None:
    path = tmp_path / "connector.yaml"
    path.write_bytes(text.encode())
    edit = add_client(path, "new", "openai", {})
    assert edit.after == after
    edit.write()
    assert path.read_bytes() == after.encode()


def test_json_stays_json(write: Write) -> None:
    path = write('{\n\t"clients": {"a": {"prototype": "openai"}}\n}\n', "connector.json")
    add_client(path, "é", "http", {"base_uri": "https://x.example"}).write()
    assert list(json.loads(path.read_text())["clients"]) == ["a", "é"]


def test_what_cannot_be_edited_safely_is_left_alone(write: Write) -> None:
    with pytest.raises(ConfigurationError, match="add it by hand"):
        add_client(write("x-all: &all\n  a: {prototype: openai}\nclients: *all\n"), "b", "openai", {})


def test_a_file_keeps_its_rights(write: Write) -> None:
    path = write("clients: {}\n")
    path.chmod(0o600)
    add_client(path, "a", "openai", {}).write()
    assert path.stat().st_mode & 0o777 == 0o600


CONNECTIONS = """\
# ours
clients:
  openai: {prototype: openai, parameters: {token: "${KEY}", headers: {X-A: "1"}}}  # the only one

incoming:
  # all tickets
  tickets:
    subscriber:
      prototype: file   # as they come
      parameters:
        url: tickets.jsonl
        format: jsonl   # one a line
    cursor: {field: at}
  # the last one
  more:
    subscriber: {prototype: file, parameters: {url: more.jsonl}}
routes: {a: {incoming: tickets, outgoing: x}, b: {incoming: more, outgoing: x}}
"""


def changed_lines(edit: Edit) -> list[str]:
    return [line for line in edit.diff().splitlines()[2:] if line.startswith(("+", "-"))]


def test_an_entry_goes_with_its_lines_and_nothing_else(write: Write) -> None:
    path = write(CONNECTIONS)
    assert changed_lines(remove_entry(path, "incoming", "more")) == [
        "-  more:", "-    subscriber: {prototype: file, parameters: {url: more.jsonl}}"
    ]  # fmt: skip
    gone = changed_lines(remove_entry(path, "incoming", "tickets"))
    assert (len(gone), gone[0], gone[-1]) == (7, "-  tickets:", "-    cursor: {field: at}")
    assert "routes: {b: {incoming: more, outgoing: x}}\n" in remove_entry(path, "routes", "a").after
    assert "routes: {a: {incoming: tickets, outgoing: x}}\n" in remove_entry(path, "routes", "b").after
    last = remove_entry(path, "clients", "openai").after
    assert last.startswith("# ours\n\nincoming:"), last


def test_a_change_writes_what_differs(write: Write) -> None:
    path = write(CONNECTIONS)
    tickets = {
        "subscriber": {"prototype": "file", "parameters": {"url": "in/*.csv", "append": [1, {"a": None}]}},
        "cursor": {"field": "at"},
        "description": "What people wrote.",
    }
    edit = change_entry(path, "incoming", "tickets", tickets)
    assert read_text(edit.after, "f").value["incoming"]["tickets"] == tickets
    assert "prototype: file   # as they come\n" in edit.after
    assert "- url: tickets.jsonl" not in changed_lines(edit)
    assert "-        format: jsonl   # one a line" in changed_lines(edit)
    client = {"prototype": "openai", "parameters": {"token": "${KEY}", "headers": {"X-A": "2", "X-B": "é: #"}}}
    edit = change_entry(path, "clients", "openai", client)
    assert len(changed_lines(edit)) == 2
    assert edit.after.count("# the only one") == 1
    with pytest.raises(UnknownName, match="did you mean 'tickets'"):
        change_entry(path, "incoming", "ticket", {})


NAMES = st.sampled_from(["a", "b", "c-d", "é", "on", "1", "x y", "null"])
SCALARS = st.sampled_from(
    [None, True, 1, 1.5, "", "text", "a: b", "# no", "two\nlines\n", "${X}", "- 1", "'", '"', "{"]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
ENTRIES = st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)


def written(document: object, style: bool | None, indent: int) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = style
    yaml.indent = indent
    text = io.StringIO()
    yaml.dump(document, text)
    return text.getvalue()


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.dictionaries(NAMES, ENTRIES, min_size=1, max_size=3), ENTRIES, st.sampled_from([True, False, None]),
    st.sampled_from([2, 4]), st.sampled_from(["\n", "\r\n"]), st.data(),
)  # fmt: skip
def test_what_comes_of_an_edit_is_what_was_wanted_or_it_is_refused(
    tmp_path: Path, entries: Any, entry: Any, style: bool | None, indent: int, newline: str, data: st.DataObject
) -> None:
    file = tmp_path / "connector.yaml"
    rest = {"incoming": {"i": {"subscriber": {"prototype": "file"}}}}
    text = "# above\n" + written({"outgoing": entries, **rest}, style, indent) + "# below\n"
    file.write_bytes(text.replace("\n", newline).encode())
    assume(read_text(text, "f").value == {"outgoing": entries, **rest})
    name = data.draw(st.sampled_from(sorted(entries)))
    for change, wanted in (
        (lambda: change_entry(file, "outgoing", name, entry), {**entries, name: entry}),
        (lambda: remove_entry(file, "outgoing", name), {key: one for key, one in entries.items() if key != name}),
        (lambda: add_entry(file, "outgoing", "new", entry), {**entries, "new": entry}),
    ):
        try:
            edit = change()
        except ConfigurationError as refused:
            event(str(refused)[-40:])
            continue
        found = read_text(edit.after, "f")
        assert not found.findings
        assert (found.value.get("outgoing") or {}) == wanted
        assert found.value["incoming"] == rest["incoming"]
        assert edit.after.count("# above") == edit.after.count("# below") == 1
