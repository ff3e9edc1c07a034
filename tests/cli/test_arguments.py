from __future__ import annotations

from pathlib import Path

import pytest

from connector.cli.arguments import parse_headers, parse_pairs, read_document, set_value
from connector.errors import ConfigurationError, InvalidDocument
from connector.model import JSON


def test_pairs_repeat_into_lists_and_keep_later_equals_signs() -> None:
    assert parse_pairs(["a=1", "b=x=y", "a=2", "a=3"], "--query") == {"a": ["1", "2", "3"], "b": "x=y"}
    assert parse_pairs(None, "--query") == {}


@pytest.mark.parametrize("text", ["a", "=1", ""])
def test_a_pair_without_a_name_or_value_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"--query .* write it as name=value"):
        parse_pairs([text], "--query")


def test_headers_keep_colons_in_their_values() -> None:
    assert parse_headers(["X-A: b:c ", "Y:"]) == {"X-A": "b:c", "Y": ""}
    with pytest.raises(ConfigurationError, match="Name: value"):
        parse_headers(["X-A"])


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("payload.model=gpt-5", {"payload": {"model": "gpt-5"}}),
        ("payload.n=2", {"payload": {"n": 2}}),
        ('payload.stop=["a"]', {"payload": {"stop": ["a"]}}),
        ("query.after=", {"query": {"after": ""}}),
        ("payload.flag=true", {"payload": {"flag": True}}),
        ("payload.text=NaN", {"payload": {"text": "NaN"}}),
    ],
)
def test_set_makes_what_is_missing(assignment: str, expected: JSON) -> None:
    document: dict[str, JSON] = {}
    set_value(document, assignment)
    assert document == expected


def test_set_walks_into_lists_and_appends_at_their_end() -> None:
    document: dict[str, JSON] = {"payload": {"messages": [{"role": "user"}]}}
    set_value(document, "payload.messages.0.content=hi")
    set_value(document, 'payload.messages.1={"role": "assistant"}')
    assert document["payload"]["messages"] == [{"role": "user", "content": "hi"}, {"role": "assistant"}]
    with pytest.raises(ConfigurationError, match="not a place in a list of 2"):
        set_value(document, "payload.messages.7=1")


def test_documents_come_as_text_or_from_files(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text('{"a": 1}', encoding="utf-8")
    assert read_document('{"a": 1}', "--payload") == read_document(f"@{file}", "--payload") == {"a": 1}
    with pytest.raises(ConfigurationError, match=r"--payload: cannot read .*: No such file"):
        read_document(f"@{tmp_path / 'none.json'}", "--payload")
    with pytest.raises(InvalidDocument, match="--payload"):
        read_document("{", "--payload")
