"""Models: those that retire or are retired, and parameters that a request's model refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connector.config.findings import Finding, Path
from connector.config.names import canonical_name, chains_of, ready_made_chain, steps_in
from connector.config.rules import Subject
from connector.config.rules.requests import calls_in
from connector.config.tree import walk
from connector.config.validation import templates_in
from connector.errors import UnknownName
from connector.http import prototypes
from connector.model import JSON, Fault, is_object, members
from connector.model_registry import LifeCycle, current_day, load_registry
from connector.request.model_rules import ModelRules

__all__ = ["check_chain_refusals", "check_models", "check_refusals"]

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


def check_chain_refusals(subject: Subject) -> Iterator[Finding]:
    """Report parameters of chains that make requests which the model they name refuses."""
    if subject.catalogue is None:
        return
    registry = load_registry(subject.catalogue.folder)
    rules, saved = ModelRules(registry), subject.saved_chains
    for steps, path in chains_of(subject.document):
        if not _uses_registry(subject, _receiver(subject, path)):
            continue
        for name, parameters, inner in steps_in(steps, path):
            chain = saved[name] if name in saved else None if canonical_name(name) else ready_made_chain(name)
            known = _constants(parameters)
            if known.get("for") != parameters.get("for"):
                continue  # which request it makes is up to each document
            model = registry.find(named) if isinstance(named := known.get("model"), str) else None
            if model is not None and isinstance(named, str):
                found = (rules.refused(named, model, *made) for made in _iter_made(members(chain), known))
                yield from _name_parameters(subject, inner, members(chain), parameters, found)


def _receiver(subject: Subject, path: Path) -> JSON:
    """Return the client that a chain's documents go to, where that is known."""
    if path[0] != "outgoing" or path[2] != "chain":
        return None
    return subject.document.outgoing[str(path[1])].publisher.raw_parameters.get("client")


def _iter_made(chain: Mapping[str, JSON], known: Mapping[str, JSON]) -> Iterator[tuple[str, dict[str, JSON]]]:
    """Yield each operation that a chain may make requests for, and the payload as far as its parameters say it."""
    chosen = known.get("for", members(members(chain.get("parameters")).get("for")).get("default"))
    for operation, fields in members(chain.get("makes")).items():
        if isinstance(chosen, str) and not operation.startswith(chosen):
            continue
        payload: dict[str, JSON] = {}
        for place, parameter in members(fields).items():
            if parameter in known:
                _set_at(payload, place.split("."), known[parameter])
        yield operation, {**payload, **_constants(members(known.get("more")))}


def _set_at(payload: dict[str, JSON], keys: Sequence[str], value: JSON) -> None:
    for key in keys[:-1]:
        payload = payload.setdefault(key, {})
    payload[keys[-1]] = value


def _name_parameters(
    subject: Subject,
    path: Path,
    chain: Mapping[str, JSON],
    given: Mapping[str, JSON],
    found: Iterator[Iterator[Fault]],
) -> Iterator[Finding]:
    """Yield what is refused, at the parameters of the chain that say it."""
    names = {place: name for fields in members(chain.get("makes")).values() for place, name in fields.items()}
    told: set[str] = set()
    for fault in (each for faults in found for each in faults):
        keys = fault.where.removeprefix("payload.").split(".")
        if keys[0] in members(given.get("more")):
            place: Path = ("more", *keys)
        else:
            ends = [end for end in range(len(keys), 0, -1) if ".".join(keys[:end]) in names]
            place = (names[".".join(keys[: ends[0]])], *keys[ends[0] :]) if ends else ()
        if str(place) not in told:
            told.add(str(place))
            yield subject.finding("model-refuses", (*path, *place), fault.found, fault.allowed, at_key=True)


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
