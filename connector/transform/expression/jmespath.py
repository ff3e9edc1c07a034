"""JMESPath compiled to closures; parsed and typed by the `jmespath` package, bounded by a budget."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from connector.model import JSON, is_document, items, members
from connector.transform.errors import Unfit
from connector.transform.expression.budget import GROWTH, OUTPUT, Budget, check_result

__all__ = ["compile_jmespath", "parse_jmespath"]

LONGEST, DEEPEST, MOST = 10_000, 100, 2_000
Node = dict[str, Any]
"""A node of the package's syntax tree, which has no types."""
STRAIGHT = frozenset(
    (
        *("field", "index", "literal", "current", "identity", "subexpression", "index_expression", "pipe"),
        *("or_expression", "and_expression", "not_expression"),
    )
)
"""Nodes that neither loop nor build: their cost is that of being written."""


@lru_cache(maxsize=1024)
def compile_jmespath(expression: str) -> Callable[[JSON], JSON]:
    """Compile an expression to a function of a document; both raise Unfit for what cannot be done."""
    from connector.transform.expression.growth import bound_size
    from connector.transform.expression.nodes import compile_node

    tree = parse_jmespath(expression)
    _check_bounds(tree)
    evaluate = compile_node(tree)
    bound = bound_size(tree)
    if all(node["type"] in STRAIGHT for node, _ in _iterate_nodes(tree)):
        budget = Budget()
        return lambda document: evaluate(document, budget)

    in_proportion = bound.factor <= GROWTH and bound.constant <= OUTPUT

    def run(document: JSON) -> JSON:
        try:
            result = evaluate(document, Budget())
            if not in_proportion:
                check_result(result, document)
        except Unfit:
            raise
        except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise Unfit(" ".join(str(error).split()) or type(error).__name__) from None
        return result

    return run


def parse_jmespath(expression: str) -> Node:
    """Return the syntax tree of an expression."""
    import jmespath.parser

    if len(expression) > LONGEST:
        raise Unfit(f"an expression of {len(expression)} characters; at most {LONGEST} are allowed")
    try:
        with warnings.catch_warnings():
            # Literals that are no JSON mean text: the empty one is what users of other platforms write.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            parser: Any = jmespath.parser.Parser()
            parsed: Node = parser.parse(expression).parsed
    except RecursionError:
        raise Unfit(f"an expression nested too deeply; at most {DEEPEST} levels are allowed") from None
    except ValueError as error:
        raise Unfit(f"not a JMESPath expression: {' '.join(str(error).split())}") from None
    return parsed


def _is_too_deep(value: JSON) -> bool:
    """Whether a literal is nested too deep; newer Pythons parse any depth."""
    level: list[JSON] = [value]
    for _ in range(DEEPEST):
        level = [item for holder in level for item in (*members(holder).values(), *items(holder))]
        if not level:
            return False
    return True


def _iterate_nodes(tree: Node) -> Iterator[tuple[Node, int]]:
    todo: list[tuple[Node, int]] = [(tree, 1)]
    while todo:
        node, depth = todo.pop()
        yield node, depth
        todo.extend((child, depth + 1) for child in node["children"] if is_document(child))


def _check_bounds(tree: Node) -> None:
    for count, (node, depth) in enumerate(_iterate_nodes(tree), 1):
        if depth > DEEPEST or (node["type"] == "literal" and _is_too_deep(node["value"])):
            raise Unfit(f"an expression nested too deeply; at most {DEEPEST} levels are allowed")
        if count > MOST:
            raise Unfit(f"an expression of more than {MOST} parts; split it")
        if node["type"] == "slice" and node["children"][2] == 0:
            raise Unfit("a slice with step 0; 1 goes forward, -1 backward")
