"""Whether a request is right, by the same schemas that the connector checks it with before it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.catalogue import Catalogue, Operation
from connector.model import JSON, Fault, is_document, is_list
from connector.request.check import Findings, Validate
from connector.request.coerce import coerce
from connector.request.plan import Plan
from connector.sandbox.complaints import refusal
from connector.sandbox.messages import Refused, Upload
from connector.sandbox.unfolding import unfold

__all__ = ["Checker"]

Pairs = Sequence[tuple[str, JSON]]


class Checker:
    """Checks requests of one catalogue; what it compiles for an operation it keeps."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._plans: dict[str, Plan] = {}

    def query(self, operation: Operation, pairs: Pairs) -> Mapping[str, JSON]:
        """The query as its schema wants it; refused when it cannot be that."""
        plan = self._plan(operation)
        if not pairs and not plan.query.required:
            return {}
        given = {name: value for name, value in unfold(pairs).items() if name not in plan.query.fixed}
        values = coerce(given, plan.queries.source, plan.queries.source)
        findings = Findings()
        findings.judge(Validate.SPELLING, [*plan.query.missing(values), *plan.query.unknown(values)], "query")
        known = {name: value for name, value in values.items() if name in plan.query.names}
        plan.queries.find(known, "query", Validate.SPELLING, findings)
        self._refuse(findings.faults)
        return {name: value for name, value in values.items() if value is not None}

    def payload(self, operation: Operation, kind: str, payload: JSON) -> None:
        """Refuses a payload that the operation's schema for that kind of body does not allow."""
        findings = Findings()
        try:
            self._plan(operation).payload(kind).find(payload, "payload", Validate.SPELLING, findings)
        except ValueError:
            raise Refused(400, "The body is nested too deeply.", code="invalid_json") from None
        self._refuse(findings.faults)

    def form(self, operation: Operation, pairs: Pairs) -> JSON:
        """The payload that a form stands for; refused when it is not allowed."""
        plan = self._plan(operation)
        schema = plan.payload("multipart").source
        payload = coerce(unfold(pairs), schema, schema)
        self._refuse([fault for name in payload if (fault := _misplaced(name, payload[name], plan.files("multipart")))])
        self.payload(operation, "multipart", _seen(payload))
        return payload

    def _plan(self, operation: Operation) -> Plan:
        plan = self._plans.get(operation.wire_name)
        if plan is None:
            plan = self._plans[operation.wire_name] = Plan(self._catalogue, operation)
        return plan

    def _refuse(self, faults: Sequence[Fault]) -> None:
        if faults:
            raise refusal(faults[0])


def _misplaced(name: str, value: JSON, files: frozenset[str]) -> Fault | None:
    given = value if is_list(value) else [value]
    if name in files and any(isinstance(item, str) for item in given):
        return Fault(f"payload.{name}", "found text", "a file is wanted")
    if name not in files and any(isinstance(item, Upload) for item in given):
        return Fault(f"payload.{name}", "found a file", "none is wanted")
    return None


def _seen(value: JSON) -> JSON:
    """A payload as its schema sees it: files count as text."""
    if is_document(value):
        return {name: _seen(child) for name, child in value.items()}
    if is_list(value):
        return [_seen(child) for child in value]
    return "" if isinstance(value, Upload) else value
