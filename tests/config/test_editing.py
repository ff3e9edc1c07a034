"""Clients added to a file: everything else in it stays as it stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.config import load
from connector.config.editing import add_client
from connector.errors import ConfigurationError

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
