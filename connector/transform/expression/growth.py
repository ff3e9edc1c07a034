"""How large a result can be, read off the expression: what cannot grow out of proportion need not be measured.

Sizes are those of `budget.size_within`, where every value has at least 4 bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from connector.model import is_document
from connector.transform.expression.budget import size_within

__all__ = ["Bound", "bound_size"]

Node = dict[str, Any]
SMALLEST = 4
"""Bytes of the smallest value, so that a list of so many bytes has a fourth as many items."""


class Bound(NamedTuple):
    """A result has at most `factor` times the bytes of its document, and `constant` more."""

    factor: float
    constant: float

    def of(self, source: Bound) -> Bound:
        """The bound of a result that is made of another result."""
        return Bound(self.factor * source.factor, self.factor * source.constant + self.constant)

    def for_each(self, source: Bound) -> Bound:
        """The bound of a list of results, one for each item of another result."""
        each = Bound(self.factor + self.constant / SMALLEST, SMALLEST)
        return each.of(source)


SAME, SCALAR, UNKNOWN = Bound(1, 0), Bound(0, 16), Bound(math.inf, math.inf)


def bound_size(node: Node) -> Bound:
    """Return the bound of what a node makes; infinite where the expression alone does not tell."""
    kind, children = node["type"], [child for child in node["children"] if is_document(child)]
    if kind == "literal":
        return Bound(0, size_within(node["value"], math.inf, math.inf) or 0)
    if kind == "function_expression":
        return FUNCTIONS.get(node["value"], _of_unknown)([bound_size(child) for child in children])
    if kind == "multi_select_dict":
        names = sum(len(child["value"]) for child in children)
        return _sum([bound_size(child["children"][0]) for child in children], SMALLEST + names)
    return KINDS[kind]([bound_size(child) for child in children])


def _same(_: Sequence[Bound]) -> Bound:
    return SAME


def _scalar(_: Sequence[Bound]) -> Bound:
    return SCALAR


def _of_unknown(_: Sequence[Bound]) -> Bound:
    return UNKNOWN


def _first(parts: Sequence[Bound]) -> Bound:
    return parts[0] if parts else UNKNOWN


def _chain(parts: Sequence[Bound]) -> Bound:
    found = SAME
    for part in parts:
        found = part.of(found)
    return found


def _largest(parts: Sequence[Bound]) -> Bound:
    return Bound(max(part.factor for part in parts), max(part.constant for part in parts)) if parts else UNKNOWN


def _sum(parts: Sequence[Bound], more: float = SMALLEST) -> Bound:
    return Bound(sum(part.factor for part in parts), sum(part.constant for part in parts) + more)


def _project(parts: Sequence[Bound]) -> Bound:
    base, each = parts[0], parts[1]
    return each.for_each(base)


def _map(parts: Sequence[Bound]) -> Bound:
    return parts[0].for_each(parts[1]) if len(parts) == 2 else UNKNOWN


def _join(parts: Sequence[Bound]) -> Bound:
    """Of items with a separator between; one that the document gives may be as long as the document, each time."""
    if len(parts) != 2 or parts[0].factor:
        return UNKNOWN
    separator, items = parts
    return Bound(1 + separator.constant / SMALLEST, separator.constant).of(items)


Combine = Callable[[Sequence[Bound]], Bound]
KINDS: dict[str, Combine] = {
    **dict.fromkeys(("field", "index", "slice", "current", "identity"), _same),
    **dict.fromkeys(("subexpression", "index_expression", "pipe"), _chain),
    **dict.fromkeys(("or_expression", "and_expression"), _largest),
    **dict.fromkeys(("not_expression", "comparator"), _scalar),
    **dict.fromkeys(("projection", "value_projection", "filter_projection"), _project),
    **dict.fromkeys(("flatten", "expref"), _first),
    "multi_select_list": _sum,
}
FUNCTIONS: dict[str, Combine] = {
    **dict.fromkeys(("abs", "avg", "ceil", "contains", "ends_with", "floor", "length"), _scalar),
    **dict.fromkeys(("starts_with", "sum", "to_number", "type"), _scalar),
    **dict.fromkeys(("keys", "max", "max_by", "min", "min_by", "reverse", "sort", "sort_by", "values"), _first),
    **dict.fromkeys(("merge", "to_array"), _sum),
    "join": _join,
    "map": _map,
    "not_null": _largest,
}
"""Not `to_string`: what a value has as text, with all that JSON escapes, is not said by its size."""
