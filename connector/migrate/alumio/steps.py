"""Exported steps, with the accessors, conditions and mappers in them, in our notation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.migrate.alumio.catalog import CASES, HOLDS, RENAMED
from connector.migrate.alumio.refusals import NoCounterpart, Refusal, why
from connector.migrate.alumio.special import SPECIAL, Special
from connector.migrate.folder import safe_name
from connector.migrate.report import Log
from connector.migrate.shapes import as_list, as_map, prototypes_in
from connector.migrate.texts import our_value
from connector.migrate.yamltext import Noted
from connector.model import JSON, is_list, is_object
from connector.transform import registry
from connector.transform.declaration import Declaration
from connector.transform.shorthand import to_snake_case

__all__ = ["Names", "Translator"]


@dataclass(slots=True)
class Names:
    """What steps may name, as it is called here; what is named without being there is remembered."""

    chains: dict[str, str]
    clients: dict[str, str]
    storages: dict[str, str]
    identifiers: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The paths of the identifier of each type of entity."""
    addresses: dict[str, str] = field(default_factory=dict[str, str])
    """Where clients are that only an address names."""
    missing: dict[tuple[str, str], Log] = field(default_factory=dict[tuple[str, str], Log])
    """(section, name) of what the export does not hold, and who named it first."""

    def find(self, section: str, name: str, log: Log) -> str:
        """What a thing is called here; one that is not there gets a place of its own later."""
        known: dict[str, str] = getattr(self, section)
        if name not in known:
            known[name] = safe_name(name, known.values())
            self.missing[section, name] = log
        return known[name]

    def client(self, given: Mapping[str, JSON], log: Log) -> str:
        """The client that a request goes through: the one that is named, or one for the host of its address."""
        name, uri = given.get("client"), as_map(given.get("request")).get("uri")
        found = re.match(r"(https?://([^/?#&{]+))", uri) if isinstance(uri, str) else None
        if (not isinstance(name, str) or not name) and found:
            name = found[2]
            self.addresses[name] = found[1]
        return self.find("clients", name if isinstance(name, str) and name else "unnamed", log)


@dataclass(slots=True)
class Translator:
    """Translates the steps of one object."""

    names: Names
    log: Log
    entity_type: str = ""
    """What the documents are, as far as it is known here: a type-setter says so."""

    def steps(self, raw: JSON, path: str) -> list[JSON]:
        """A row of steps; what is nothing but a row in it becomes part of it."""
        found: list[JSON] = []
        for index, item in enumerate(as_list(raw)):
            found += self.step(item, f"{path}[{index}]")
        return found

    def step(self, raw: JSON, path: str) -> list[JSON]:
        """The steps that one step becomes."""
        if isinstance(raw, str) and raw:
            return [self.names.find("chains", raw, self.log)]
        if not is_object(raw) or not isinstance(raw.get("prototype"), str):
            self.log.refused(raw, path, "this is no step: it has no prototype")
            return [Refusal("a step of the export that could not be read")]
        counted = self.log.report.mark()
        try:
            row = self._made("step", raw, path)
        except NoCounterpart as error:
            # Without one of its parts a step would do something else, so none of it is kept.
            self.log.report.prototypes = counted
            self.log.refused(
                raw, error.path, f"{error}; a step that fails is in the place of {raw['prototype']!r} at {path}"
            )
            return [Refusal(f"{raw['prototype']!r} of the export cannot be done here: {error.brief}")]
        if len(row) == 1 and isinstance(row[0], Noted) and row[0].uses is None:
            row[0].uses = self.log.report.since(counted)
        if row and (title := str(as_map(raw.get("meta")).get("name") or "")):
            row[0] = _titled(row[0], title)
        return row

    def conditions(self, raw: JSON, path: str) -> list[JSON]:
        return self._parts("condition", raw, path)

    def mappers(self, raw: JSON, path: str) -> list[JSON]:
        return self._parts("mapper", raw, path)

    def accessor(self, raw: JSON, path: str) -> JSON:
        """An accessor; a text is a pattern, nothing is the whole document."""
        if isinstance(raw, str):
            return raw
        found = self._parts("accessor", raw, path)
        return found[0] if found else ""

    def held(self, kind: str, raw: JSON, path: str) -> JSON:
        """What a parameter holds, by the kind of it."""
        readers: dict[str, Callable[[JSON, str], JSON]] = {
            "steps": self.steps, "conditions": self.conditions, "mappers": self.mappers, "accessor": self.accessor,
        }  # fmt: skip
        return readers[kind](raw, path)

    def _parts(self, kind: str, raw: JSON, path: str) -> list[JSON]:
        found: list[JSON] = []
        given = [raw] if is_object(raw) and "prototype" in raw else as_list(raw)
        for index, item in enumerate(given):
            where = f"{path}[{index}]" if given is not raw and len(given) > 1 else path
            if not is_object(item) or not isinstance(item.get("prototype"), str):
                raise NoCounterpart(where, f"this is no {kind}: it has no prototype")
            found += self._made(kind, item, where)
        return found

    def _made(self, kind: str, raw: Mapping[str, JSON], path: str) -> list[JSON]:
        """What a use of a prototype becomes: one or, when it is a row of others, several."""
        name: str = raw["prototype"]
        parameters = {to_snake_case(key): value for key, value in as_map(raw.get("parameters")).items()}
        special: Special | None = SPECIAL.get((kind, name))
        ours, more = RENAMED[kind].get(name, (name, {}))
        known: Any = getattr(registry(), f"{kind}s")
        if special is not None:
            made = special(self, parameters, path)
        elif ours in known:
            made = self.short(kind, known.find(ours), {**more, **parameters}, path)
        else:
            raise NoCounterpart(path, why(kind, name))
        self.log.mapped(name)
        return list(made) if is_list(made) else [made]

    def short(self, kind: str, declared: Declaration, parameters: Mapping[str, JSON], path: str) -> JSON:
        """A use of one of our kinds, as briefly as it can be written."""
        given = self._parameters(declared, parameters, path)
        if not given:
            return _bare(kind, declared.name)
        sole = given.get(declared.sole) if len(given) == 1 else None
        if sole is not None and sole != [] and not is_object(sole):
            return sole if declared.name == "pattern" and kind == "accessor" else _named(kind, declared.name, sole)
        return _named(kind, declared.name, given)

    def _parameters(self, declared: Declaration, parameters: Mapping[str, JSON], path: str) -> dict[str, JSON]:
        spelt = {alias: name for name, one in declared.fields.items() for alias in (name, *one.aliases)}
        given: dict[str, JSON] = {}
        for written, value in parameters.items():
            name, where = spelt.get(written), f"{path}.{written}"
            if name is None:
                self._dropped(declared, written, value, where)
            else:
                found = self._value(written, value, where)
                if found not in ([], None) or _says_something(declared.name, name):
                    given[name] = found
        # In the order that the reference has them, and without what goes without saying.
        return {
            name: given[name]
            for name, one in declared.fields.items()
            if name in given and (one.required or given[name] != one.default or one.default is None)
        }

    def _value(self, name: str, value: JSON, path: str) -> JSON:
        holds = HOLDS.get(name)
        if holds == "accessor" and not (is_object(value) and "prototype" in value):
            holds = "accessor" if name == "accessor" else None
        if holds is not None:
            return self.held(holds, value, path)
        if name == CASES:
            return [self._case(case, f"{path}[{index}]") for index, case in enumerate(as_list(value))]
        if any(prototypes_in(value)):
            self.log.refused(value, path, "prototypes have no place here; left out")
            return None
        if name in ("storage", "client") and isinstance(value, str):
            return self.names.find(f"{name}s", value, self.log)
        return our_value(value)

    def _case(self, raw: JSON, path: str) -> JSON:
        """A further case of a conditional: one filter or several, one step or several."""
        case = {to_snake_case(key): value for key, value in as_map(raw).items()}
        filters = [key for key in ("filter", "filters", "condition", "conditions") if case.get(key)]
        steps = [key for key in ("transformer", "transformers") if case.get(key)]
        return {
            "filters": [part for key in filters for part in self.conditions(case[key], f"{path}.{key}")],
            "transformers": [part for key in steps for part in self.steps(case[key], f"{path}.{key}")],
        }

    def _dropped(self, declared: Declaration, name: str, value: JSON, path: str) -> None:
        if any(prototypes_in(value)):
            self.log.refused(value, path, f"{declared.name} has no such parameter here; left out")
        elif value not in (None, [], {}, "", False) and name not in HARMLESS:
            self.log.changed(path, f"{declared.name} has no such parameter here; left out")


HARMLESS = frozenset(("strip_enclosures", "strict", "recursive", "keys"))
"""Parameters whose usual value is how the step works here."""


def _says_something(step: str, name: str) -> bool:
    """Whether null or an empty list is a value there, and not the absence of one."""
    return name in ("value", "template", "merge_template", "array") or (step == "operator" and name == "operator")


def _bare(kind: str, name: str) -> JSON:
    """A use without parameters; the bare name of an accessor would be a pattern."""
    if kind == "accessor":
        return "" if name == "pattern" else {name: {}}
    return Noted({name: {}}) if kind == "step" else name


def _named(kind: str, name: str, value: JSON) -> JSON:
    return Noted({name: value}) if kind == "step" else {name: value}


def _titled(step: JSON, title: str) -> JSON:
    if isinstance(step, Noted):
        step.note = f"{title}\n{step.note}".strip()
        return step
    return Noted({"chain": [step]}, title) if isinstance(step, str) else step
