"""Calls: unknown operations, and request templates that no document can make valid."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass

from connector.catalogue import Catalogue, Operation
from connector.catalogue.lookup import Use
from connector.config.findings import Finding, Path, Severity, path_text
from connector.config.names import chains_of, components, steps_in
from connector.config.rules import Subject
from connector.config.tree import walk
from connector.config.validation import templates_in
from connector.errors import UnknownName
from connector.http import prototypes
from connector.http.parameters import Common
from connector.model import JSON, Fault, InvalidRequest, Request, is_object, members
from connector.request.body import choose_kind, replace_files, view_form
from connector.request.path import fill_template
from connector.request.plan import Plan
from connector.request.successors import describe_successor, has_successor
from connector.request.validation import Findings, Validate
from connector.suggestions import did_you_mean

__all__ = ["Call", "calls_in", "check_operations", "request_findings"]

OPENAI = "openai"
USES: Mapping[bool | None, Use | None] = {True: "read", False: "write", None: None}
SECTIONS = ("path", "query", "payload", "headers")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a configuration describes."""

    parameters: Mapping[str, JSON]
    path: Path
    """The path of its parameters."""
    reads: bool | None
    """Whether it must read (True), must write (False), or may do either (None)."""
    requests: tuple[tuple[JSON, Path], ...]
    """The templates of the request, with their paths."""
    complete: bool
    """Whether nothing is added to the templates later."""
    mode: str | None = None
    """How strictly requests are checked; by default the client's setting."""


def check_operations(subject: Subject) -> Iterator[Finding]:
    """Report unknown operations, wrong directions, removed operations and requests that cannot validate."""
    catalogue = subject.catalogue
    if catalogue is None:
        return
    plans: dict[str, Plan] = {}
    for call in calls_in(subject):
        entity, action = call.parameters.get("entity"), call.parameters.get("action")
        if not isinstance(entity, str) or any(templates_in([entity, action])):
            continue
        operation = yield from _look_up(subject, catalogue, call, entity, action if isinstance(action, str) else None)
        if operation is None:
            continue
        yield from _age(subject, catalogue, call, operation)
        if call.reads is not None and call.reads != (operation.method == "GET"):
            yield _direction(subject, call, operation)
            continue
        plan = plans.setdefault(operation.name, Plan(catalogue, operation))
        mode = call.mode or _client_mode(subject, call.parameters.get("client"))
        for template, path in call.requests:
            yield from request_findings(subject, plan, template, path, complete=call.complete, mode=mode)


def _client_mode(subject: Subject, name: JSON) -> str:
    """Return how strictly a client checks requests: its own setting, else its prototype's."""
    given = _client_setting(subject, name, "validation")
    return given if given in list(Validate) else str(Common.model_fields["validation"].default)


def _client_setting(subject: Subject, name: JSON, parameter: str) -> str:
    """Return a choice that a client's parameters make, else its prototype's default."""
    client = subject.document.clients.get(name) if isinstance(name, str) else None
    for spelling in dict.fromkeys((Common.model_fields[parameter].alias or parameter, parameter)):
        given = client.raw_parameters.get(spelling) if client else None
        if isinstance(given, str):
            return given
    kinds = {kind.name: kind for kind in prototypes()}
    model = kinds[client.prototype].parameters if client and client.prototype in kinds else Common
    return str(model.model_fields[parameter].default)


def calls_in(subject: Subject) -> Iterator[Call]:
    document = subject.document
    for part, path in components(document):
        if part.prototype == OPENAI:
            yield _connection(subject, part.raw_parameters, (*path, "parameters"))
            yield from _parents(part.raw_parameters, (*path, "parameters"))
    for steps, path in chains_of(document):
        yield from _in_steps(steps, path)


def _connection(subject: Subject, parameters: Mapping[str, JSON], path: Path) -> Call:
    """Return the call of a subscriber, which parameters describe, or of a publisher, which documents make."""
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
    """Yield the calls that read a subscriber's parents, and their own parents."""
    parent = parameters.get("parent")
    if is_object(parent):
        inner = (*path, "parent")
        request: tuple[JSON, Path] = (parent.get("request") or {}, (*inner, "request"))
        yield Call(parent, inner, True, (request,), complete=not parent.get("parent"))
        yield from _parents(parent, inner)


def _in_steps(value: JSON, path: Path) -> Iterator[Call]:
    """Yield the calls of `openai` steps, however deeply they are nested."""
    for name, parameters, inner in steps_in(value, path):
        if name == OPENAI:
            request = {section: parameters[section] for section in SECTIONS if section in parameters}
            yield Call(parameters, inner, None, ((request, inner),), complete=True)


def _look_up(
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


def _age(subject: Subject, catalogue: Catalogue, call: Call, operation: Operation) -> Iterator[Finding]:
    path = (*call.path, "entity")
    if operation.removed:
        yield from _removal(subject, catalogue, call, operation, path)
    elif operation.deprecated:
        found = f"{operation.name} is deprecated"
        yield subject.warning("deprecated-operation", path, found, "it still works; look for its successor")


def _removal(subject: Subject, catalogue: Catalogue, call: Call, operation: Operation, path: Path) -> Iterator[Finding]:
    """Yield what is to be said of a removed operation; nothing where its successor is called in its place."""
    mode = _client_setting(subject, call.parameters.get("client"), "on_removed")
    known = has_successor(operation)
    if mode == "successor" and known:
        return
    found = f"{operation.name} was removed from the API on {operation.removed}"
    successor = describe_successor(catalogue, operation)
    hint = "`on_removed: successor` of the client sends it there" if known else ""
    if mode in ("refuse", "successor"):
        yield subject.finding("removed-operation", path, found, f"it is not sent; {successor}", hint)
    else:
        yield subject.warning("removed-operation", path, found, f"the API may refuse it; {successor}", hint)


TELLING = ("type", "role", "object", "kind", "mode")
"""Fields that select the branch of a union: if one is unknown, so are its siblings."""
ANY_SEGMENT = "x"


def request_findings(
    subject: Subject, plan: Plan, template: JSON, path: Path, *, complete: bool, mode: str
) -> Iterator[Finding]:
    """Yield the findings about a template for an operation's request.

    Args:
        subject: the configuration.
        plan: the operation that is called.
        template: {path, query, payload, headers} with placeholders.
        path: the path of the template.
        complete: whether nothing is added to it, so that what is missing is missing.
        mode: how strictly requests are checked.
    """
    if not is_object(template):
        return
    try:
        asked = Request.of(template)
        found = _judge(plan, _open(asked), Validate(mode))
    except InvalidRequest as error:
        found = Findings(faults=list(error.faults))
    unknown = _Unknown(template)
    for faults, severity in ((found.faults, Severity.ERROR), (found.warnings, Severity.WARNING)):
        for fault in faults:
            if unknown.reaches(fault) or (fault.found == "missing" and not complete):
                continue
            where = (*path, *unknown.place(fault.where))
            place = subject.tree.key_place(where) if "unknown" in fault.found else subject.tree.value_place(where)
            rule = "missing-parameter" if fault.found == "missing" else "wrong-request"
            shown = Fault(_place_text(path, fault.where), fault.found, fault.allowed, fault.suggestion)
            yield Finding(rule, place, shown, severity)


def _open(asked: Request) -> Request:
    """Return the request without the sections that are placeholders as a whole."""
    return Request(
        path=members(asked.path), query=members(asked.query), payload=asked.payload, headers=members(asked.headers)
    )


def _judge(plan: Plan, asked: Request, mode: Validate) -> Findings:
    findings = Findings()
    findings.faults += fill_template(plan.template, {name: _segment(value) for name, value in asked.path.items()})[1]
    values, faults = plan.query.normalise(asked.query)
    findings.faults += faults
    findings.judge(mode, [*plan.query.missing(values), *plan.query.unknown(values)], "query")
    known = {name: value for name, value in values.items() if value is not None and name in plan.query.names}
    plan.query_schema.find(known, "query", mode, findings)
    headers = plan.headers.resolve(dict(asked.headers), mode, findings)
    _judge_payload(plan, asked.payload, headers.get("content-type"), mode, findings)
    return findings


def _judge_payload(plan: Plan, payload: JSON, content_type: str | None, mode: Validate, findings: Findings) -> None:
    kind, fault = choose_kind(plan.operation, payload, content_type)
    if fault is not None:
        findings.faults.append(fault)
    if kind is None or kind == "sdp" or isinstance(payload, str):
        return
    sent: JSON = {} if payload is None else payload
    plan.payload(kind).find(view_form(sent) if kind == "multipart" else replace_files(sent), "payload", mode, findings)


def _segment(value: JSON) -> JSON:
    """Return a path value, or an example where a placeholder makes it."""
    return ANY_SEGMENT if any(templates_in(value)) else value


def _place_text(path: Path, where: str) -> str:
    return f"{path_text(path)}.{where}"


class _Unknown:
    """The paths of a template, and those whose values only a document makes known."""

    def __init__(self, template: Mapping[str, JSON]) -> None:
        self._places = {path_text(place): place for place, _ in walk(template)}
        self._open = {path_text(place) for place, _ in templates_in(template)}
        self._open |= {path_text(place[:-1]) for place, _ in templates_in(template) if place[-1] in TELLING}

    def reaches(self, fault: Fault) -> bool:
        """Return whether a fault is at, above or below a value that is not known."""
        return any(_within(fault.where, place) or _within(place, fault.where) for place in self._open)

    def place(self, where: str) -> Path:
        """Return the path of a text; for a missing member that of its object."""
        while where and where not in self._places:
            where = where[: max(where.rfind("."), where.rfind("["), 0)]
        return self._places.get(where, ())


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))
