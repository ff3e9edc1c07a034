"""From steps as they are written to actions that run; every fault is collected, none stops the reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from connector.errors import ConnectorError
from connector.model import JSON, is_document, is_list
from connector.request.display import kind
from connector.suggestions import closest, did_you_mean
from connector.transform.block import Block
from connector.transform.declaration import Action, Declaration, Look, Map, Test
from connector.transform.registry import Kinds, Known
from connector.transform.saved import Saved, call_saved
from connector.transform.signals import ChainFault
from connector.transform.site import Site
from connector.transform.spelling import parameters_of, snake, split

__all__ = ["Compiler"]

Kind = TypeVar("Kind", bound=Declaration)


class Compiler:
    """Reads one chain and the saved chains it uses."""

    def __init__(self, kinds: Kinds, chains: Mapping[str, JSON]) -> None:
        self.kinds = kinds
        self.faults: list[ChainFault] = []
        self.calls = False
        """Whether a step may make calls."""
        self.saved = Saved(self, chains)

    def block(self, raw: JSON, site: Site) -> Block:
        """A row of steps; one step may stand for a row of one."""
        if not raw and (raw is None or raw == "" or is_document(raw)):
            return Block(())
        if isinstance(raw, str) or is_document(raw):
            return Block((self.step(raw, site),))
        if not is_list(raw):
            site.fault(f"found {kind(raw)}", "a list of steps")
            return Block(())
        return Block(tuple(self.step(item, site.at(index)) for index, item in enumerate(raw)))

    def step(self, raw: JSON, site: Site) -> Action:
        if isinstance(raw, str):
            return call_saved(self.saved, raw, {}, site)
        taken = split(raw, site, "step")
        if taken is None:
            return Action(lambda document, _: document)
        name, given, inner = taken
        if name not in self.kinds.steps:
            known = name in self.saved
            return call_saved(self.saved, name, parameters_of(given, inner) if known else {}, inner)
        declared = self.kinds.steps.find(name)
        name = declared.name
        built = self._build(declared, given, inner)
        if isinstance(built, Action):
            self.calls |= built.awaits and declared.calls
            return Action(built.run, built.awaits, built.many, built.gather, name, site.where, built.inline)
        return Action(built or (lambda document, _: document), name=name, place=site.where)

    def condition(self, raw: JSON, site: Site) -> Test:
        taken = split(raw, site, "condition")
        declared = self._find(self.kinds.conditions, taken[0], site) if taken else None
        built = self._build(declared, taken[1], taken[2]) if declared and taken else None
        name = declared.name if declared else ""
        if isinstance(built, Test):
            self.calls |= built.awaits and (declared is None or declared.calls)
            return Test(built.holds, built.awaits, name, site.where)
        return Test(built or (lambda _value, _document, _scope: True), name=name, place=site.where)

    def mapper(self, raw: JSON, site: Site) -> Map:
        taken = split(raw, site, "mapper")
        declared = self._find(self.kinds.mappers, taken[0], site) if taken else None
        built: Map | None = self._build(declared, taken[1], taken[2]) if declared and taken else None
        return built or (lambda value, _: value)

    def accessor(self, raw: JSON, site: Site) -> Look | None:
        taken = split({"pattern": {"pattern": raw}} if isinstance(raw, str) else raw, site, "accessor")
        declared = self._find(self.kinds.accessors, taken[0], site) if taken else None
        return self._build(declared, taken[1], taken[2]) if declared and taken else None

    def _find(self, kinds: Known[Kind], name: str, site: Site) -> Kind | None:
        try:
            return kinds.find(name)
        except ConnectorError as error:
            site.fault(str(error), f"see the {kinds.noun}s there are")
            return None

    def _build(self, declared: Declaration, given: JSON, site: Site) -> Any:
        """What the declaration makes of its parameters; None when they have faults."""
        before = len(self.faults)
        values = self._read(declared, given, site)
        if len(self.faults) > before:
            return None
        try:
            return declared.build(**values)
        except ConnectorError as error:
            site.fault(str(error), f"see {declared.name}")
        except Exception as error:  # noqa: BLE001  a third party's build may raise anything
            site.fault(f"{type(error).__name__}: {error}", f"{declared.name} could not be built")
        return None

    def _read(self, declared: Declaration, raw: JSON, site: Site) -> dict[str, Any]:
        before = len(self.faults)
        given = _parameters(declared, raw, site)
        if len(self.faults) > before:
            return {}
        written = self._spelt(declared, given, site)
        values: dict[str, Any] = {}
        for name, field in declared.fields.items():
            if name in written and (given[written[name]] is not None or field.nulls):
                # What stands for the sole field has no key of its own.
                place = site.at(written[name]) if is_document(raw) else site
                values[name] = field.read(given[written[name]], place)
            elif field.required:
                site.at(name).fault("missing", f"{declared.name} needs {field.kind}: {field.summary}")
            else:
                values[name] = field.absent if field.default is None else field.read(field.default, site.at(name))
        return values

    def _spelt(self, declared: Declaration, given: Mapping[str, JSON], site: Site) -> dict[str, str]:
        """How the fields that are given are written; what no field is called is a fault."""
        spelt = {alias: name for name, field in declared.fields.items() for alias in (name, *field.aliases)}
        found: dict[str, str] = {}
        for key in given:
            name = spelt.get(key) or spelt.get(snake(key))
            if name is None:
                known = list(declared.fields)
                allowed = f"{declared.name} has {', '.join(known)}" if known else f"{declared.name} has no parameters"
                site.at(key).fault("unknown parameter", allowed, did_you_mean(closest(snake(key), known)))
            elif name in found:
                site.at(key).fault("given twice", f"{found[name]} is the same")
            else:
                found[name] = key
        return found


def _parameters(declared: Declaration, given: JSON, site: Site) -> Mapping[str, JSON]:
    """The parameters as an object; in short, an empty list may be the value of the sole field."""
    sole = declared.sole
    if given == [] and sole and site.place[-1] != "parameters" and declared.fields[sole].lists:
        return {sole: given}
    return parameters_of(given, site, sole)
