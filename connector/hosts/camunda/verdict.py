"""What becomes of a job: its answer or error, by the expressions of its element."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from connector.calls.host_calls import CallAnswer
from connector.engine import TaskState
from connector.hosts.camunda.broker import Job
from connector.hosts.camunda.feel import Expression, FeelFault, parse_expression
from connector.hosts.evidence import show_evidence
from connector.model import JSON, is_document, members

__all__ = ["Expressions", "Verdict", "incident", "judge", "parse_duration"]

UNKNOWN, FAILED = "UNKNOWN", "FAILED"
"""Codes of errors that have no status: of an unknown end, and of a call that was not sent or was refused here."""
ERROR = "openai_error"
"""The variable with the evidence of an incident."""
PASSES = (408, 409, 429)
DURATION = re.compile(r"P(?=.)(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
LONGEST_MESSAGE = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the cluster is told of a job.

    Attributes:
        wait: seconds before it may be activated again.
    """

    kind: Literal["complete", "fail", "throw"]
    variables: Mapping[str, JSON] = field(default_factory=dict[str, JSON])
    message: str = ""
    code: str = ""
    retries: int = 0
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Expressions:
    """The headers of a job, understood before anything is sent."""

    result_variable: str
    result: Expression | None
    error: Expression | None
    wait: float

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Expressions:
        """Return what the headers of a job say; FeelFault names the header that cannot be understood."""
        written = headers.get("retryBackoff", "").strip()
        wait = parse_duration(written) if written else 0.0
        if wait is None:
            raise FeelFault(written, 0, f"retryBackoff: {written[:40]!r} is no duration", "PT5S and P1D are allowed")
        parsed = {name: _parse(headers, name) for name in ("resultExpression", "errorExpression")}
        variable = headers.get("resultVariable", "").strip()
        return cls(variable, parsed["resultExpression"], parsed["errorExpression"], wait)


def judge(job: Job, expressions: Expressions, answer: CallAnswer) -> Verdict:
    """Return what becomes of a job by the answer of its call."""
    try:
        if answer.state is TaskState.FINISHED or answer.state is TaskState.SKIPPED:
            return _answered(job, expressions, answer)
        return _not_done(job, expressions, answer)
    except FeelFault as fault:
        return incident(f"{fault}. The call is noted as task {answer.task}, and is not made again.", state=FAILED)


def incident(message: str, *, state: str, **evidence: JSON) -> Verdict:
    """Return the verdict that calls for a person."""
    shown: JSON = {"code": state, "message": message[:LONGEST_MESSAGE], **evidence}
    return Verdict(kind="fail", message=message[:LONGEST_MESSAGE], variables={ERROR: shown})


def parse_duration(text: str) -> float | None:
    """Return the seconds of a duration such as PT1M30S; None for what is none."""
    found = DURATION.fullmatch(text)
    if found is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _parse(headers: Mapping[str, str], name: str) -> Expression | None:
    written = headers.get(name, "").strip()
    if written in ("", "="):
        return None
    try:
        return parse_expression(written)
    except FeelFault as fault:
        raise NamedFault(name, fault) from None


class NamedFault(FeelFault):
    """A fault with the header in which it is."""

    def __init__(self, name: str, fault: FeelFault) -> None:
        Exception.__init__(self, f"{name}: {fault}")


def _answered(job: Job, expressions: Expressions, answer: CallAnswer) -> Verdict:
    documents = answer.documents
    body: JSON = documents[0] if len(documents) == 1 else list(documents) or None
    response: dict[str, JSON] = {"status": None, "headers": {}, **answer.response, "body": body}
    names: dict[str, JSON] = {**response, "response": response, "job": {"retries": job.retries}}
    found = _examine(job, expressions, names)
    if found is not None:
        return found
    variables: dict[str, JSON] = {expressions.result_variable: response} if expressions.result_variable else {}
    if expressions.result is not None:
        made = _evaluate("resultExpression", expressions.result, names)
        if made is not None and not is_document(made):
            raise NamedFault(
                "resultExpression", FeelFault(expressions.result.text, 0, "it gives no context", "{name: value}")
            )
        variables |= members(made)
    return Verdict(kind="complete", variables=variables)


def _not_done(job: Job, expressions: Expressions, answer: CallAnswer) -> Verdict:
    response = dict(answer.response)
    status = response.get("status")
    if answer.state is TaskState.UNKNOWN:
        return _unknown(job, expressions, answer)
    if answer.state is not TaskState.FAILED:
        reason = f"not done yet: {answer.reason or 'it is under way elsewhere'}; nothing is sent twice"
        return Verdict(kind="fail", message=reason, retries=max(job.retries, 1), wait=max(expressions.wait, 5.0))
    code = FAILED if status is None else str(status)
    found = _examine(job, expressions, _error_names(job, code, answer.reason, response))
    if found is not None:
        return found
    message = f"{answer.reason} (task {answer.task})"
    is_final = isinstance(status, int) and 400 <= status < 500 and status not in PASSES
    if is_final or job.retries <= 1:
        return incident(message, state=code, task=answer.task, response=response)
    shown: JSON = {"code": code, "message": message, "response": response}
    return Verdict(
        kind="fail", message=message[:LONGEST_MESSAGE], retries=job.retries - 1, wait=expressions.wait,
        variables={ERROR: shown},
    )  # fmt: skip


def _unknown(job: Job, expressions: Expressions, answer: CallAnswer) -> Verdict:
    """Return an incident with its evidence; only an expression that names the code decides otherwise."""
    evidence = show_evidence(answer.doubts)
    if expressions.error is not None and UNKNOWN in expressions.error.texts:
        found = _examine(job, expressions, _error_names(job, UNKNOWN, answer.reason, {"evidence": evidence}))
        if found is not None:
            return found
    number = answer.task
    message = (
        f"unknown: the call may have taken effect, and may have been paid for. {answer.reason} Look whether it did;"
        f" then say `openai-connector tasks done {number} --camunda` when it did, or `tasks retry {number} --camunda`"
        " when it did not, and resolve this incident. Until then the job sends nothing."
    )
    return incident(message, state=UNKNOWN, task=number, evidence=evidence)


def _error_names(job: Job, code: str, message: str, response: Mapping[str, JSON]) -> dict[str, JSON]:
    error: JSON = {"code": code, "message": message, "variables": {"response": dict(response)}}
    return {"error": error, "response": None, "job": {"retries": job.retries}}


def _examine(job: Job, expressions: Expressions, names: Mapping[str, JSON]) -> Verdict | None:
    """Return what the error expression decides; None where it decides nothing."""
    if expressions.error is None:
        return None
    made = _evaluate("errorExpression", expressions.error, names)
    if made is None or made == {}:
        return None
    decided = members(made)
    kind, variables = decided.get("errorType"), members(decided.get("variables"))
    if kind == "ignoreError":
        return Verdict(kind="complete", variables=variables)
    if kind == "bpmnError" or (kind is None and isinstance(decided.get("code"), str)):
        return Verdict(
            kind="throw", code=str(decided.get("code")), message=str(decided.get("message") or ""), variables=variables
        )
    if kind != "jobError":
        advice = "bpmnError(…), jobError(…), ignoreError(…) and null are allowed"
        raise NamedFault("errorExpression", FeelFault(expressions.error.text, 0, "it gives something else", advice))
    retries = decided.get("retries")
    left = int(retries) if isinstance(retries, int | float) else job.retries - 1
    wait = parse_duration(str(decided["retryBackoff"])) if decided.get("retryBackoff") else expressions.wait
    message = str(decided.get("message") or "")
    return Verdict(kind="fail", message=message, retries=max(left, 0), wait=wait or 0.0, variables=variables)


def _evaluate(name: str, expression: Expression, names: Mapping[str, JSON]) -> JSON:
    try:
        return expression.evaluate(names)
    except FeelFault as fault:
        raise NamedFault(name, fault) from None
