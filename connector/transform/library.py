"""Saved chains: ready-made ones and those of a configuration, compiled once, never calling themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from connector.declarations import folder
from connector.model import JSON, is_document, is_list
from connector.model_registry import ModelRegistry, default_registry
from connector.request.display import describe_value
from connector.suggestions import closest, did_you_mean
from connector.transform.block import Block
from connector.transform.context import Scope
from connector.transform.declaration import Builder, Location
from connector.transform.errors import Unfit
from connector.transform.template import Resolve, read_template
from connector.transform.types import Action, Run

__all__ = ["IDLE", "Parameter", "ReadyMade", "SavedChains", "ready_made"]


class ReadyMade(Mapping[str, JSON]):
    """The ready-made chains by name; a file is read when it is first needed."""

    def __init__(self, place: Path) -> None:
        self._files = {path.stem: path for path in sorted(place.glob("*.yaml")) if not path.name.endswith(".test.yaml")}
        self._read: dict[str, JSON] = {}

    def __getitem__(self, name: str) -> JSON:
        from connector.yaml import read_yaml

        if name not in self._read:
            path = self._files[name]
            self._read[name] = read_yaml(path.read_bytes(), f"transformers/{path.name}")
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def file(self, name: str) -> Path:
        """Return the file of a chain."""
        return self._files[name]

    def cases(self, name: str) -> Path:
        """Return the file with the cases of a chain."""
        return self._files[name].with_suffix(".test.yaml")


@cache
def ready_made() -> ReadyMade:
    """Return the chains that ship with the connector."""
    return ReadyMade(folder("transformers"))


IDLE = Action(lambda document, _: document)
"""The action of a step that has faults."""
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
    """One parameter of a saved chain."""

    name: str
    types: tuple[str, ...]
    required: bool
    default: Resolve

    def check(self, value: JSON) -> JSON:
        """Return the value when its type is allowed; null means that the parameter is not given."""
        if (value is None and not self.required) or not self.types:
            return value
        if any(_has_type(value, name) for name in self.types):
            return value
        types = " or ".join(self.types)
        raise Unfit(
            f"parameter {self.name}: found {describe_value(value, self.name)}, a value of type {types} is needed"
        )


def _has_type(value: JSON, name: str) -> bool:
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


Resolves = list[tuple[Parameter, Resolve]]


@dataclass(frozen=True, slots=True)
class SavedChain:
    """A saved chain, compiled."""

    parameters: Mapping[str, Parameter]
    block: Block


class SavedChains:
    """The saved chains that one compilation may use.

    Args:
        builder: compiles their steps.
        chains: those of a configuration; ready-made ones come after them.
        models: gives the registry whose default models parameters with a role take.
    """

    def __init__(
        self, builder: Builder, chains: Mapping[str, JSON], models: Callable[[], ModelRegistry] = default_registry
    ) -> None:
        self._builder = builder
        self._own = chains
        self._models = models
        self._compiled: dict[str, SavedChain] = {}
        self._compiling: list[str] = []

    def __contains__(self, name: str) -> bool:
        return name in self._own or name in ready_made()

    def names(self) -> list[str]:
        return [*self._own, *ready_made()]

    def find(self, name: str, location: Location) -> SavedChain | None:
        if name in self._compiling:
            circle = " → ".join([*self._compiling[self._compiling.index(name) :], name])
            location.fault(f"the chain calls itself: {circle}", "a chain may use others that do not use it")
            return None
        if name not in self._compiled:
            self._compiling.append(name)
            self._compiled[name] = self._compile_chain(name)
            self._compiling.pop()
        return self._compiled[name]

    def _compile_chain(self, name: str) -> SavedChain:
        root, raw = ("chains", self._own[name]) if name in self._own else ("transformers", ready_made()[name])
        location = Location((root, name), self._builder)
        if not is_document(raw) or "prototype" in raw or "steps" not in raw:
            return SavedChain({}, self._builder.block(raw, location))
        parameters = _read_parameters(raw.get("parameters") or {}, location.at("parameters"), self._models)
        inner = Location((root, name, "steps"), self._builder, tuple(parameters))
        return SavedChain(parameters, self._builder.block(raw["steps"], inner))

    def call(self, name: str, given: Mapping[str, JSON], location: Location) -> Action:
        """Return the action that runs a saved chain with templates for its parameters."""
        chain = self.find(name, location)
        if chain is None:
            return IDLE
        for key in given.keys() - chain.parameters.keys():
            location.at(key).unknown("unknown parameter", key, chain.parameters)
        block = chain.block
        if not chain.parameters:
            return Action(block.run, block.awaits, block.many, name=name, inline=block.actions)
        if block.gathers:
            location.fault(
                f"{name!r} gathers documents and has parameters", "aggregate belongs to chains without parameters"
            )
        run = _with_parameters(block.run, _resolve_parameters(chain, given, location))
        return Action(run, block.awaits, block.many, name=name, where=location.where)


def _read_parameters(raw: JSON, location: Location, models: Callable[[], ModelRegistry]) -> dict[str, Parameter]:
    if not is_document(raw):
        location.fault(f"found {describe_value(raw)}", "an object of parameters by name")
        return {}
    return {name: _read_parameter(name, declared or {}, location.at(name), models) for name, declared in raw.items()}


def _read_parameter(
    name: str, declared: Mapping[str, JSON], location: Location, models: Callable[[], ModelRegistry]
) -> Parameter:
    given: JSON = declared.get("type") or []
    types: list[JSON] = given if is_list(given) else [given]
    for found in types:
        if found not in TYPES and found not in ("null", "any"):
            location.at("type").fault(
                f"found {found!r}", f"allowed: {', '.join(TYPES)}", did_you_mean(closest(str(found), TYPES))
            )
    known = () if "any" in types else tuple(found for found in types if found in TYPES)
    default = read_template(declared.get("default"), (*location.path, "default"), (), location.builder.faults)
    resolve = default.resolve
    if "role" in declared:
        resolve = _default_model(declared["role"], resolve, location, models())
    return Parameter(name, known, "default" not in declared, resolve)


def _default_model(role: JSON, resolve: Resolve, location: Location, registry: ModelRegistry) -> Resolve:
    """Return what resolves a default, or else gives the default model of a role.

    A catalogue of one's own may leave roles out: chains for them then need their model to be given.
    """
    if role not in registry.roles and role in default_registry().roles:
        return resolve
    if role not in registry.roles:
        location.at("role").unknown("unknown role of a model", str(role), registry.roles)
        return resolve
    model = registry.default(str(role))

    def resolve_or_model(document: JSON, scope: Scope) -> JSON:
        found = resolve(document, scope)
        return model if found is None or found == "" else found

    return resolve_or_model


def _resolve_parameters(
    chain: SavedChain, given: Mapping[str, JSON], location: Location
) -> list[tuple[Parameter, Resolve]]:
    resolves: Resolves = []
    for name, parameter in chain.parameters.items():
        if name in given:
            inner = location.at(name)
            template = read_template(given[name], inner.path, location.parameters, location.builder.faults)
            if template.constant and parameter.types and given[name] is not None:
                _check_constant(parameter, template.value, inner)
            resolves.append((parameter, template.resolve))
        elif parameter.required:
            location.at(name).fault("missing", f"a value of type {' or '.join(parameter.types) or 'any'} is needed")
        else:
            resolves.append((parameter, parameter.default))
    return resolves


def _check_constant(parameter: Parameter, value: JSON, location: Location) -> None:
    try:
        parameter.check(value)
    except Unfit as error:
        location.fault(str(error), "see the chain's parameters")


def _with_parameters(work: Run, resolves: Resolves) -> Run:
    def run(document: JSON, scope: Scope) -> Any:
        given = {parameter.name: parameter.check(resolve(document, scope)) for parameter, resolve in resolves}
        return work(document, scope.inner(given))

    return run
