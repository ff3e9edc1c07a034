"""Entities and actions that the catalogue does not know, and requests that could never be sent."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass

from connector.catalogue import Catalogue, Operation
from connector.catalogue.lookup import Use
from connector.config.checking import templated
from connector.config.findings import Finding, Path
from connector.config.names import chains_of, prototyped, steps_in
from connector.config.rules.requests import request_findings
from connector.config.rules.subject import Subject
from connector.errors import UnknownName
from connector.http import prototypes
from connector.http.parameters import Common
from connector.model import JSON, is_object
from connector.request.plan import Plan
from connector.request.validation import Validate
from connector.suggestions import did_you_mean

__all__ = ["operations"]

OPENAI = "openai"
USES: Mapping[bool | None, Use | None] = {True: "read", False: "write", None: None}
SECTIONS = ("path", "query", "payload", "headers")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a configuration describes."""

    parameters: Mapping[str, JSON]
    path: Path
    """Where its parameters stand."""
    reads: bool | None
    """Whether it must read, must write, or may do either."""
    requests: tuple[tuple[JSON, Path], ...]
    """The request's templates, with where they stand."""
    complete: bool
    """Whether nothing is added to them later."""
    mode: str | None = None
    """How hard its requests are checked, where the connection says; else its client does."""


def operations(subject: Subject) -> Iterator[Finding]:
    """Unknown entities and actions, wrong directions, what was removed, and requests that cannot validate."""
    catalogue = subject.catalogue
    if catalogue is None:
        return
    plans: dict[str, Plan] = {}
    for call in _calls(subject):
        entity, action = call.parameters.get("entity"), call.parameters.get("action")
        if not isinstance(entity, str) or any(templated([entity, action])):
            continue
        operation = yield from _found(subject, catalogue, call, entity, action if isinstance(action, str) else None)
        if operation is None:
            continue
        yield from _age(subject, call, operation)
        if call.reads is not None and call.reads != (operation.method == "GET"):
            yield _direction(subject, call, operation)
            continue
        plan = plans.setdefault(operation.name, Plan(catalogue, operation))
        mode = call.mode or _client_mode(subject, call.parameters.get("client"))
        for template, path in call.requests:
            yield from request_findings(subject, plan, template, path, complete=call.complete, mode=mode)


def _client_mode(subject: Subject, name: JSON) -> str:
    """How hard a client checks requests: as it says, else as its prototype does."""
    client = subject.document.clients.get(name) if isinstance(name, str) else None
    given = client.raw_parameters.get("validate") if client else None
    if isinstance(given, str) and given in list(Validate):
        return given
    kinds = {kind.name: kind for kind in prototypes()}
    model = kinds[client.prototype].parameters if client and client.prototype in kinds else Common
    return str(model.model_fields["validation"].default)


def _calls(subject: Subject) -> Iterator[Call]:
    document = subject.document
    for part, path in prototyped(document):
        if part.prototype == OPENAI:
            yield _connection(subject, part.raw_parameters, (*path, "parameters"))
            yield from _parents(part.raw_parameters, (*path, "parameters"))
    for steps, path in chains_of(document):
        yield from _in_steps(steps, path)


def _connection(subject: Subject, parameters: Mapping[str, JSON], path: Path) -> Call:
    """The call of a subscriber, whose request stands in its parameters, or of a publisher, whose documents make it."""
    section, name = path[0], str(path[1])
    own: tuple[JSON, Path] = (parameters.get("request") or {}, (*path, "request"))
    if section == "incoming":
        complete = not subject.document.incoming[name].raw_input and not parameters.get("parent")
        return Call(parameters, path, True, (own,), complete=complete)
    outgoing = subject.document.outgoing[name]
    requests = (own,) if "request" in parameters else ()
    if outgoing.raw_request is not None and path[2] == "publisher":
        requests = (*requests, (outgoing.raw_request, ("outgoing", name, "request")))
    return Call(parameters, path, False, requests, complete=False, mode=outgoing.validation)


def _parents(parameters: Mapping[str, JSON], path: Path) -> Iterator[Call]:
    """The entities whose children a subscriber reads; a parent's own parents fill its path."""
    parent = parameters.get("parent")
    if is_object(parent):
        inner = (*path, "parent")
        request: tuple[JSON, Path] = (parent.get("request") or {}, (*inner, "request"))
        yield Call(parent, inner, True, (request,), complete=not parent.get("parent"))
        yield from _parents(parent, inner)


def _in_steps(value: JSON, path: Path) -> Iterator[Call]:
    """The `openai` steps of a chain, however deep they stand."""
    for name, parameters, inner in steps_in(value, path):
        if name == OPENAI:
            request = {section: parameters[section] for section in SECTIONS if section in parameters}
            yield Call(parameters, inner, None, ((request, inner),), complete=True)


def _found(
    subject: Subject, catalogue: Catalogue, call: Call, entity: str, action: str | None
) -> Generator[Finding, None, Operation | None]:
    try:
        return catalogue.find(entity, action, use=USES[call.reads])
    except UnknownName as error:
        key = "action" if error.kind == "action" and action is not None else "entity"
        hint = str(error).split("; ")
        allowed = "; ".join(part for part in hint[1:] if not part.startswith("did you mean"))
        meant = did_you_mean(error.suggestions)
        where = (*call.path, key)
        yield subject.finding("unknown-operation", where, f"unknown {error.kind} {error.name!r}", allowed, meant)
        return None


def _direction(subject: Subject, call: Call, operation: Operation) -> Finding:
    found = f"{operation.name} is {operation.wire_name}"
    allowed = "a subscriber reads with GET; use a publisher" if call.reads else "it only reads; use a subscriber"
    return subject.finding("wrong-direction", (*call.path, "entity"), found, allowed)


def _age(subject: Subject, call: Call, operation: Operation) -> Iterator[Finding]:
    path = (*call.path, "entity")
    if operation.removed:
        found = f"{operation.name} was removed from the API on {operation.removed}"
        yield subject.warning("removed-operation", path, found, "the API may refuse it; look for its successor")
    elif operation.deprecated:
        found = f"{operation.name} is deprecated"
        yield subject.warning("deprecated-operation", path, found, "it still works; look for its successor")
