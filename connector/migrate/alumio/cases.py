"""Exported tests as cases: their inputs, and what they expect when they say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connector.migrate.alumio.exported import Exported
from connector.migrate.folder import Entry, Folder
from connector.migrate.shapes import as_list, as_map
from connector.model import JSON, is_list, is_object

__all__ = ["add_case", "add_surroundings"]


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
    # An empty object is exported as a list.
    about: dict[str, JSON] = {} if entry.section == "chains" else {entry.section: entry.name}
    case: dict[str, JSON] = {"name": name, **about, "input": given["entity"] or {}}
    entry.cases.append(case | _expected(given.get("expected")))


def add_surroundings(folder: Folder) -> None:
    """Gives every case what its chain uses: empty storages, and empty answers to its calls, however many."""
    for (section, name), entry in folder.entries.items():
        if entry.cases:
            uses = list(_uses(name if section == "chains" else entry.body.get("chain"), folder))
            given = _chain_surroundings(uses) if section == "chains" else _connection_surroundings(uses)
            entry.cases = [{**case, **given} for case in entry.cases]


def _chain_surroundings(uses: list[Mapping[str, JSON]]) -> dict[str, JSON]:
    storages = sorted({str(use["storage"]) for use in uses if "storage" in use})
    given: dict[str, JSON] = {"storages": {storage: {} for storage in storages}} if storages else {}
    return given | ({"calls": [{"body": {}, "repeat": True}]} if _calls(uses) else {})


def _connection_surroundings(uses: list[Mapping[str, JSON]]) -> dict[str, JSON]:
    """A connection's case has the storages of its configuration."""
    answer: JSON = {"request": {}, "answer": {"body": {}}, "repeat": True}
    return {"upstream": [answer]} if _calls(uses) else {}


def _calls(uses: list[Mapping[str, JSON]]) -> bool:
    return any("client" in use for use in uses)


def _uses(name: JSON, folder: Folder) -> Iterator[Mapping[str, JSON]]:
    """The parameters of every use of a storage or a client, in a chain or its name, and in the chains that it names."""
    seen: set[str] = set()
    todo: list[JSON] = [name]
    while todo:
        item = todo.pop()
        if is_object(item):
            if isinstance(item.get("storage"), str) or isinstance(item.get("client"), str):
                yield item
            todo.extend(item.values())
        elif is_list(item):
            todo.extend(item)
        elif isinstance(item, str) and ("chains", item) in folder.entries and item not in seen:
            seen.add(item)
            todo.append(folder.entries["chains", item].body)


def _expected(raw: JSON) -> dict[str, JSON]:
    """What should come out; an export that was never told what it is says one empty map, and then nothing may fail."""
    inner = as_map(raw).get("expected", raw) if is_object(raw) else raw
    outputs = [item for item in as_list(inner) if item not in ([], {}, None)]
    if not outputs:
        return {"failed": False}
    return {"output": outputs[0]} if len(outputs) == 1 else {"outputs": outputs}
