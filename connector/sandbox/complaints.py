"""What a check has against a request, in the form of the API's errors."""

from __future__ import annotations

from connector.model import Fault
from connector.sandbox.messages import Refused

__all__ = ["refusal"]

SECTIONS = ("payload.", "query.", "path.", "headers.")
BOUNDS = (("at least", "below_min"), ("more than", "below_min"), ("at most", "above_max"), ("less than", "above_max"))
UNITS = ((" item", "array", "length"), (" character", "string", "length"), (" field", "object", "properties"))


def refusal(fault: Fault) -> Refused:
    """The API refuses with the first thing that it finds."""
    param = _param(fault.where)
    shown = f" '{param}'" if param else ""
    if fault.found == "missing":
        return Refused(400, f"Missing required parameter:{shown}.", param=param, code="missing_required_parameter")
    if fault.found.startswith("unknown "):
        meant = f" {fault.suggestion[:1].upper()}{fault.suggestion[1:]}" if fault.suggestion else ""
        return Refused(400, f"Unknown parameter:{shown}.{meant}", param=param, code="unknown_parameter")
    said = "; ".join(part for part in (fault.found, fault.allowed, fault.suggestion) if part)
    return Refused(400, f"Invalid value for{shown or ' the body'}: {said}.", param=param, code=_code(fault))


def _param(where: str) -> str | None:
    return next((where.removeprefix(section) for section in SECTIONS if where.startswith(section)), None)


def _code(fault: Fault) -> str:
    side = next((side for words, side in BOUNDS if fault.allowed.startswith(words)), None)
    if side:
        return _of_bound(fault.found, side)
    return "invalid_type" if fault.allowed.endswith(" is allowed") else "invalid_value"


def _of_bound(found: str, side: str) -> str:
    for unit, kind, measure in UNITS:
        if unit in found:
            return f"{kind}_{side}_{measure}"
    return f"{'decimal' if '.' in found else 'integer'}_{side}_value"
