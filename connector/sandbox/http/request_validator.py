"""Validation of requests by the schemas that the connector uses before it sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.catalogue import Catalogue, Operation
from connector.model import JSON, Fault, is_document, is_list
from connector.request.plan import Plan
from connector.request.query import coerce
from connector.request.validation import Findings, Validate
from connector.sandbox.http.form_data import expand_brackets
from connector.sandbox.messages import ApiError, Upload

__all__ = ["RequestValidator"]

SECTIONS = ("payload.", "query.", "path.", "headers.")
BOUNDS = (("at least", "below_min"), ("more than", "below_min"), ("at most", "above_max"), ("less than", "above_max"))
UNITS = ((" item", "array", "length"), (" character", "string", "length"), (" field", "object", "properties"))
Pairs = Sequence[tuple[str, JSON]]


def build_validation_error(fault: Fault) -> ApiError:
    """Return the API error of a fault."""
    param = _parameter_name(fault.where)
    shown = f" '{param}'" if param else ""
    if fault.found == "missing":
        return ApiError(400, f"Missing required parameter:{shown}.", param=param, code="missing_required_parameter")
    if fault.found.startswith("unknown "):
        meant = f" {fault.suggestion[:1].upper()}{fault.suggestion[1:]}" if fault.suggestion else ""
        return ApiError(400, f"Unknown parameter:{shown}.{meant}", param=param, code="unknown_parameter")
    said = "; ".join(part for part in (fault.found, fault.allowed, fault.suggestion) if part)
    return ApiError(400, f"Invalid value for{shown or ' the body'}: {said}.", param=param, code=_error_code(fault))


def _parameter_name(where: str) -> str | None:
    return next((where.removeprefix(section) for section in SECTIONS if where.startswith(section)), None)


def _error_code(fault: Fault) -> str:
    side = next((side for words, side in BOUNDS if fault.allowed.startswith(words)), None)
    if side:
        return _bound_code(fault.found, side)
    return "invalid_type" if fault.allowed.endswith(" is allowed") else "invalid_value"


def _bound_code(found: str, side: str) -> str:
    for unit, kind, measure in UNITS:
        if unit in found:
            return f"{kind}_{side}_{measure}"
    return f"{'decimal' if '.' in found else 'integer'}_{side}_value"


class RequestValidator:
    """Validates the requests of one catalogue, and caches what it compiles."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._plans: dict[str, Plan] = {}

    def validate_query(self, operation: Operation, pairs: Pairs) -> Mapping[str, JSON]:
        """Return the values of a query by its schema; raise ApiError where they are invalid."""
        plan = self._get_plan(operation)
        if not pairs and not plan.query.required:
            return {}
        given = {name: value for name, value in expand_brackets(pairs).items() if name not in plan.query.fixed}
        values = coerce(given, plan.query_schema.source, plan.query_schema.source)
        findings = Findings()
        findings.judge(Validate.SPELLING, [*plan.query.missing(values), *plan.query.unknown(values)], "query")
        known = {name: value for name, value in values.items() if name in plan.query.names}
        plan.query_schema.find(known, "query", Validate.SPELLING, findings)
        self._raise_first(findings.faults)
        return {name: value for name, value in values.items() if value is not None}

    def validate_payload(self, operation: Operation, kind: str, payload: JSON) -> None:
        """Raise ApiError for a payload that the operation's schema does not allow."""
        findings = Findings()
        try:
            self._get_plan(operation).payload(kind).find(payload, "payload", Validate.SPELLING, findings)
        except ValueError:
            raise ApiError(400, "The body is nested too deeply.", code="invalid_json") from None
        self._raise_first(findings.faults)

    def validate_form(self, operation: Operation, pairs: Pairs) -> JSON:
        """Return the payload of a form; raise ApiError where it is invalid."""
        plan = self._get_plan(operation)
        schema = plan.payload("multipart").source
        payload = coerce(expand_brackets(pairs), schema, schema)
        self._raise_first(
            [fault for name in payload if (fault := _check_file_field(name, payload[name], plan.files("multipart")))]
        )
        self.validate_payload(operation, "multipart", _replace_files(payload))
        return payload

    def _get_plan(self, operation: Operation) -> Plan:
        plan = self._plans.get(operation.wire_name)
        if plan is None:
            plan = self._plans[operation.wire_name] = Plan(self._catalogue, operation)
        return plan

    def _raise_first(self, faults: Sequence[Fault]) -> None:
        if faults:
            raise build_validation_error(faults[0])


def _check_file_field(name: str, value: JSON, files: frozenset[str]) -> Fault | None:
    given = value if is_list(value) else [value]
    if name in files and any(isinstance(item, str) for item in given):
        return Fault(f"payload.{name}", "found text", "a file is wanted")
    if name not in files and any(isinstance(item, Upload) for item in given):
        return Fault(f"payload.{name}", "found a file", "none is wanted")
    return None


def _replace_files(value: JSON) -> JSON:
    """Return a payload as its schema sees it: files count as text."""
    if is_document(value):
        return {name: _replace_files(child) for name, child in value.items()}
    if is_list(value):
        return [_replace_files(child) for child in value]
    return "" if isinstance(value, Upload) else value
