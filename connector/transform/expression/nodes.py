"""One closure for each kind of JMESPath node: `(value, budget) -> value`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.model import JSON, is_document, is_list
from connector.transform.errors import Unfit
from connector.transform.expression.budget import WITHIN, Budget, size_within
from connector.transform.expression.functions import FUNCTIONS, make_reference
from connector.transform.paths import is_container

__all__ = ["compile_node"]

Node = dict[str, Any]
Evaluate = Callable[[JSON, Budget], JSON]


def compile_node(node: Node) -> Evaluate:
    """Return the closure that evaluates a node."""
    return COMPILERS[node["type"]](node)


def is_false(value: JSON) -> bool:
    """Whether a value counts as false: false, null and what is empty; zero is true."""
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)


def _weight(node: Node) -> int:
    """Return how many nodes one evaluation visits, loops inside not counted."""
    todo, weight = [node], 0
    while todo:
        weight += 1
        todo.extend(child for child in todo.pop()["children"] if is_document(child))
    return weight


def _field(node: Node) -> Evaluate:
    name: str = node["value"]
    return lambda value, _: value.get(name) if is_document(value) else None


def _index(node: Node) -> Evaluate:
    index: int = node["value"]

    def at(value: JSON, _: Budget) -> JSON:
        if not is_list(value):
            return None
        return value[index] if -len(value) <= index < len(value) else None

    return at


def _slice(node: Node) -> Evaluate:
    part = slice(*node["children"])

    def cut(value: JSON, budget: Budget) -> JSON:
        if not is_list(value):
            return None
        budget.charge(len(value))
        return value[part]

    return cut


def _chain(node: Node) -> Evaluate:
    children = [compile_node(child) for child in node["children"]]
    if len(children) == 2:
        first, second = children
        return lambda value, budget: second(first(value, budget), budget)

    def run(value: JSON, budget: Budget) -> JSON:
        for child in children:
            value = child(value, budget)
        return value

    return run


def _literal(node: Node) -> Evaluate:
    literal = node["value"]
    return lambda _value, _budget: literal


def _identity(_: Node) -> Evaluate:
    return lambda value, _: value


def _or(node: Node) -> Evaluate:
    left, right = map(compile_node, node["children"])

    def either(value: JSON, budget: Budget) -> JSON:
        found = left(value, budget)
        return right(value, budget) if is_false(found) else found

    return either


def _and(node: Node) -> Evaluate:
    left, right = map(compile_node, node["children"])

    def both(value: JSON, budget: Budget) -> JSON:
        found = left(value, budget)
        return found if is_false(found) else right(value, budget)

    return both


def _not(node: Node) -> Evaluate:
    inner = compile_node(node["children"][0])
    return lambda value, budget: is_false(inner(value, budget))


def _is_number(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(left: JSON, right: JSON) -> bool:
    """Whether values are equal as the package has it: 0 and 1 are neither false nor true."""
    if isinstance(left, bool) != isinstance(right, bool) and (_is_number(left) or _is_number(right)):
        return False
    if is_container(left) and is_container(right):
        # Shared parts are compared once for each of their places.
        for side in (left, right):
            if size_within(side, WITHIN) is None:
                raise Unfit("the expression compares values too large for its budget")
    return bool(left == right)


ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
}


def _comparator(node: Node) -> Evaluate:
    left, right = map(compile_node, node["children"])
    kind: str = node["value"]
    if kind in ("eq", "ne"):
        wanted = kind == "eq"
        return lambda value, budget: _equal(left(value, budget), right(value, budget)) is wanted
    compare = ORDERED[kind]

    def ordered(value: JSON, budget: Budget) -> JSON:
        low, high = left(value, budget), right(value, budget)
        if (_is_number(low) and _is_number(high)) or (isinstance(low, str) and isinstance(high, str)):
            return compare(low, high)
        if (_is_number(low) or isinstance(low, str)) and (_is_number(high) or isinstance(high, str)):
            raise Unfit("a number and a text cannot be ordered; convert one of them")
        return None

    return ordered


def _projection(node: Node) -> Evaluate:
    base, each = map(compile_node, node["children"])
    weight = _weight(node["children"][1])

    def project(value: JSON, budget: Budget) -> JSON:
        items = base(value, budget)
        if not is_list(items):
            return None
        budget.charge(weight * len(items))
        return [found for item in items if (found := each(item, budget)) is not None]

    return project


def _value_projection(node: Node) -> Evaluate:
    base, each = map(compile_node, node["children"])
    weight = _weight(node["children"][1])

    def project(value: JSON, budget: Budget) -> JSON:
        members = base(value, budget)
        if not is_document(members):
            return None
        budget.charge(weight * len(members))
        return [found for item in members.values() if (found := each(item, budget)) is not None]

    return project


def _filter_projection(node: Node) -> Evaluate:
    base, each, condition = map(compile_node, node["children"])
    weight = _weight(node["children"][1]) + _weight(node["children"][2])

    def project(value: JSON, budget: Budget) -> JSON:
        items = base(value, budget)
        if not is_list(items):
            return None
        budget.charge(weight * len(items))
        kept = (item for item in items if not is_false(condition(item, budget)))
        return [found for item in kept if (found := each(item, budget)) is not None]

    return project


def _flatten(node: Node) -> Evaluate:
    base = compile_node(node["children"][0])

    def flatten(value: JSON, budget: Budget) -> JSON:
        items = base(value, budget)
        if not is_list(items):
            return None
        flat: list[JSON] = []
        for item in items:
            budget.charge(len(item) + 1 if is_list(item) else 1)
            if is_list(item):
                flat.extend(item)
            else:
                flat.append(item)
        return flat

    return flatten


def _multi_list(node: Node) -> Evaluate:
    children = [compile_node(child) for child in node["children"]]
    return lambda value, budget: None if value is None else [child(value, budget) for child in children]


def _multi_dict(node: Node) -> Evaluate:
    members = [(child["value"], compile_node(child["children"][0])) for child in node["children"]]
    return lambda value, budget: None if value is None else {name: member(value, budget) for name, member in members}


def _reference(node: Node) -> Evaluate:
    inner = compile_node(node["children"][0])
    weight = _weight(node)

    def refer(_: JSON, budget: Budget) -> JSON:
        def evaluate(value: JSON) -> JSON:
            budget.charge(weight)
            return inner(value, budget)

        return make_reference(evaluate)

    return refer


def _function(node: Node) -> Evaluate:
    name: str = node["value"]
    arguments = [compile_node(child) for child in node["children"]]
    return lambda value, budget: FUNCTIONS.call(name, [argument(value, budget) for argument in arguments], budget)


COMPILERS: dict[str, Callable[[Node], Evaluate]] = {
    "field": _field,
    "index": _index,
    "slice": _slice,
    "subexpression": _chain,
    "index_expression": _chain,
    "pipe": _chain,
    "literal": _literal,
    "current": _identity,
    "identity": _identity,
    "or_expression": _or,
    "and_expression": _and,
    "not_expression": _not,
    "comparator": _comparator,
    "projection": _projection,
    "value_projection": _value_projection,
    "filter_projection": _filter_projection,
    "flatten": _flatten,
    "multi_select_list": _multi_list,
    "multi_select_dict": _multi_dict,
    "expref": _reference,
    "function_expression": _function,
}
