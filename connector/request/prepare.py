"""From a request to the wire: resolved, checked and encoded, or refused with every fault at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NoReturn

from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.documents import check
from connector.errors import ConfigurationError, InvalidDocument
from connector.model import JSON, Effect, Fault, InvalidRequest, Request, members
from connector.request.body import (
    JSON_TYPE,
    choose_kind,
    encode_body,
    find_misplaced_files,
    replace_files,
    report_invalid_json,
    view_form,
)
from connector.request.file_access import ANYWHERE, Roots
from connector.request.model_rules import ModelRules
from connector.request.path import fill_template
from connector.request.plan import Plan, find_stream_origin, switch_stream
from connector.request.query import coerce_query
from connector.request.validation import Findings, Validate, suggest_setting
from connector.request.wire import Body, Wire

__all__ = ["Preparer"]

Asked = Request | Mapping[str, JSON]
MODES = {mode.value: mode for mode in Validate}


class Preparer:
    """Prepares requests of one catalogue; what it compiles for an operation it keeps.

    Args:
        catalogue: the operations.
        models: what is known of the models that requests name; without it they are not looked at.
    """

    def __init__(self, catalogue: Catalogue, models: ModelRules | None = None) -> None:
        self.catalogue = catalogue
        self._models = models
        self._plans: dict[int, Plan] = {}

    def prepare(
        self,
        operation: Operation,
        request: Asked | None = None,
        *,
        validate: str = Validate.SPELLING,
        from_text: bool = False,
        roots: Roots = ANYWHERE,
        stream: bool | None = None,
    ) -> Wire:
        """Return the call of a request, or InvalidRequest with every fault of all its sections.

        Args:
            operation: what is called.
            request: path, query, payload and headers, as a Request or as a document.
            validate: strict, spelling (the default), known, warn or off.
            from_text: path and query values are texts of a command line, to be read as their schemas want them.
            roots: folders and URL prefixes that files may come from; with none, from anywhere.
            stream: switches the operation's stream on or off; by default the request says.
        """
        mode = MODES.get(validate) or _refuse_mode(validate)
        asked = request if isinstance(request, Request) else _parse_request(operation, request)
        findings = Findings()
        if stream is not None:
            asked = switch_stream(operation, asked, findings, on=stream)
        wire = _build_wire(self._find_plan(operation), asked, mode, roots, findings, from_text=from_text)
        if self._models is not None:
            self._models.check(operation, asked.payload, mode, findings)
        if findings.faults:
            raise InvalidRequest(operation.name, list(map(suggest_setting, findings.faults)))
        if findings.warnings:
            wire = replace(wire, warnings=(*wire.warnings, *findings.warnings))
        return wire if stream is None else replace(wire, origins=find_stream_origin(operation))

    def _find_plan(self, operation: Operation) -> Plan:
        plan = self._plans.get(id(operation))
        if plan is None:
            # The plan holds its operation, so that no other one can get the same address in memory.
            plan = self._plans[id(operation)] = Plan(self.catalogue, operation)
        return plan


def _build_wire(
    plan: Plan, asked: Request, mode: Validate, roots: Roots, findings: Findings, *, from_text: bool
) -> Wire:
    """Return the call of a request; it is only of use when nothing was found wrong."""
    operation = plan.operation
    path, query = plan.constant_path, plan.constant_query
    if path is None or asked.path:
        path = _build_path(plan, asked, mode, findings)
    if query is None or asked.query:
        query = _build_query(plan, asked, mode, findings, from_text=from_text)
    headers = plan.headers.resolve(asked.headers, mode, findings) if asked.headers else dict(plan.constant_headers)
    return Wire(
        method=operation.method,
        path=path,
        query=query,
        headers=headers,
        body=_build_body(plan, asked, mode, roots, headers, findings),
        operation=operation,
        effect=_find_effect(operation, asked),
        answer=plan.answer_kind(asked),
        warnings=plan.warnings,
    )


def _find_effect(operation: Operation, asked: Request) -> Effect:
    """Return what a repeat would do; a first call is found by listing only if its payload asked to be kept."""
    kept = operation.reconcile.get("when")
    return Effect.OPAQUE if kept and members(asked.payload).get(kept) is not True else operation.effect


def _refuse_mode(validate: str) -> NoReturn:
    raise ConfigurationError(f"validate: found {validate!r}; allowed: {', '.join(Validate)}")


def _parse_request(operation: Operation, document: Mapping[str, JSON] | None) -> Request:
    try:
        return Request.of(document)
    except InvalidRequest as error:
        raise InvalidRequest(operation.name, error.faults) from None


def _build_path(plan: Plan, asked: Request, mode: Validate, findings: Findings) -> str:
    path, faults = fill_template(plan.template, asked.path)
    findings.faults += faults
    if not faults and plan.path_schema is not None:
        plan.path_schema.find(dict(asked.path), "path", mode, findings)
    return path


def _build_query(
    plan: Plan, asked: Request, mode: Validate, findings: Findings, *, from_text: bool
) -> tuple[tuple[str, str], ...]:
    query = plan.query
    unreadable = _check_json(dict(asked.query), "query")
    if unreadable:
        findings.faults.append(unreadable)
        return ()
    values, faults = query.normalise(asked.query)
    findings.faults += faults
    if from_text:
        values = coerce_query(values, plan.query_schema.source)
    if mode is not Validate.OFF:
        findings.judge(mode, [*query.missing(values), *query.unknown(values)], "query")
        known = {name: value for name, value in values.items() if value is not None and name in query.names}
        plan.query_schema.find(known, "query", mode, findings)
    return query.pairs(values)


def _build_body(
    plan: Plan, asked: Request, mode: Validate, roots: Roots, headers: dict[str, str], findings: Findings
) -> Body | None:
    operation, payload = plan.operation, asked.payload
    kind, fault = choose_kind(operation, payload, headers.pop("content-type", None))
    if fault:
        findings.faults.append(fault)
    if kind is None:
        if operation.method != "GET":
            # The official SDK says so even where nothing follows, and servers in the wild may have come to expect it.
            headers["content-type"] = JSON_TYPE
        return None
    body, faults = encode_body(operation, kind, payload, roots)
    findings.faults += faults
    if body is not None:
        headers["content-type"] = body.content_type
    if body is not None or not _check_json(payload, "payload"):
        _check_payload(plan, kind, {} if payload is None else payload, mode, findings)
    return body


def _check_payload(plan: Plan, kind: str, payload: JSON, mode: Validate, findings: Findings) -> None:
    if kind == "sdp" or mode is Validate.OFF:
        return
    if kind == "multipart":
        findings.judge(mode, find_misplaced_files(members(payload), plan.files(kind)), "payload")
        payload = view_form(payload)
    elif findings.faults:
        payload = replace_files(payload)
    plan.payload(kind).find(payload, "payload", mode, findings)


def _check_json(value: JSON, where: str) -> Fault | None:
    try:
        check(value, where)
    except InvalidDocument as error:
        return report_invalid_json(error)
    return None
