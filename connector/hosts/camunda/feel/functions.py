"""The functions of expressions: those for texts, lists and contexts, and those that say what becomes of a job."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connector.documents import dump
from connector.hosts.camunda.feel.values import as_number, equal, is_number
from connector.model import JSON, is_document, is_list

__all__ = ["FUNCTIONS", "Function", "Misused"]

NUMBER = re.compile(r"\s*-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
DURATION = re.compile(r"-?P(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")


class Misused(Exception):
    """A function was given what it cannot take; where FEEL would say null and the job would hang."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function and how many values it takes."""

    make: Callable[..., JSON]
    least: int
    most: int


def _of_text(make: Callable[[str], JSON]) -> Callable[[JSON], JSON]:
    """Return a function of a text; it is null for anything else."""
    return lambda text: make(text) if isinstance(text, str) else None


def _of_texts(make: Callable[[str, str], JSON]) -> Callable[[JSON, JSON], JSON]:
    """Return a function of two texts; it is null for anything else."""
    return lambda one, other: make(one, other) if isinstance(one, str) and isinstance(other, str) else None


def _or_else(value: JSON, other: JSON) -> JSON:
    return other if value is None else value


def _substring(text: JSON, start: JSON, length: JSON = None) -> JSON:
    if not isinstance(text, str) or not is_number(start) or start == 0:
        return None
    begin = int(start) - 1 if start > 0 else max(len(text) + int(start), 0)
    if length is None:
        return text[begin:]
    return text[begin : begin + int(length)] if is_number(length) and length >= 0 else None


def _before(text: str, mark: str) -> JSON:
    return text.partition(mark)[0] if mark and mark in text else ""


def _after(text: str, mark: str) -> JSON:
    return text.partition(mark)[2] if mark in text else ""


def _string(value: JSON) -> JSON:
    if value is None or isinstance(value, str):
        return value
    return dump(value).decode() if isinstance(value, bool) or is_number(value) else None


def _number(value: JSON) -> JSON:
    if is_number(value):
        return value
    return as_number(float(value)) if isinstance(value, str) and NUMBER.fullmatch(value) else None


def _as_list(value: JSON) -> list[JSON] | None:
    """Return a list; of one value, as FEEL has it, a list of it, and of null nothing."""
    return None if value is None else list(value) if is_list(value) else [value]


def _count(values: JSON) -> JSON:
    found = _as_list(values)
    return None if found is None else len(found)


def _append(values: JSON, *more: JSON) -> JSON:
    found = _as_list(values)
    return None if found is None else [*found, *more]


def _concatenate(*lists: JSON) -> JSON:
    return [one for values in lists for one in (values if is_list(values) else [values])]


def _list_contains(values: JSON, wanted: JSON) -> JSON:
    found = _as_list(values)
    return None if found is None else any(equal(one, wanted) is True for one in found)


def _is_empty(values: JSON) -> JSON:
    return len(values) == 0 if is_list(values) else None


def _join(values: JSON, between: JSON = "") -> JSON:
    found = _as_list(values)
    if found is None or not (between is None or isinstance(between, str)):
        return None
    if not all(one is None or isinstance(one, str) for one in found):
        return None
    return (between or "").join(one for one in found if isinstance(one, str))


def _get_value(context: JSON, name: JSON) -> JSON:
    return context.get(name) if is_document(context) and isinstance(name, str) else None


def _negate(value: JSON) -> JSON:
    return not value if isinstance(value, bool) else None


def _duration(text: JSON) -> JSON:
    return text if isinstance(text, str) and DURATION.fullmatch(text) else None


def _needed(function: str, name: str, value: JSON) -> str:
    if not isinstance(value, str):
        raise Misused(f"{function}: {name} is {dump(value).decode()[:80]}, a text is allowed")
    return value


def _variables(function: str, value: JSON) -> dict[str, JSON]:
    if value is not None and not is_document(value):
        raise Misused(f"{function}: the variables are {dump(value).decode()[:80]}, a context is allowed")
    return dict(value) if is_document(value) else {}


def _bpmn_error(code: JSON, message: JSON, variables: JSON = None) -> JSON:
    return {
        "errorType": "bpmnError",
        "code": _needed("bpmnError", "the code", code),
        "message": _needed("bpmnError", "the message", message),
        "variables": _variables("bpmnError", variables),
    }


def _job_error(message: JSON, variables: JSON = None, retries: JSON = None, timeout: JSON = None) -> JSON:
    if retries is not None and not (is_number(retries) and retries == int(retries)):
        raise Misused(f"jobError: the retries are {dump(retries).decode()[:80]}, a whole number is allowed")
    if timeout is not None and _duration(timeout) is None:
        raise Misused(f'jobError: the time is {dump(timeout).decode()[:80]}, a duration such as @"PT10S" is allowed')
    return {
        "errorType": "jobError",
        "message": _needed("jobError", "the message", message),
        "variables": _variables("jobError", variables),
        "retries": retries,
        "retryBackoff": timeout,
    }


def _ignore_error(variables: JSON = None) -> JSON:
    return {"errorType": "ignoreError", "variables": _variables("ignoreError", variables)}


FUNCTIONS: Mapping[str, Function] = {
    "not": Function(_negate, 1, 1),
    "contains": Function(_of_texts(lambda text, part: part in text), 2, 2),
    "starts with": Function(_of_texts(lambda text, part: text.startswith(part)), 2, 2),
    "ends with": Function(_of_texts(lambda text, part: text.endswith(part)), 2, 2),
    "upper case": Function(_of_text(str.upper), 1, 1),
    "lower case": Function(_of_text(str.lower), 1, 1),
    "string length": Function(_of_text(len), 1, 1),
    "substring": Function(_substring, 2, 3),
    "substring before": Function(_of_texts(_before), 2, 2),
    "substring after": Function(_of_texts(_after), 2, 2),
    "string": Function(_string, 1, 1),
    "string join": Function(_join, 1, 2),
    "number": Function(_number, 1, 1),
    "count": Function(_count, 1, 1),
    "append": Function(_append, 2, 100),
    "concatenate": Function(_concatenate, 1, 100),
    "list contains": Function(_list_contains, 2, 2),
    "is empty": Function(_is_empty, 1, 1),
    "get value": Function(_get_value, 2, 2),
    "get or else": Function(_or_else, 2, 2),
    "duration": Function(_duration, 1, 1),
    "bpmnError": Function(_bpmn_error, 2, 3),
    "jobError": Function(_job_error, 1, 4),
    "ignoreError": Function(_ignore_error, 0, 1),
}  # fmt: skip
