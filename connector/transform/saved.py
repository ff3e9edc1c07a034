"""Saved chains: found by name, compiled once, given parameters, never calling themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connector.model import JSON, is_document, is_list
from connector.request.display import kind
from connector.suggestions import closest, did_you_mean
from connector.transform.block import Block
from connector.transform.context import Scope
from connector.transform.declaration import Action
from connector.transform.library import ready_made
from connector.transform.signals import Unfit
from connector.transform.site import Site
from connector.transform.template import Resolve, read_template

if TYPE_CHECKING:
    from connector.transform.compiler import Compiler

__all__ = ["Parameter", "Saved", "call_saved"]

TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a saved chain can be told."""

    name: str
    types: tuple[str, ...]
    required: bool
    default: Resolve

    def check(self, value: JSON) -> JSON:
        """The value, when it has one of the types; null stands for a parameter that is not given."""
        if (value is None and not self.required) or not self.types:
            return value
        if any(_is(value, name) for name in self.types):
            return value
        types = " or ".join(self.types)
        raise Unfit(f"parameter {self.name}: found {kind(value, self.name)}, a value of type {types} is needed")


def _is(value: JSON, name: str) -> bool:
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


@dataclass(frozen=True, slots=True)
class Chain:
    """A saved chain, compiled."""

    parameters: Mapping[str, Parameter]
    block: Block


class Saved:
    """The saved chains that one compilation may use."""

    def __init__(self, compiler: Compiler, chains: Mapping[str, JSON]) -> None:
        self._compiler = compiler
        self._own = chains
        self._compiled: dict[str, Chain] = {}
        self._under_way: list[str] = []

    def __contains__(self, name: str) -> bool:
        return name in self._own or name in ready_made()

    def names(self) -> list[str]:
        return [*self._own, *ready_made()]

    def find(self, name: str, site: Site) -> Chain | None:
        if name in self._under_way:
            circle = " → ".join([*self._under_way[self._under_way.index(name) :], name])
            site.fault(f"the chain calls itself: {circle}", "a chain may use others that do not use it")
            return None
        if name not in self._compiled:
            self._under_way.append(name)
            self._compiled[name] = self._compile(name)
            self._under_way.pop()
        return self._compiled[name]

    def _compile(self, name: str) -> Chain:
        root, raw = ("chains", self._own[name]) if name in self._own else ("transformers", ready_made()[name])
        site = Site((root, name), self._compiler)
        if not is_document(raw) or "prototype" in raw or "steps" not in raw:
            return Chain({}, self._compiler.block(raw, site))
        parameters = _parameters(raw.get("parameters") or {}, site.at("parameters"))
        inner = Site((root, name, "steps"), self._compiler, tuple(parameters))
        return Chain(parameters, self._compiler.block(raw["steps"], inner))


def _parameters(raw: JSON, site: Site) -> dict[str, Parameter]:
    if not is_document(raw):
        site.fault(f"found {kind(raw)}", "an object of parameters by name")
        return {}
    return {name: _parameter(name, declared or {}, site.at(name)) for name, declared in raw.items()}


def _parameter(name: str, declared: Mapping[str, JSON], site: Site) -> Parameter:
    given: JSON = declared.get("type") or []
    types: list[JSON] = given if is_list(given) else [given]
    for found in types:
        if found not in TYPES and found not in ("null", "any"):
            site.at("type").fault(
                f"found {found!r}", f"allowed: {', '.join(TYPES)}", did_you_mean(closest(str(found), TYPES))
            )
    known = () if "any" in types else tuple(found for found in types if found in TYPES)
    default = read_template(declared.get("default"), (*site.place, "default"), (), site.compiler.faults)
    return Parameter(name, known, "default" not in declared, default.resolve)


def call_saved(saved: Saved, name: str, given: Mapping[str, JSON], site: Site) -> Action:
    """The action that runs a saved chain with templates for its parameters."""
    idle = Action(lambda document, _: document)
    if name not in saved:
        steps = [kind.name for kind in site.compiler.kinds.steps]
        meant = _elsewhere(name, site) or did_you_mean(closest(name, [*saved.names(), *steps]))
        site.fault(
            f"unknown step or saved chain {name!r}",
            "a step's name, a chain of the configuration or a ready-made one",
            meant,
        )
        return idle
    chain = saved.find(name, site)
    if chain is None:
        return idle
    for key in given.keys() - chain.parameters.keys():
        site.at(key).unknown("unknown parameter", key, chain.parameters)
    if not chain.parameters:
        return Action(chain.block.run, chain.block.awaits, chain.block.many, name=name, inline=chain.block.actions)
    return _call(chain, _resolves(chain, given, site), name, site)


def _resolves(chain: Chain, given: Mapping[str, JSON], site: Site) -> list[tuple[Parameter, Resolve]]:
    resolves: list[tuple[Parameter, Resolve]] = []
    for name, parameter in chain.parameters.items():
        if name in given:
            inner = site.at(name)
            template = read_template(given[name], inner.place, site.parameters, site.compiler.faults)
            if template.constant and parameter.types and given[name] is not None:
                _check_now(parameter, template.value, inner)
            resolves.append((parameter, template.resolve))
        elif parameter.required:
            site.at(name).fault("missing", f"a value of type {' or '.join(parameter.types) or 'any'} is needed")
        else:
            resolves.append((parameter, parameter.default))
    return resolves


def _check_now(parameter: Parameter, value: JSON, site: Site) -> None:
    try:
        parameter.check(value)
    except Unfit as error:
        site.fault(str(error), "see the chain's parameters")


def _call(chain: Chain, resolves: list[tuple[Parameter, Resolve]], name: str, site: Site) -> Action:
    work = chain.block.run

    def run(document: JSON, scope: Scope) -> Any:
        given = {parameter.name: parameter.check(resolve(document, scope)) for parameter, resolve in resolves}
        return work(document, scope.inner(given))

    if chain.block.gathers:
        site.fault(f"{name!r} gathers documents and has parameters", "aggregate belongs to chains without parameters")
    return Action(run, chain.block.awaits, chain.block.many, name=name, place=site.where)


def _elsewhere(name: str, site: Site) -> str:
    """What the name is when it is no step's."""
    kinds = site.compiler.kinds
    for known, place in ((kinds.mappers, "value-mapper"), (kinds.conditions, "filters"), (kinds.accessors, "accessor")):
        if name in known:
            return f"{name} is a {known.noun}: it belongs in {place}"
    return ""
