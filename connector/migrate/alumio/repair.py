"""Repair chains that do not compile: a step that fails and says why replaces the step at fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from connector.migrate.alumio.translation import RefusedStep
from connector.migrate.folder import Folder
from connector.migrate.report import ObjectLog
from connector.model import JSON, is_document, is_list
from connector.transform import ChainFault, InvalidChain, compile_chain
from connector.yaml.writer import Commented

__all__ = ["repair_chains"]

CHAINS = (("chain",), ("input",), ("answer", "chain"), ("error", "chain"))


def repair_chains(folder: Folder, logs: dict[tuple[str, str], ObjectLog]) -> None:
    """Repair every chain of a folder, and report each step that is replaced."""
    for place, rows in list(_rows(folder)):
        # Each turn replaces at least one step, so this ends.
        while faults := _faults(rows, folder):
            if sum(_replace(place, rows, fault, folder, logs) for fault in faults) == 0:
                break


def _rows(folder: Folder) -> Iterator[tuple[tuple[str, str], list[JSON]]]:
    for place, entry in folder.entries.items():
        if is_list(entry.body):
            yield place, entry.body
        for keys in CHAINS:
            found: JSON = entry.body
            for key in keys:
                found = found.get(key) if is_document(found) else None
            if is_list(found):
                yield place, found
        if place[0] == "chains" and is_document(entry.body) and is_list(entry.body.get("steps")):
            yield place, entry.body["steps"]


def _faults(rows: list[JSON], folder: Folder) -> tuple[ChainFault, ...]:
    saved = {name: entry.body for (section, name), entry in folder.entries.items() if section == "chains"}
    try:
        compile_chain(rows, saved, where="chain")
    except InvalidChain as error:
        return error.faults
    return ()


def _replace(
    place: tuple[str, str], rows: list[JSON], fault: ChainFault, folder: Folder, logs: dict[tuple[str, str], ObjectLog]
) -> bool:
    """Replace the innermost step at fault; return whether there was one."""
    where, steps, path = place, rows, list(fault.place[1:])
    if fault.place[:1] == ("chains",):
        where, path = ("chains", str(fault.place[1])), list(fault.place[2:])
        body = folder.entries[where].body
        steps = body["steps"] if is_document(body) else body
        path = path[1:] if path[:1] == ["steps"] else path
    found = _innermost(steps, path)
    if found is None:
        return False
    row, index = found
    step = row[index]
    log = logs.get(where)
    if log is not None:
        log.add_lost("", f"{fault}; a step that fails is in its place")
        log.report.uncount_uses(_uses(step))
    row[index] = RefusedStep(
        f"a step of the export does not work here: {fault.found}", step.uses if isinstance(step, Commented) else None
    )
    return True


def _uses(step: JSON) -> dict[str, int]:
    """Return the uses in a step, without those of inner steps that were replaced before."""
    found = Counter[str]((step.uses or {}) if isinstance(step, Commented) else {})
    for inner in _refusals(step):
        found.subtract(inner.uses or {})
    return dict(found)


def _refusals(value: JSON) -> Iterator[RefusedStep]:
    items = value.values() if is_document(value) else value if is_list(value) else ()
    for item in items:
        if isinstance(item, RefusedStep):
            yield item
        else:
            yield from _refusals(item)


def _innermost(steps: JSON, path: list[str | int]) -> tuple[list[JSON], int] | None:
    """Return the innermost list of steps on a path, and the index of the step on it."""
    found: tuple[list[JSON], int] | None = None
    value: JSON = steps
    for key in path:
        if is_list(value) and isinstance(key, int) and key < len(value):
            if isinstance(value[key], Commented | str) and not isinstance(value[key], RefusedStep):
                found = value, key
            value = value[key]
        elif is_document(value) and key in value:
            value = value[key]
        else:
            break
    return found
