"""`node`: filters and steps on parts of a document."""

from __future__ import annotations

from connector.errors import ConfigurationError
from connector.model import JSON
from connector.transform.awaiting import settled
from connector.transform.block import Block, awaitable
from connector.transform.conditions.logic import waits
from connector.transform.context import Scope
from connector.transform.declaration import Action, Look, Step, Test
from connector.transform.edit import Edit
from connector.transform.fields import accessor, conditions, steps
from connector.transform.signals import Skipped
from connector.transform.steps.data import guard

__all__ = ["NODE"]


def _build(accessor: Look, node_filters: list[Test], node_transformers: Block) -> Action:
    if node_transformers.many:
        raise ConfigurationError("a node cannot become several: brancher belongs to whole documents")
    inner = awaitable(node_transformers)

    async def work(document: JSON, scope: Scope) -> JSON:
        edit = Edit(document)
        for path, node in accessor.places(document):
            try:
                await guard(node_filters, node, scope)
                edit.set(path, await inner(node, scope))
            except Skipped:
                if not path:
                    raise
                edit.remove(path)
        return edit.end()

    awaits = node_transformers.awaits or waits(node_filters)
    return Action(work if awaits else settled(work), awaits)


NODE = Step(
    "node",
    "Runs filters and steps on each part that an accessor names; a part whose filters do not hold is removed.",
    {
        "accessor": accessor("The parts.", required=True),
        "node_filters": conditions("What must hold for a part to stay.", aliases=("filters",), waits=True),
        "node_transformers": steps("The steps; in them the part is the document.", aliases=("transformers", "steps")),
    },
    _build,
    calls=False,
)
