"""`data`: filters a document must pass, then steps."""

from __future__ import annotations

from connector.model import JSON
from connector.transform.awaiting import settled
from connector.transform.block import Block, awaitable
from connector.transform.conditions.logic import first_false, waits
from connector.transform.context import Scope
from connector.transform.declaration import Action, Step, Test
from connector.transform.fields import conditions, steps
from connector.transform.signals import Skipped

__all__ = ["DATA", "guard"]


async def guard(tests: list[Test], document: JSON, scope: Scope) -> None:
    """Let the document pass, or drop it with the filter that did not hold."""
    failed = await first_false(tests, document, document, scope)
    if failed is not None:
        raise Skipped(failed.place, f"{failed.name} does not hold")


def _build(filters: list[Test], transformers: Block) -> Action:
    if not filters:
        return Action(transformers.run, transformers.awaits, transformers.many, inline=transformers.actions)
    inner = awaitable(transformers)

    async def work(document: JSON, scope: Scope) -> JSON:
        await guard(filters, document, scope)
        return await inner(document, scope)

    awaits = transformers.awaits or waits(filters)
    return Action(work if awaits else settled(work), awaits, transformers.many)


DATA = Step(
    "data",
    "Drops the document unless all filters hold, then runs steps on it.",
    {
        "filters": conditions("What must hold for a document to go on.", waits=True),
        "transformers": steps("The steps.", aliases=("steps",)),
    },
    _build,
    ("filter",),
    calls=False,
)
