"""An Alumio export becomes a folder of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from connector.migrate.alumio import wiring
from connector.migrate.alumio.cases import add_case, add_surroundings
from connector.migrate.alumio.clients import client, stub
from connector.migrate.alumio.connections import incoming, outgoing
from connector.migrate.alumio.exported import Exported, read_exports
from connector.migrate.alumio.mending import mend
from connector.migrate.alumio.steps import Names, Translator
from connector.migrate.folder import Entry, Folder, safe_name
from connector.migrate.report import Log, Report
from connector.migrate.shapes import as_list, as_map
from connector.migrate.yamltext import Noted
from connector.model import JSON

__all__ = ["import_alumio"]

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
    """Writes a folder of our configuration from exports, and reports what could not be carried over.

    Args:
        exports: NDJSON files, read in their order; of objects that differ under one identifier the first is taken.
        into: a new or empty folder.
    """
    report = Report()
    building = _Building(report)
    for exported in read_exports(exports, report):
        building.take(exported)
    folder = building.folder()
    report.sort([path.name for path in exports])
    folder.write(into, report)
    return report


@dataclass(slots=True)
class _Building:
    """What has been read, and what it becomes."""

    report: Report
    objects: dict[tuple[str, str], Exported] = field(default_factory=dict[tuple[str, str], Exported])
    named: wiring.Named = field(default_factory=lambda: {section: {} for section in SECTIONS.values()})
    repeats: list[tuple[Exported, Exported]] = field(default_factory=list[tuple[Exported, Exported]])
    made: Folder = field(default_factory=Folder)
    logs: dict[tuple[str, str], Log] = field(default_factory=dict[tuple[str, str], Log])

    def take(self, exported: Exported) -> None:
        """Keeps an object, or says why not."""
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
        """Everything that was read, in our notation."""
        names = Names(self.named["chains"], self.named["clients"], self.named["storages"], self._identifiers())
        # What names others comes after them, so that it knows which of them there are.
        order = list(SECTIONS)
        for exported in sorted(
            self.objects.values(), key=lambda one: order.index(one.kind) if one.kind in order else -1
        ):
            self._object(exported, names)
        self._tests()
        self._stubs(names)
        mend(self.made, self.logs)
        add_surroundings(self.made)
        for exported, known in self.repeats:
            self._repeat(exported, known, names)
        return self.made

    def _object(self, exported: Exported, names: Names) -> None:
        section = SECTIONS.get(exported.kind)
        if section is None:
            self._other(exported)
            return
        name = self.named[section][exported.identifier]
        entry = self._entry(section, exported, name, Translator(names, exported.log))
        self.report.object(exported.kind, imported=entry is not None)
        if entry is not None:
            self.made.add(entry)
            self.logs[section, name] = exported.log
        else:
            del self.named[section][exported.identifier]

    def _repeat(self, exported: Exported, known: Exported, names: Names) -> None:
        """What is said twice is there once; its uses count as often as they are said."""
        self.report.object(exported.kind, imported=True)
        first, again = (self._aside(one, names) for one in (known, exported))
        if first != again:
            place = f"{known.log.file}:{known.log.line}"
            exported.log.changed("", f"stands in {place} already, and differs; what stands there is taken")

    def _aside(self, exported: Exported, names: Names) -> JSON:
        """What an object becomes, looked at but not kept; that which is not the first is counted."""
        section = SECTIONS.get(exported.kind)
        if section is None:
            return exported.body
        aside = Report()
        quiet = replace(exported, log=replace(exported.log, report=aside))
        entry = self._entry(
            section, quiet, self.named[section].get(exported.identifier, ""), Translator(names, quiet.log)
        )
        if self.objects[exported.kind, exported.identifier] is not exported:
            self.report.add(aside)
        return None if entry is None else entry.body

    def _entry(self, section: str, exported: Exported, name: str, this: Translator) -> Entry | None:
        makers: dict[str, Callable[[], Entry | None]] = {
            "clients": lambda: client(exported, name),
            "incoming": lambda: incoming(exported, name, this),
            "outgoing": lambda: outgoing(exported, name, this),
            "routes": lambda: wiring.route(exported, name, this, self.named),
            "chains": lambda: _chain(exported, name, this),
            "storages": lambda: wiring.storage(exported, name),
            "schedules": lambda: wiring.schedule(exported, name, self.named),
        }
        return makers[section]()

    def _identifiers(self) -> dict[str, list[str]]:
        entities = [one for (kind, _), one in self.objects.items() if kind == "entity"]
        return {
            one.identifier: [str(path) for path in as_list(one.parameters.get("identifierPath"))] for one in entities
        }

    def _other(self, exported: Exported) -> None:
        """Objects that become part of others, or of nothing."""
        if exported.kind == "entity":
            self.report.object(exported.kind, imported=True)
            schema = as_map(exported.parameters.get("schema"))
            if schema:
                self.made.schemas[exported.identifier] = schema
        elif exported.kind not in TESTS and exported.kind != CLIENT_TEST:
            self.report.object(exported.kind, imported=False)
            exported.log.refused(exported.body, "", f"objects of type {exported.kind!r} have no counterpart here")

    def _client_test(self, exported: Exported) -> None:
        name = self.named["clients"].get(exported.owner)
        entry = self.made.entries.get(("clients", name or ""))
        given = exported.parameters
        self.report.object(exported.kind, imported=entry is not None)
        if entry is None:
            exported.log.lost("", f"its client {exported.owner!r} is not part of the export")
        else:
            entry.notes.append(f"Tried with {given.get('method') or 'GET'} {given.get('uri') or '/'}.")

    def _tests(self) -> None:
        for exported in self.objects.values():
            if exported.kind == CLIENT_TEST:
                self._client_test(exported)
            section = TESTS.get(exported.kind)
            if section is None:
                continue
            entry = self.made.entries.get((section, self.named[section].get(exported.owner, "")))
            self.report.object(exported.kind, imported=entry is not None)
            if entry is None:
                exported.log.lost("", f"what it tests, {exported.owner!r}, is not part of the export")
            else:
                add_case(exported, entry)

    def _stubs(self, names: Names) -> None:
        """A place for everything that is named but not part of the export."""
        for (section, missing), log in names.missing.items():
            name = self.named[section][missing]
            noun = section.removesuffix("s")
            log.lost("", f"names {noun} {missing!r}, which is not part of the export; {name} is a place for it")
            if section == "clients":
                self.made.add(stub(name, names.addresses.get(missing, "")))
            elif section == "storages":
                self.made.add(Entry(section, name, {}, missing, "Not part of the export."))
            else:
                step: JSON = Noted(
                    {"exception": {"message": f"the saved transformer {missing!r} was not part of the export"}}
                )
                self.made.add(Entry(section, name, {"steps": [step]}, missing, "Not part of the export."))


def _chain(exported: Exported, name: str, this: Translator) -> Entry:
    steps = this.step(exported.body, "object") if exported.body else []
    if exported.disabled:
        exported.log.changed("", "a disabled transformer; chains cannot be disabled, it runs where it is named")
    return Entry("chains", name, {"summary": exported.title, "steps": steps}, exported.title, exported.comment)
