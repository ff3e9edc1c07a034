"""Import an Alumio export: a folder of our configuration, and a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from connector.migrate.alumio.clients import make_stub, translate_client
from connector.migrate.alumio.connections import (
    Named,
    translate_incoming,
    translate_outgoing,
    translate_route,
    translate_schedule,
    translate_storage,
)
from connector.migrate.alumio.export import Exported, make_exported, read_exports
from connector.migrate.alumio.repair import repair_chains
from connector.migrate.alumio.steps import Translator
from connector.migrate.alumio.translation import Names
from connector.migrate.folder import Entry, Folder, safe_name
from connector.migrate.notation import as_list, as_map
from connector.migrate.report import ObjectLog, Report
from connector.model import JSON, is_list, is_object
from connector.yaml.writer import Commented

__all__ = ["import_alumio", "translate_objects"]

SECTIONS = {
    "http-client": "clients",
    "storage": "storages",
    "list-transformer": "chains",
    "incoming-configuration": "incoming",
    "outgoing-configuration": "outgoing",
    "route-configuration": "routes",
    "scheduler-entry": "schedules",
}
CLIENT_TEST = "http-client-test"
TESTS = {"transformer-test": "chains", "incoming-transformer-test": "incoming"}


def import_alumio(exports: list[Path], into: Path) -> Report:
    """Write a folder of our configuration from exports; return a report of what could not be imported.

    Args:
        exports: NDJSON files, read in their order; of objects that differ under one identifier the first is taken.
        into: a new or empty folder.
    """
    report = Report()
    builder = _FolderBuilder(report)
    for exported in read_exports(exports, report):
        builder.add(exported)
    folder = builder.folder()
    report.sort_lines([path.name for path in exports])
    folder.write(into, report)
    return report


def translate_objects(objects: Iterable[JSON], report: Report) -> Folder:
    """Return objects as an export holds them, in our notation."""
    builder = _FolderBuilder(report)
    for number, value in enumerate(objects, start=1):
        builder.add(make_exported(value, ObjectLog(report, "", number, "")))
    return builder.folder()


@dataclass(slots=True)
class _FolderBuilder:
    """Builds the folder from the objects that were read."""

    report: Report
    objects: dict[tuple[str, str], Exported] = field(default_factory=dict[tuple[str, str], Exported])
    named: Named = field(default_factory=lambda: {section: {} for section in SECTIONS.values()})
    repeats: list[tuple[Exported, Exported]] = field(default_factory=list[tuple[Exported, Exported]])
    made: Folder = field(default_factory=Folder)
    logs: dict[tuple[str, str], ObjectLog] = field(default_factory=dict[tuple[str, str], ObjectLog])

    def add(self, exported: Exported) -> None:
        """Add an object; one with an identifier that is taken is a repetition."""
        section, place = SECTIONS.get(exported.kind), (exported.kind, exported.identifier)
        known = self.objects.get(place)
        if known is not None:
            self.repeats.append((exported, known))
            return
        self.objects[place] = exported
        if section is not None:
            names = self.named[section]
            names[exported.identifier] = safe_name(exported.identifier, names.values())

    def folder(self) -> Folder:
        """Return everything that was read, in our notation."""
        names = Names(self.named["chains"], self.named["clients"], self.named["storages"], self._identifiers())
        # What names others comes after them, so that it knows which of them there are.
        order = list(SECTIONS)
        for exported in sorted(
            self.objects.values(), key=lambda one: order.index(one.kind) if one.kind in order else -1
        ):
            self._add_entry(exported, names)
        self._add_tests()
        self._add_stubs(names)
        repair_chains(self.made, self.logs)
        _add_surroundings(self.made)
        for exported, known in self.repeats:
            self._compare_repeat(exported, known, names)
        return self.made

    def _add_entry(self, exported: Exported, names: Names) -> None:
        section = SECTIONS.get(exported.kind)
        if section is None:
            self._add_other(exported)
            return
        name = self.named[section][exported.identifier]
        entry = self._build_entry(section, exported, name, Translator(names, exported.log))
        self.report.count_object(exported.kind, imported=entry is not None)
        if entry is not None:
            self.made.add(entry)
            self.logs[section, name] = exported.log
        else:
            del self.named[section][exported.identifier]

    def _compare_repeat(self, exported: Exported, known: Exported, names: Names) -> None:
        """Report a repetition; its uses count as often as they are exported."""
        self.report.count_object(exported.kind, imported=True)
        first, again = (self._build_aside(one, names) for one in (known, exported))
        if first != again:
            place = f"{known.log.file}:{known.log.line}"
            exported.log.add_changed("", f"stands in {place} already, and differs; what stands there is taken")

    def _build_aside(self, exported: Exported, names: Names) -> JSON:
        """Return what an object becomes without adding it; the uses of a repetition are counted."""
        section = SECTIONS.get(exported.kind)
        if section is None:
            return exported.body
        aside = Report()
        quiet = replace(exported, log=replace(exported.log, report=aside))
        entry = self._build_entry(
            section, quiet, self.named[section].get(exported.identifier, ""), Translator(names, quiet.log)
        )
        if self.objects[exported.kind, exported.identifier] is not exported:
            self.report.add_uses(aside)
        return None if entry is None else entry.body

    def _build_entry(self, section: str, exported: Exported, name: str, translator: Translator) -> Entry | None:
        makers: dict[str, Callable[[], Entry | None]] = {
            "clients": lambda: translate_client(exported, name),
            "incoming": lambda: translate_incoming(exported, name, translator),
            "outgoing": lambda: translate_outgoing(exported, name, translator),
            "routes": lambda: translate_route(exported, name, translator, self.named),
            "chains": lambda: _translate_chain(exported, name, translator),
            "storages": lambda: translate_storage(exported, name),
            "schedules": lambda: translate_schedule(exported, name, self.named),
        }
        return makers[section]()

    def _identifiers(self) -> dict[str, list[str]]:
        entities = [one for (kind, _), one in self.objects.items() if kind == "entity"]
        return {
            one.identifier: [str(path) for path in as_list(one.parameters.get("identifierPath"))] for one in entities
        }

    def _add_other(self, exported: Exported) -> None:
        """Add an object that becomes part of others, or report that it becomes nothing."""
        if exported.kind == "entity":
            self.report.count_object(exported.kind, imported=True)
            schema = as_map(exported.parameters.get("schema"))
            if schema:
                self.made.schemas[exported.identifier] = schema
        elif exported.kind not in TESTS and exported.kind != CLIENT_TEST:
            self.report.count_object(exported.kind, imported=False)
            exported.log.add_refused(exported.body, "", f"objects of type {exported.kind!r} have no counterpart here")

    def _note_client_test(self, exported: Exported) -> None:
        name = self.named["clients"].get(exported.owner)
        entry = self.made.entries.get(("clients", name or ""))
        given = exported.parameters
        self.report.count_object(exported.kind, imported=entry is not None)
        if entry is None:
            exported.log.add_lost("", f"its client {exported.owner!r} is not part of the export")
        else:
            entry.notes.append(f"Tried with {given.get('method') or 'GET'} {given.get('uri') or '/'}.")

    def _add_tests(self) -> None:
        for exported in self.objects.values():
            if exported.kind == CLIENT_TEST:
                self._note_client_test(exported)
            section = TESTS.get(exported.kind)
            if section is None:
                continue
            entry = self.made.entries.get((section, self.named[section].get(exported.owner, "")))
            self.report.count_object(exported.kind, imported=entry is not None)
            if entry is None:
                exported.log.add_lost("", f"what it tests, {exported.owner!r}, is not part of the export")
            else:
                _add_case(exported, entry)

    def _add_stubs(self, names: Names) -> None:
        """Add an entry for everything that is named but not part of the export."""
        for (section, missing), log in names.missing.items():
            name = self.named[section][missing]
            noun = section.removesuffix("s")
            log.add_lost("", f"names {noun} {missing!r}, which is not part of the export; {name} is a place for it")
            if section == "clients":
                self.made.add(make_stub(name, names.addresses.get(missing, "")))
            elif section == "storages":
                self.made.add(Entry(section, name, {}, missing, "Not part of the export."))
            else:
                step: JSON = Commented(
                    {"exception": {"message": f"the saved transformer {missing!r} was not part of the export"}}
                )
                self.made.add(Entry(section, name, {"steps": [step]}, missing, "Not part of the export."))


def _translate_chain(exported: Exported, name: str, translator: Translator) -> Entry:
    steps = translator.translate_step(exported.body, "object") if exported.body else []
    if exported.disabled:
        exported.log.add_changed("", "a disabled transformer; chains cannot be disabled, it runs where it is named")
    return Entry("chains", name, {"summary": exported.title, "steps": steps}, exported.title, exported.comment)


def _add_case(exported: Exported, entry: Entry) -> None:
    """Add an exported test to the entry that it tests."""
    given = exported.parameters
    if "entity" not in given:
        exported.log.add_lost("parameters", "the test has no input; left out")
        return
    names = {as_map(case).get("name") for case in entry.cases}
    name, number = exported.title, 2
    while name in names:
        name, number = f"{exported.title} ({number})", number + 1
    # An empty object is exported as a list.
    about: dict[str, JSON] = {} if entry.section == "chains" else {entry.section: entry.name}
    case: dict[str, JSON] = {"name": name, **about, "input": given["entity"] or {}}
    entry.cases.append(case | _expectation(given.get("expected")))


def _add_surroundings(folder: Folder) -> None:
    """Add to every case what its chain uses: empty storages, and empty answers to any number of calls."""
    for (section, name), entry in folder.entries.items():
        if entry.cases:
            uses = list(_uses(name if section == "chains" else entry.body.get("chain"), folder))
            given = _chain_surroundings(uses) if section == "chains" else _connection_surroundings(uses)
            entry.cases = [{**case, **given} for case in entry.cases]


def _chain_surroundings(uses: list[Mapping[str, JSON]]) -> dict[str, JSON]:
    storages = sorted({str(use["storage"]) for use in uses if "storage" in use})
    given: dict[str, JSON] = {"storages": {storage: {} for storage in storages}} if storages else {}
    return given | ({"calls": [{"body": {}, "repeat": True}]} if _has_calls(uses) else {})


def _connection_surroundings(uses: list[Mapping[str, JSON]]) -> dict[str, JSON]:
    """A connection's case has the storages of its configuration."""
    answer: JSON = {"request": {}, "answer": {"body": {}}, "repeat": True}
    return {"upstream": [answer]} if _has_calls(uses) else {}


def _has_calls(uses: list[Mapping[str, JSON]]) -> bool:
    return any("client" in use for use in uses)


def _uses(name: JSON, folder: Folder) -> Iterator[Mapping[str, JSON]]:
    """Yield the parameters of every use of a storage or a client in a chain and in the chains that it names."""
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


def _expectation(raw: JSON) -> dict[str, JSON]:
    """Return the expected output; an export without one says an empty map, and then nothing may fail."""
    inner = as_map(raw).get("expected", raw) if is_object(raw) else raw
    outputs = [item for item in as_list(inner) if item not in ([], {}, None)]
    if not outputs:
        return {"failed": False}
    return {"output": outputs[0]} if len(outputs) == 1 else {"outputs": outputs}
