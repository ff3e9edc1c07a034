"""`operator`, `prepared-operator`, `format-number`: decimal arithmetic, joined lists, and numbers as text."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException, localcontext
from functools import reduce
from typing import Any

from connector.model import JSON, is_document, is_list
from connector.request.display import describe_value
from connector.transform.context import Scope
from connector.transform.declaration import Mapper
from connector.transform.errors import Unfit
from connector.transform.fields import choice, integer, template, text
from connector.transform.mappers.base import skip_null
from connector.transform.mappers.casts import as_number
from connector.transform.template import Resolve, Template
from connector.transform.types import Map

__all__ = ["NUMBERS"]

LARGEST = 2**63
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "addition": lambda left, right: left + right,
    "subtraction": lambda left, right: left - right,
    "multiplication": lambda left, right: left * right,
    "division": lambda left, right: left / right,
    "modulo": lambda left, right: left % right,
    "minimum": min,
    "maximum": max,
}
OPERATORS = (*ARITHMETIC, "array-merge")


def calculate(operator: str, operands: list[JSON]) -> JSON:
    """Apply an operator from left to right."""
    if operator == "array-merge":
        return _merge(operands)
    if not operands:
        raise Unfit(f"{operator} has no operands")
    numbers = [to_decimal(operand) for operand in operands]
    if operator in ("division", "modulo") and 0 in numbers[1:]:
        raise Unfit(f"{operator} by zero")
    try:
        with localcontext(Context(prec=34)):
            return to_number(reduce(ARITHMETIC[operator], numbers))
    except (DecimalException, OverflowError):
        raise Unfit(f"{operator}: the result is no number") from None


def to_decimal(value: JSON) -> Decimal:
    """Return the number as its digits say, so that 0.1 and 0.2 make 0.3."""
    number = value.strip() if isinstance(value, str) else value
    as_number(number)
    return Decimal(str(int(number)) if isinstance(number, bool) else str(number))


def to_number(number: Decimal) -> int | float:
    """Return a whole number as an integer, any other as a float."""
    if number == number.to_integral_value() and abs(number) < LARGEST:
        return int(number)
    result = float(number)
    if not math.isfinite(result):
        raise Unfit("the result is too large for a number")
    return result


def _merge(operands: list[JSON]) -> JSON:
    for operand in operands:
        if operand is not None and not isinstance(operand, dict | list):
            raise Unfit(f"array-merge: found {describe_value(operand)}, lists or objects are needed")
    given = [operand for operand in operands if operand]
    if all(is_list(operand) for operand in given):
        return [item for operand in given for item in operand]
    merged: dict[str, JSON] = {}
    for operand in given:
        # Positions of lists are counted on, as the platform does; named members replace each other.
        for key, value in operand.items() if is_document(operand) else ((None, item) for item in operand):
            merged[str(len(merged)) if key is None else key] = value
    return merged


def _build_operator(operator: str) -> Map:
    def run(value: JSON, _: Scope) -> JSON:
        if is_document(value):
            value = list(value.values())
        if not is_list(value):
            raise Unfit(f"operator: found {describe_value(value)}, a list of operands is needed")
        return calculate(operator, value)

    return skip_null(run)


def _build_prepared(left: Template | None, operator: str, right: Template | None) -> Map:
    def run(value: JSON, scope: Scope) -> JSON:
        return calculate(operator, [*_operands(left, value, scope), *_operands(right, value, scope)])

    return skip_null(run)


def _operands(template: Template | None, value: JSON, scope: Scope) -> list[JSON]:
    """Return the operands of one side; the value itself where none is given."""
    found = None if template is None else template.resolve(value, scope)
    if found is None:
        return [value]
    return found if is_list(found) else [found]


def _build_format(decimals: Resolve, decimal_point: Resolve, thousands_separator: Resolve) -> Map:
    def run(value: JSON, scope: Scope) -> JSON:
        places = decimals(value, scope)
        try:
            rounded = to_decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, Context(prec=400))
        except DecimalException:
            raise Unfit(f"format-number: found {describe_value(value)}, a number of fewer digits is needed") from None
        whole, _, rest = f"{rounded:,f}".partition(".")
        whole = whole.replace(",", thousands_separator(value, scope))
        return whole + (decimal_point(value, scope) + rest if rest else "")

    return skip_null(run)


OPERATOR = choice("What to do.", OPERATORS, required=True)
NUMBERS = (
    Mapper(
        "operator",
        "Joins a list of operands, numbers or lists, into one value.",
        {"operator": OPERATOR},
        _build_operator,
        sole="operator",
    ),
    Mapper(
        "prepared-operator",
        "Joins the value with given operands.",
        {
            "left": template("The operands to the left; the value unless given.", optional=True),
            "operator": OPERATOR,
            "right": template("The operands to the right; the value unless given.", optional=True),
        },
        _build_prepared,
    ),
    Mapper(
        "format-number",
        "A number as text, rounded.",
        {
            "decimals": integer("Digits behind the point.", least=0, most=30, default=0),
            "decimal_point": text("The point.", default="."),
            "thousands_separator": text("The text between thousands.", default=""),
        },
        _build_format,
        sole="decimals",
    ),
)
