"""Compiles steps as they are written to actions that run; every fault is collected, none stops the compilation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from connector.errors import ConnectorError
from connector.model import JSON, is_document, is_list
from connector.model_registry import ModelRegistry, default_registry
from connector.request.display import describe_value
from connector.suggestions import closest, did_you_mean
from connector.transform.block import Block
from connector.transform.declaration import Declaration, Location
from connector.transform.errors import ChainFault
from connector.transform.library import IDLE, SavedChains
from connector.transform.registry import KindRegistry, Kinds
from connector.transform.shorthand import as_parameters, read_shorthand, to_snake_case
from connector.transform.types import Action, Check, Map, Selector

__all__ = ["Compiler"]

Kind = TypeVar("Kind", bound=Declaration)


class Compiler:
    """Compiles one chain and the saved chains it uses; `models` gives the registry of their default models."""

    def __init__(
        self, kinds: Kinds, chains: Mapping[str, JSON], models: Callable[[], ModelRegistry] = default_registry
    ) -> None:
        self.kinds = kinds
        self.faults: list[ChainFault] = []
        self.calls = False
        """Whether a step may make calls."""
        self._saved = SavedChains(self, chains, models)

    def compile(self, raw: JSON, *path: str | int, parameters: Collection[str] | None = ()) -> Block:
        """Return the steps as one block; what is wrong with them is added to the faults."""
        return self.block(raw, Location(path, self, parameters))

    def check_saved(self, name: str) -> None:
        """Compile a saved chain for its faults alone."""
        self._saved.find(name, Location(("chains", name), self))

    def saved_chain(self, name: str, parameters: Mapping[str, JSON], location: Location) -> Action:
        if name in self._saved:
            return self._saved.call(name, parameters, location)
        steps = [kind.name for kind in self.kinds.steps]
        location.fault(
            f"unknown step or saved chain {name!r}",
            "a step's name, a chain of the configuration or a ready-made one",
            self._name_other_kind(name) or did_you_mean(closest(name, [*self._saved.names(), *steps])),
        )
        return IDLE

    def _name_other_kind(self, name: str) -> str:
        """Return where a name belongs that is not a step's; nothing when it has no place."""
        kinds = self.kinds
        places = ((kinds.mappers, "value-mapper"), (kinds.conditions, "filters"), (kinds.accessors, "accessor"))
        for known, place in places:
            if name in known:
                return f"{name} is a {known.noun}: it belongs in {place}"
        return ""

    def block(self, raw: JSON, location: Location) -> Block:
        """Build steps in a row; one step means a list of one."""
        if not raw and (raw is None or raw == "" or is_document(raw)):
            return Block(())
        if isinstance(raw, str) or is_document(raw):
            return Block((self.step(raw, location),))
        if not is_list(raw):
            location.fault(f"found {describe_value(raw)}", "a list of steps")
            return Block(())
        return Block(tuple(self.step(item, location.at(index)) for index, item in enumerate(raw)))

    def step(self, raw: JSON, location: Location) -> Action:
        if isinstance(raw, str):
            if raw in self.kinds.steps and raw not in self._saved:
                return self.step({raw: {}}, location)  # a step that needs nothing may be written by its name alone
            return self.saved_chain(raw, {}, location)
        taken = read_shorthand(raw, location, "step")
        if taken is None:
            return IDLE
        name, given, inner = taken
        if name not in self.kinds.steps:
            known = name in self._saved
            return self.saved_chain(name, as_parameters(given, inner) if known else {}, inner)
        declared = self.kinds.steps.find(name)
        name = declared.name
        built = self._build(declared, given, inner)
        if isinstance(built, Action):
            self.calls |= built.awaits and declared.calls
            return Action(built.run, built.awaits, built.many, built.gather, name, location.where, built.inline)
        return Action(built or (lambda document, _: document), name=name, where=location.where)

    def condition(self, raw: JSON, location: Location) -> Check:
        taken = read_shorthand(raw, location, "condition")
        declared = self._find(self.kinds.conditions, taken[0], location) if taken else None
        built = self._build(declared, taken[1], taken[2]) if declared and taken else None
        name = declared.name if declared else ""
        if isinstance(built, Check):
            self.calls |= built.awaits and (declared is None or declared.calls)
            return Check(built.holds, built.awaits, name, location.where)
        return Check(built or (lambda _value, _document, _scope: True), name=name, where=location.where)

    def mapper(self, raw: JSON, location: Location) -> Map:
        taken = read_shorthand(raw, location, "mapper")
        declared = self._find(self.kinds.mappers, taken[0], location) if taken else None
        built: Map | None = self._build(declared, taken[1], taken[2]) if declared and taken else None
        return built or (lambda value, _: value)

    def accessor(self, raw: JSON, location: Location) -> Selector | None:
        taken = read_shorthand({"pattern": {"pattern": raw}} if isinstance(raw, str) else raw, location, "accessor")
        declared = self._find(self.kinds.accessors, taken[0], location) if taken else None
        return self._build(declared, taken[1], taken[2]) if declared and taken else None

    def _find(self, kinds: KindRegistry[Kind], name: str, location: Location) -> Kind | None:
        try:
            return kinds.find(name)
        except ConnectorError as error:
            location.fault(str(error), f"see the {kinds.noun}s there are")
            return None

    def _build(self, declared: Declaration, given: JSON, location: Location) -> Any:
        """Build a declaration with its parameters; None when they have faults."""
        before = len(self.faults)
        values = self._read_fields(declared, given, location)
        if len(self.faults) > before:
            return None
        try:
            return declared.build(**values)
        except ConnectorError as error:
            location.fault(str(error), f"see {declared.name}")
        except Exception as error:  # noqa: BLE001  a third party's build may raise anything
            location.fault(f"{type(error).__name__}: {error}", f"{declared.name} could not be built")
        return None

    def _read_fields(self, declared: Declaration, raw: JSON, location: Location) -> dict[str, Any]:
        before = len(self.faults)
        given = _read_parameters(declared, raw, location)
        if len(self.faults) > before:
            return {}
        written = self._match_fields(declared, given, location)
        values: dict[str, Any] = {}
        for name, field in declared.fields.items():
            if name in written and (given[written[name]] is not None or field.nulls):
                # A value in place of the object has no key of its own.
                place = location.at(written[name]) if is_document(raw) else location
                values[name] = field.read(given[written[name]], place)
            elif field.required:
                location.at(name).fault("missing", f"{declared.name} needs {field.kind}: {field.summary}")
            else:
                values[name] = field.absent if field.default is None else field.read(field.default, location.at(name))
        return values

    def _match_fields(self, declared: Declaration, given: Mapping[str, JSON], location: Location) -> dict[str, str]:
        """Return how each given field is written; report unknown and repeated ones."""
        spellings = {alias: name for name, field in declared.fields.items() for alias in (name, *field.aliases)}
        found: dict[str, str] = {}
        for key in given:
            name = spellings.get(key) or spellings.get(to_snake_case(key))
            if name is None:
                known = list(declared.fields)
                allowed = f"{declared.name} has {', '.join(known)}" if known else f"{declared.name} has no parameters"
                location.at(key).fault("unknown parameter", allowed, did_you_mean(closest(to_snake_case(key), known)))
            elif name in found:
                location.at(key).fault("given twice", f"{found[name]} is the same")
            else:
                found[name] = key
        return found


def _read_parameters(declared: Declaration, given: JSON, location: Location) -> Mapping[str, JSON]:
    """Return the parameters as an object; an empty list may be the value of the sole field."""
    sole = declared.sole
    if given == [] and sole and location.path[-1] != "parameters" and declared.fields[sole].lists:
        return {sole: given}
    return as_parameters(given, location, sole)
