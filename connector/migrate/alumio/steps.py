"""Translate exported steps, with the accessors, conditions and mappers in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.migrate.alumio.counterparts import COUNTERPARTS
from connector.migrate.alumio.translation import Counterpart, Names, NoCounterpart, RefusedStep, explain_refusal
from connector.migrate.notation import as_list, as_map, translate_value
from connector.migrate.report import ObjectLog, prototypes_in
from connector.model import JSON, is_list, is_object
from connector.transform import registry
from connector.transform.declaration import Declaration
from connector.transform.shorthand import to_snake_case
from connector.yaml.writer import Commented

__all__ = ["Translator"]

HOLDS: Mapping[str, str] = {
    "transformers": "steps",
    "node_transformers": "steps",
    "else_transformers": "steps",
    "transformer": "steps",
    "filters": "conditions",
    "node_filters": "conditions",
    "conditions": "conditions",
    "filter": "conditions",
    "condition": "conditions",
    "mappers": "mappers",
    "mapper": "mappers",
    "accessor": "accessor",
    "source": "accessor",
    "destination": "accessor",
}
"""What a parameter holds, by its name; source and destination may also be paths."""
CASES = "else_cases"

RENAMED: Mapping[str, Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "mapper": {
        "string-lower": ("string-case", {"case": "lower"}),
        "string-upper": ("string-case", {"case": "upper"}),
        "string-trim": ("trim", {}),
        "list-concat": ("list-implode", {}),
        "list-join": ("list-implode", {}),
        "string-hash": ("hash", {}),
        "json-encode": ("serialize-json", {}),
        "json-decode": ("deserialize-json", {}),
    },
    "condition": {
        "and-condition": ("logic-and", {}),
        "or-condition": ("logic-or", {}),
        "not-condition": ("logic-not", {}),
    },
    "step": {"execute-entity-transformers": ("chain", {})},
    "accessor": {},
}
"""Names that a registry does not know, as one that it knows, with parameters that say the rest."""


@dataclass(slots=True)
class Translator:
    """Translates the steps of one object."""

    names: Names
    log: ObjectLog
    entity_type: str = ""
    """The type of the documents, where a type-setter says so."""

    def translate_steps(self, raw: JSON, path: str) -> list[JSON]:
        """Translate a list of steps; a list within it becomes part of it."""
        found: list[JSON] = []
        for index, item in enumerate(as_list(raw)):
            found += self.translate_step(item, f"{path}[{index}]")
        return found

    def translate_step(self, raw: JSON, path: str) -> list[JSON]:
        """Return the steps that one step becomes."""
        if isinstance(raw, str) and raw:
            return [self.names.find("chains", raw, self.log)]
        if not is_object(raw) or not isinstance(raw.get("prototype"), str):
            self.log.add_refused(raw, path, "this is no step: it has no prototype")
            return [RefusedStep("a step of the export that could not be read")]
        counted = self.log.report.copy_uses()
        try:
            row = self._translate_use("step", raw, path)
        except NoCounterpart as error:
            # Without one of its parts a step would do something else, so none of it is kept.
            self.log.report.prototypes = counted
            self.log.add_refused(
                raw, error.path, f"{error}; a step that fails is in the place of {raw['prototype']!r} at {path}"
            )
            return [RefusedStep(f"{raw['prototype']!r} of the export cannot be done here: {error.brief}")]
        if len(row) == 1 and isinstance(row[0], Commented) and row[0].uses is None:
            row[0].uses = self.log.report.uses_since(counted)
        if row and (title := str(as_map(raw.get("meta")).get("name") or "")):
            row[0] = _add_title(row[0], title)
        return row

    def translate_conditions(self, raw: JSON, path: str) -> list[JSON]:
        return self._translate_uses("condition", raw, path)

    def translate_mappers(self, raw: JSON, path: str) -> list[JSON]:
        return self._translate_uses("mapper", raw, path)

    def translate_accessor(self, raw: JSON, path: str) -> JSON:
        """Translate an accessor; a text is a pattern, nothing is the whole document."""
        if isinstance(raw, str):
            return raw
        found = self._translate_uses("accessor", raw, path)
        return found[0] if found else ""

    def translate_held(self, kind: str, raw: JSON, path: str) -> JSON:
        """Translate what a parameter holds, by its kind."""
        readers: dict[str, Callable[[JSON, str], JSON]] = {
            "steps": self.translate_steps,
            "conditions": self.translate_conditions,
            "mappers": self.translate_mappers,
            "accessor": self.translate_accessor,
        }
        return readers[kind](raw, path)

    def _translate_uses(self, kind: str, raw: JSON, path: str) -> list[JSON]:
        found: list[JSON] = []
        given = [raw] if is_object(raw) and "prototype" in raw else as_list(raw)
        for index, item in enumerate(given):
            where = f"{path}[{index}]" if given is not raw and len(given) > 1 else path
            if not is_object(item) or not isinstance(item.get("prototype"), str):
                raise NoCounterpart(where, f"this is no {kind}: it has no prototype")
            found += self._translate_use(kind, item, where)
        return found

    def _translate_use(self, kind: str, raw: Mapping[str, JSON], path: str) -> list[JSON]:
        """Return what the use of a prototype becomes: one of ours or several."""
        name: str = raw["prototype"]
        parameters = {to_snake_case(key): value for key, value in as_map(raw.get("parameters")).items()}
        counterpart: Counterpart | None = COUNTERPARTS.get((kind, name))
        ours, more = RENAMED[kind].get(name, (name, {}))
        known: Any = getattr(registry(), f"{kind}s")
        if counterpart is not None:
            made = counterpart(self, parameters, path)
        elif ours in known:
            made = self.write_briefly(kind, known.find(ours), {**more, **parameters}, path)
        else:
            raise NoCounterpart(path, explain_refusal(kind, name))
        self.log.count_mapped(name)
        return list(made) if is_list(made) else [made]

    def write_briefly(self, kind: str, declared: Declaration, parameters: Mapping[str, JSON], path: str) -> JSON:
        """Write a use of one of our kinds as briefly as possible."""
        given = self._parameters(declared, parameters, path)
        if not given:
            return _bare(kind, declared.name)
        sole = given.get(declared.sole) if len(given) == 1 else None
        if sole is not None and sole != [] and not is_object(sole):
            return sole if declared.name == "pattern" and kind == "accessor" else _name_part(kind, declared.name, sole)
        return _name_part(kind, declared.name, given)

    def _parameters(self, declared: Declaration, parameters: Mapping[str, JSON], path: str) -> dict[str, JSON]:
        spelt = {alias: name for name, one in declared.fields.items() for alias in (name, *one.aliases)}
        given: dict[str, JSON] = {}
        for written, value in parameters.items():
            name, where = spelt.get(written), f"{path}.{written}"
            if name is None:
                self._report_dropped(declared, written, value, where)
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
            return self.translate_held(holds, value, path)
        if name == CASES:
            return [self._case(case, f"{path}[{index}]") for index, case in enumerate(as_list(value))]
        if any(prototypes_in(value)):
            self.log.add_refused(value, path, "prototypes have no place here; left out")
            return None
        if name in ("storage", "client") and isinstance(value, str):
            return self.names.find(f"{name}s", value, self.log)
        return translate_value(value)

    def _case(self, raw: JSON, path: str) -> JSON:
        """Translate a further case of a conditional: its filters and its steps."""
        case = {to_snake_case(key): value for key, value in as_map(raw).items()}
        filters = [key for key in ("filter", "filters", "condition", "conditions") if case.get(key)]
        steps = [key for key in ("transformer", "transformers") if case.get(key)]
        return {
            "filters": [part for key in filters for part in self.translate_conditions(case[key], f"{path}.{key}")],
            "transformers": [part for key in steps for part in self.translate_steps(case[key], f"{path}.{key}")],
        }

    def _report_dropped(self, declared: Declaration, name: str, value: JSON, path: str) -> None:
        if any(prototypes_in(value)):
            self.log.add_refused(value, path, f"{declared.name} has no such parameter here; left out")
        elif value not in (None, [], {}, "", False) and name not in HARMLESS:
            self.log.add_changed(path, f"{declared.name} has no such parameter here; left out")


HARMLESS = frozenset(("strip_enclosures", "strict", "recursive", "keys"))
"""Parameters whose usual value is how the step works here anyway."""


def _says_something(step: str, name: str) -> bool:
    """Return whether null or an empty list is a value there."""
    return name in ("value", "template", "merge_template", "array") or (step == "operator" and name == "operator")


def _bare(kind: str, name: str) -> JSON:
    """Return a use without parameters; the bare name of an accessor would be a pattern."""
    if kind == "accessor":
        return "" if name == "pattern" else {name: {}}
    return Commented({name: {}}) if kind == "step" else name


def _name_part(kind: str, name: str, value: JSON) -> JSON:
    return Commented({name: value}) if kind == "step" else {name: value}


def _add_title(step: JSON, title: str) -> JSON:
    if isinstance(step, Commented):
        step.note = f"{title}\n{step.note}".strip()
        return step
    return Commented({"chain": [step]}, title) if isinstance(step, str) else step
