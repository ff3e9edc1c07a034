"""`conditional`: the steps of the first case whose filters hold."""

from __future__ import annotations

from typing import Any

from connector.model import JSON
from connector.transform.awaiting import settled
from connector.transform.block import Block, awaitable
from connector.transform.conditions.logic import first_false, waits
from connector.transform.context import Scope
from connector.transform.declaration import Action, Step, Test
from connector.transform.fields import conditions, each, steps

__all__ = ["CONDITIONAL"]


def _build(
    filters: list[Test], transformers: Block, else_cases: list[dict[str, Any]], else_transformers: Block
) -> Action:
    cases: list[tuple[list[Test], Block]] = [
        (filters, transformers),
        *((case["filters"], case["transformers"]) for case in else_cases),
        ([], else_transformers),
    ]
    works = [(tests, awaitable(block)) for tests, block in cases]

    async def work(document: JSON, scope: Scope) -> JSON:
        for tests, inner in works:
            if await first_false(tests, document, document, scope) is None:
                return await inner(document, scope)
        return document

    awaits = any(block.awaits or waits(tests) for tests, block in cases)
    return Action(work if awaits else settled(work), awaits, any(block.many for _, block in cases))


CASE = {
    "filters": conditions("What must hold.", aliases=("filter",), waits=True),
    "transformers": steps("The steps of this case.", aliases=("transformer", "steps")),
}
CONDITIONAL = Step(
    "conditional",
    "Runs the steps of the first case whose filters hold; a key that is missing fulfils none but the absence of it.",
    {
        "filters": conditions("What must hold for the first case.", waits=True),
        "transformers": steps("The steps of the first case.", aliases=("then",)),
        "else_cases": each("Further cases, in their order.", CASE),
        "else_transformers": steps("The steps when no case holds.", aliases=("else",)),
    },
    _build,
    calls=False,
)
