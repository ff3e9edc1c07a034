"""The formula of a multi grader: arithmetic over the names of its graders, and nothing else."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["InvalidFormula", "evaluate_formula"]

LONGEST_FORMULA = 1000
BINARY_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
}
UNARY_OPERATORS: Mapping[type[ast.unaryop], Callable[[float], float]] = {
    ast.USub: lambda value: -value,
    ast.UAdd: lambda value: value,
}
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "min": min, "max": max, "abs": abs, "floor": math.floor, "ceil": math.ceil, "exp": math.exp, "sqrt": math.sqrt,
    "log": math.log,
}  # fmt: skip


class InvalidFormula(Exception):
    """A formula that is not arithmetic over the known names."""


def evaluate_formula(formula: str, scores: Mapping[str, float]) -> float:
    """Return the value of a formula; raise InvalidFormula where it has none."""
    if len(formula) > LONGEST_FORMULA:
        raise InvalidFormula(f"the formula is longer than {LONGEST_FORMULA} characters")
    try:
        value = float(_evaluate(ast.parse(formula.strip(), mode="eval").body, scores))
    except (SyntaxError, ValueError, ArithmeticError, TypeError, RecursionError) as error:
        raise InvalidFormula(f"the formula has no value: {error}") from None
    if not math.isfinite(value):
        raise InvalidFormula("the formula's value is not a finite number")
    return value


def _evaluate(node: ast.expr, scores: Mapping[str, float]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name) if name in scores:
            return scores[name]
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in BINARY_OPERATORS:
            return BINARY_OPERATORS[type(sign)](_evaluate(left, scores), _evaluate(right, scores))
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in UNARY_OPERATORS:
            return UNARY_OPERATORS[type(sign)](_evaluate(operand, scores))
        case ast.Call(func=ast.Name(id=name), args=given, keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](*(_evaluate(one, scores) for one in given))
        case _:
            known = ", ".join(FUNCTIONS)
            raise InvalidFormula(f"'{ast.unparse(node)}' is neither a grader's name, a number, + - * / nor {known}")
