"""JMESPath's functions: the package's own, with arguments and results charged to a budget."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from jmespath.functions import Functions
from jmespath.visitor import _Expression  # pyright: ignore[reportPrivateUsage]  the functions ask for this very class

from connector.model import JSON, is_document, is_list
from connector.transform.errors import Unfit
from connector.transform.expression.budget import WITHIN, Budget, size_within

__all__ = ["FUNCTIONS", "make_reference"]


class _Interpreter:
    """Evaluates what an expression reference holds."""

    def visit(self, evaluate: Callable[[JSON], JSON], value: JSON) -> JSON:
        return evaluate(value)


INTERPRETER: Final = _Interpreter()


def make_reference(evaluate: Callable[[JSON], JSON]) -> Any:
    """Return what the functions take for `&expression`."""
    reference: Any = _Expression  # it only hands its first argument to the `visit` of its second
    return reference(evaluate, INTERPRETER)


class BoundedFunctions:
    """Calls the functions by name within a budget."""

    def __init__(self) -> None:
        self._functions: Any = Functions()  # the package has types for its face only

    def call(self, name: str, arguments: list[JSON], budget: Budget) -> JSON:
        for argument in arguments:
            _charge(argument, budget)
        if name == "to_string" or name == "contains":
            _limit_sizes(name, arguments)
        elif name == "join" and len(arguments) == 2:
            _limit_join(*arguments)
        result = self._functions.call_function(name, arguments)
        if isinstance(result, float) and not math.isfinite(result):
            raise Unfit(f"{name}() makes {result}, a number that JSON does not have")
        _charge(result, budget)
        return result


def _charge(value: JSON, budget: Budget) -> None:
    if isinstance(value, str):
        budget.charge_text(len(value))
    elif is_list(value) or is_document(value):
        budget.charge(len(value))


def _limit_sizes(name: str, arguments: list[JSON]) -> None:
    if any(size_within(argument, WITHIN) is None for argument in arguments):
        raise Unfit(f"{name}() is given a value too large for the expression's budget")


def _limit_join(separator: JSON, items: JSON) -> None:
    if isinstance(separator, str) and is_list(items):
        length = len(separator) * len(items) + sum(len(item) for item in items if isinstance(item, str))
        if length > WITHIN:
            raise Unfit("join() makes a text too large for the expression's budget")


FUNCTIONS: Final = BoundedFunctions()
