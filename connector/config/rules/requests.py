"""Request templates that no document can make valid: their constants are checked, placeholders may be anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connector.config.checking import templated
from connector.config.findings import Finding, Path, Severity, path_text
from connector.config.rules.subject import Subject
from connector.config.trees import walk
from connector.errors import InvalidRequest
from connector.model import JSON, Fault, Request, is_object, members
from connector.request.body import as_sent, choose, judged
from connector.request.path import fill
from connector.request.plan import Plan
from connector.request.validation import Findings, Validate

__all__ = ["request_findings"]

TELLING = ("type", "role", "object", "kind", "mode")
"""The fields that tell the branches of a union apart: when one is unknown, so is what stands beside it."""
ANY_SEGMENT = "x"


def request_findings(
    subject: Subject, plan: Plan, template: JSON, path: Path, *, complete: bool, mode: str
) -> Iterator[Finding]:
    """What is wrong with a template for an operation's request.

    Args:
        subject: where it stands.
        plan: the operation that is called.
        template: {path, query, payload, headers} with placeholders.
        path: where the template stands.
        complete: whether nothing is added to it, so that what is missing is missing.
        mode: how hard requests are checked.
    """
    if not is_object(template):
        return
    try:
        asked = Request.of(template)
        found = _judged(plan, _open(asked), Validate(mode))
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
            told = Fault(_named(path, fault.where), fault.found, fault.allowed, fault.suggestion)
            yield Finding(rule, place, told, severity)


def _open(asked: Request) -> Request:
    """A request whose whole sections may be placeholders: what is unknown as a whole is not judged."""
    return Request(
        path=members(asked.path), query=members(asked.query), payload=asked.payload, headers=members(asked.headers)
    )


def _judged(plan: Plan, asked: Request, mode: Validate) -> Findings:
    findings = Findings()
    findings.faults += fill(plan.template, {name: _segment(value) for name, value in asked.path.items()})[1]
    values, faults = plan.query.normalise(asked.query)
    findings.faults += faults
    findings.judge(mode, [*plan.query.missing(values), *plan.query.unknown(values)], "query")
    known = {name: value for name, value in values.items() if value is not None and name in plan.query.names}
    plan.queries.find(known, "query", mode, findings)
    headers = plan.headers.resolve(dict(asked.headers), mode, findings)
    _judge_payload(plan, asked.payload, headers.get("content-type"), mode, findings)
    return findings


def _judge_payload(plan: Plan, payload: JSON, content_type: str | None, mode: Validate, findings: Findings) -> None:
    kind, fault = choose(plan.operation, payload, content_type)
    if fault is not None:
        findings.faults.append(fault)
    if kind is None or kind == "sdp" or isinstance(payload, str):
        return
    sent: JSON = {} if payload is None else payload
    plan.payload(kind).find(as_sent(sent) if kind == "multipart" else judged(sent), "payload", mode, findings)


def _segment(value: JSON) -> JSON:
    """A path value, or one that may stand there where a placeholder says what it is."""
    return ANY_SEGMENT if any(templated(value)) else value


def _named(path: Path, where: str) -> str:
    return f"{path_text(path)}.{where}"


class _Unknown:
    """The places of a template, and which of them are known only when there is a document."""

    def __init__(self, template: Mapping[str, JSON]) -> None:
        self._places = {path_text(place): place for place, _ in walk(template)}
        self._open = {path_text(place) for place, _ in templated(template)}
        self._open |= {path_text(place[:-1]) for place, _ in templated(template) if place[-1] in TELLING}

    def reaches(self, fault: Fault) -> bool:
        """Whether a fault stands at, above or below a place that is not known."""
        return any(_within(fault.where, place) or _within(place, fault.where) for place in self._open)

    def place(self, where: str) -> Path:
        """A place by its text; of something that is missing, what it is missing in."""
        while where and where not in self._places:
            where = where[: max(where.rfind("."), where.rfind("["), 0)]
        return self._places.get(where, ())


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))
