"""The pages know the API as it is: their types are those that its document gives."""

from __future__ import annotations

import re

from tools.studio_types import TYPES, render

DECLARED = re.compile(r"^export (?:interface|type) (\w+)(.*?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)


def test_types_of_the_pages_are_those_of_the_api() -> None:
    """A new schema may wait until a page needs it; one that pages know may not be another one now."""
    known, current = (dict(DECLARED.findall(text)) for text in (TYPES.read_text(encoding="utf-8"), render()))
    assert len(known) > 50
    assert {name for name, text in known.items() if current.get(name) != text} == set(), "make studio-types"


def test_shapes_are_written_as_typescript() -> None:
    types = dict(DECLARED.findall(render()))
    assert "by_state: Partial<Record<TaskState, number>>;" in types["TaskCounts"]
    assert "next: string | null;" in types["TaskPage"]
    assert "document?: Json;" in types["RetryRequest"]
    assert types["TaskState"].strip(" =;").split(" | ")[0] == '"new"'
