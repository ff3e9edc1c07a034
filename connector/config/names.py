"""Names in a configuration: what each entry uses, where its chains are, and which steps they have."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from connector.config.findings import Path, path_text
from connector.config.models import Component, Document
from connector.config.tree import walk
from connector.model import JSON, Fault, is_object, members
from connector.model_registry import ModelRegistry

__all__ = [
    "Use",
    "calls_and_gathers",
    "canonical_name",
    "chain_faults",
    "chains_of",
    "components",
    "ready_made_chain",
    "ready_made_names",
    "step_fields",
    "step_of",
    "steps_in",
    "uses",
]

SECTION_OF = {"client": "clients", "storage": "storages"}
"""The parameters whose value names an entry, with the section of that entry."""


@dataclass(frozen=True, slots=True)
class Use:
    """A use of an entry by its name."""

    sections: tuple[str, ...]
    """The sections to search; the first that has the name is meant."""
    name: str
    path: Path


def uses(document: Document) -> Iterator[Use]:
    """Yield every name that a configuration uses, except those of saved chains, which the compiler knows."""
    for part, path in components(document):
        yield from _of_parameters(part.raw_parameters, (*path, "parameters"))
        route = part.raw_parameters.get("route")
        if part.prototype == "route" and isinstance(route, str) and "{" not in route:
            yield Use(("routes",), route, (*path, "parameters", "route"))
    for steps, path in chains_of(document):
        yield from _of_steps(steps, path)
    yield from _of_routes(document)
    yield from _of_alarms(document)
    for name, token in document.gateway.tokens.items():
        for index, client in enumerate(token.clients or ()):
            yield Use(("clients",), client, ("gateway", "tokens", name, "clients", index))
    for host, offered in document.hosts().items():
        for index, name in enumerate(offered.outgoing or ()):
            yield Use(("outgoing",), name, (host, "outgoing", index))
        if offered.client is not None:
            yield Use(("clients",), offered.client, (host, "client"))
    clusters = [name for name, client in document.clients.items() if client.prototype == "camunda"]
    for name in clusters if document.camunda.broker is None else (document.camunda.broker,):
        yield Use(("clients",), name, ("camunda", "broker"))


def components(document: Document) -> Iterator[tuple[Component, Path]]:
    """Yield every subscriber and publisher with its path."""
    for name, incoming in document.incoming.items():
        yield incoming.subscriber, ("incoming", name, "subscriber")
    for name, outgoing in document.outgoing.items():
        yield outgoing.publisher, ("outgoing", name, "publisher")
        for part, response in (("answer", outgoing.answer), ("error", outgoing.error)):
            if response is not None and response.publisher is not None:
                yield response.publisher, ("outgoing", name, part, "publisher")


def chains_of(document: Document) -> Iterator[tuple[list[JSON], Path]]:
    """Yield every chain of a document with its path."""
    for name, incoming in document.incoming.items():
        yield incoming.raw_input, ("incoming", name, "input")
        yield incoming.raw_chain, ("incoming", name, "chain")
    for name, outgoing in document.outgoing.items():
        yield outgoing.raw_chain, ("outgoing", name, "chain")
        for part, response in (("answer", outgoing.answer), ("error", outgoing.error)):
            if response is not None:
                yield response.raw_chain, ("outgoing", name, part, "chain")
    for name, route in document.routes.items():
        yield route.raw_chain, ("routes", name, "chain")
    for name, chain in document.chains.items():
        yield chain.raw_steps, ("chains", name)


def _of_alarms(document: Document) -> Iterator[Use]:
    for name, route in document.routes.items():
        alarm = route.budget.warn if route.budget is not None else None
        if alarm is not None and alarm.client is not None:
            yield Use(("clients",), alarm.client, ("routes", name, "budget", "warn", "client"))
    for name, token in document.gateway.tokens.items():
        alarm = token.budget.warn if token.budget is not None else None
        if alarm is not None and alarm.client is not None:
            yield Use(("clients",), alarm.client, ("gateway", "tokens", name, "budget", "warn", "client"))


def _of_routes(document: Document) -> Iterator[Use]:
    for name, route in document.routes.items():
        yield Use(("incoming",), route.incoming, ("routes", name, "incoming"))
        yield Use(("outgoing",), route.outgoing, ("routes", name, "outgoing"))
    for name, schedule in document.schedules.items():
        for index, route_name in enumerate(schedule.after):
            yield Use(("routes",), route_name, ("schedules", name, "after", index))
        for index, job in enumerate(schedule.run):
            path = ("schedules", name, "run", index)
            if job.name is not None:
                yield Use(("routes", "incoming"), job.name, path)
            elif job.route is not None:
                yield Use(("routes",), job.route, (*path, "route"))
            else:
                yield Use(("incoming",), job.incoming or "", (*path, "incoming"))


def _of_parameters(parameters: Mapping[str, JSON], path: Path) -> Iterator[Use]:
    for key, section in SECTION_OF.items():
        name = parameters.get(key)
        # A name that a template makes is known only with a document.
        if isinstance(name, str) and "{" not in name:
            yield Use((section,), name, (*path, key))


def _of_steps(value: JSON, path: Path) -> Iterator[Use]:
    """Yield the names that steps use, however deeply they are nested."""
    for name, parameters, inner in steps_in(value, path):
        known = step_fields(name)
        yield from _of_parameters({key: item for key, item in parameters.items() if key in known}, inner)


def steps_in(value: JSON, path: Path) -> Iterator[tuple[str, Mapping[str, JSON], Path]]:
    """Yield everything in a chain that may be a step: its name, its parameters and their path."""
    for place, item in walk(value, path):
        if is_object(item):
            for name, parameters, inner in step_of(item):
                yield name, parameters, (*place, *inner)


def step_of(value: Mapping[str, JSON]) -> Iterator[tuple[str, Mapping[str, JSON], Path]]:
    """Yield the step that an object may be: its name, its parameters and their path in it."""
    name = value.get("prototype")
    if isinstance(name, str):
        yield name, members(value.get("parameters")), ("parameters",)
    elif len(value) == 1:
        name = next(iter(value))
        yield name, members(value[name]), (name,)


def step_fields(step: str) -> Collection[str]:
    """Return the parameters of a step; none if there is no such step."""
    from connector.transform.registry import registry

    steps = registry().steps
    return steps.find(step).fields if step in steps else ()


def canonical_name(step: str) -> str | None:
    """Return a step's own name; None if there is no such step."""
    from connector.transform.registry import registry

    steps = registry().steps
    return steps.find(step).name if step in steps else None


def ready_made_chain(name: str) -> JSON:
    """Return a chain that ships with the connector, or None."""
    from connector.transform.library import ready_made

    return ready_made().get(name)


def ready_made_names() -> list[str]:
    """Return the names of the chains that ship with the connector."""
    from connector.transform.library import ready_made

    return list(ready_made())


def chain_faults(
    chains: Iterable[tuple[JSON, Path]], saved: Mapping[str, JSON], models: Callable[[], ModelRegistry]
) -> Iterator[tuple[Path, Fault]]:
    """Yield the faults of some chains and of the saved ones, each with its path; `models` has their default models."""
    from connector.transform.compiler import Compiler
    from connector.transform.registry import registry

    compiler = Compiler(registry(), saved, models)
    for name in saved:
        compiler.check_saved(name)
    for steps, path in chains:
        compiler.compile(steps, *path)
    for fault in dict.fromkeys(compiler.faults):
        yield fault.place, Fault(path_text(fault.place), fault.found, fault.allowed, fault.suggestion)


def calls_and_gathers(steps: JSON, saved: Mapping[str, JSON]) -> bool:
    """Return whether a chain may make calls and combines documents."""
    from connector.transform.compiler import Compiler
    from connector.transform.registry import registry

    compiler = Compiler(registry(), saved)
    block = compiler.compile(steps, "chain")
    return compiler.calls and block.gathers
