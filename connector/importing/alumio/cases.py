"""Exported tests as cases: their inputs, and what they expect when they say so."""

from __future__ import annotations

from connector.importing.alumio.exported import Exported
from connector.importing.folder import Entry
from connector.importing.shapes import as_list, as_map
from connector.model import JSON, is_object

__all__ = ["add_case"]


def add_case(exported: Exported, entry: Entry) -> None:
    """Adds an exported test to what it tests."""
    given = exported.parameters
    if "entity" not in given:
        exported.log.lost("parameters", "the test has no input; left out")
        return
    names = {as_map(case).get("name") for case in entry.cases}
    name, number = exported.title, 2
    while name in names:
        name, number = f"{exported.title} ({number})", number + 1
    case: dict[str, JSON] = {"name": name, "input": given["entity"]}
    entry.cases.append(case | _expected(given.get("expected")))


def _expected(raw: JSON) -> dict[str, JSON]:
    """What should come out; an export that was never told what it is says one empty map."""
    inner = as_map(raw).get("expected", raw) if is_object(raw) else raw
    outputs = [item for item in as_list(inner) if item not in ([], {}, None)]
    if not outputs:
        return {}
    return {"output": outputs[0]} if len(outputs) == 1 else {"outputs": outputs}
