"""Models: those that retire or are retired, and parameters that a request's model refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connector.config.findings import Finding, Path
from connector.config.rules import Subject
from connector.config.rules.requests import calls_in
from connector.config.tree import walk
from connector.config.validation import templates_in
from connector.errors import UnknownName
from connector.http import prototypes
from connector.model import JSON, Fault, is_object, members
from connector.model_registry import LifeCycle, current_day, load_registry
from connector.request.model_rules import ModelRules

__all__ = ["check_models", "check_refusals"]

SECTIONS = ("clients", "incoming", "outgoing", "chains", "routes", "variables")


def check_models(subject: Subject) -> Iterator[Finding]:
    """Report models of a configuration that stop soon or have stopped."""
    if subject.catalogue is None or not _uses_registry(subject, None):
        return
    registry = load_registry(subject.catalogue.folder)
    rules, today = ModelRules(registry), current_day()
    for path, name in _find_names(subject):
        model = registry.find(name)
        life_cycle = LifeCycle.ACTIVE if model is None else model.life_cycle(today)
        if model is not None and life_cycle is LifeCycle.RETIRED:
            fault = rules.retired(name, model)
            yield subject.finding("model-retired", path, fault.found, fault.allowed)
        elif model is not None and life_cycle is LifeCycle.RETIRES:
            fault = rules.retires(name, model)
            yield subject.warning("model-retires", path, fault.found, fault.allowed)


def _find_names(subject: Subject) -> Iterator[tuple[Path, str]]:
    """Every model that is named, with its place."""
    for section in SECTIONS:
        for path, value in walk(subject.tree.value.get(section), (section,)):
            key = str(path[-1])
            if isinstance(value, str) and (key == "model" or key.endswith("_model")) and not any(templates_in(value)):
                yield path, value


def check_refusals(subject: Subject) -> Iterator[Finding]:
    """Parameters of request templates that the model they name refuses."""
    catalogue = subject.catalogue
    if catalogue is None:
        return
    registry = load_registry(catalogue.folder)
    rules = ModelRules(registry)
    for call in calls_in(subject):
        entity, action = call.parameters.get("entity"), call.parameters.get("action")
        if not isinstance(entity, str) or not _uses_registry(subject, call.parameters.get("client")):
            continue
        try:
            operation = catalogue.find(entity, action if isinstance(action, str) else None)
        except UnknownName:
            continue  # another rule says so
        for template, path in call.requests:
            payload = members(template).get("payload")
            name = payload.get("model") if is_object(payload) else None
            model = registry.find(name) if isinstance(name, str) else None
            if model is not None and isinstance(name, str):
                known = _constants(members(payload))
                yield from _findings(subject, path, rules.refused(name, model, operation.name, known))


def _constants(payload: Mapping[str, JSON]) -> dict[str, JSON]:
    """The members of a payload that no document decides."""
    return {key: value for key, value in payload.items() if not any(templates_in(value))}


def _findings(subject: Subject, path: Path, faults: Iterator[Fault]) -> Iterator[Finding]:
    for fault in faults:
        place = (*path, *fault.where.split("."))
        yield subject.finding("model-refuses", place, fault.found, fault.allowed, at_key=True)


def _uses_registry(subject: Subject, client: JSON) -> bool:
    """Whether a client, or any where none is named, speaks to the API whose models the registry knows."""
    clients = subject.document.clients
    known = {kind.name for kind in prototypes() if kind.knows_models}
    if isinstance(client, str) and client in clients:
        return clients[client].prototype in known
    return not clients or any(each.prototype in known for each in clients.values())
