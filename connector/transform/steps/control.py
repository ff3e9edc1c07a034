"""`chain`, `data`, `node`, `conditional`, `merger`: steps that run other steps."""

from __future__ import annotations

from typing import Any

from connector.errors import ConfigurationError
from connector.model import JSON, is_document
from connector.request.display import describe_value
from connector.transform.block import Block, make_async, make_sync
from connector.transform.conditions.logic import any_awaits, first_failing
from connector.transform.context import Scope
from connector.transform.declaration import Field, Location, Step
from connector.transform.edit import Edit, merge
from connector.transform.errors import Skipped, Unfit
from connector.transform.fields import accessor, conditions, each, steps, template
from connector.transform.template import Template
from connector.transform.types import Action, Check, Selector

__all__ = ["CHAIN", "CONDITIONAL", "DATA", "MERGER", "NODE", "guard"]


def _build_chain(transformers: Block, call: Action | None) -> Action:
    if call is not None:
        if transformers.actions:
            raise ConfigurationError("name and transformers are both given; a chain has one of them")
        return call
    return Action(transformers.run, transformers.awaits, transformers.many, inline=transformers.actions)


def _read_call(given: JSON, location: Location) -> Action | None:
    if not is_document(given) or not isinstance(given.get("name"), str):
        location.fault("no name", "name and, if it has parameters, with")
        return None
    return location.builder.saved_chain(given["name"], given.get("with") or {}, location)


CHAIN = Step(
    "chain",
    "Runs steps in a row, or a saved chain with parameters.",
    {
        "transformers": steps("The steps; a text names a saved chain.", aliases=("steps",), gathers=True),
        "call": Field(
            "a saved chain's name and parameters",
            "The saved chain to run: `{name: …, with: {parameter: value}}`.",
            _read_call,
            {
                "type": "object",
                "properties": {"name": {"type": "string"}, "with": {"type": "object"}},
                "required": ["name"],
            },
        ),
    },
    _build_chain,
    ("list-transformer-wrapper",),
    "transformers",
    calls=False,
)


async def guard(checks: list[Check], document: JSON, scope: Scope) -> None:
    """Drop the document unless all conditions hold; name the one that does not."""
    failed = await first_failing(checks, document, document, scope)
    if failed is not None:
        raise Skipped(failed.where, f"{failed.name} does not hold")


def _build_data(filters: list[Check], transformers: Block) -> Action:
    if not filters:
        return Action(transformers.run, transformers.awaits, transformers.many, inline=transformers.actions)
    inner = make_async(transformers)

    async def work(document: JSON, scope: Scope) -> JSON:
        await guard(filters, document, scope)
        return await inner(document, scope)

    awaits = transformers.awaits or any_awaits(filters)
    return Action(work if awaits else make_sync(work), awaits, transformers.many)


DATA = Step(
    "data",
    "Drops the document unless all filters hold, then runs steps on it.",
    {
        "filters": conditions("The conditions that a document must fulfil to pass.", waits=True),
        "transformers": steps("The steps.", aliases=("steps",)),
    },
    _build_data,
    ("filter",),
    calls=False,
)


def _build_node(accessor: Selector, node_filters: list[Check], node_transformers: Block) -> Action:
    if node_transformers.many:
        raise ConfigurationError("a node cannot become several: brancher belongs to whole documents")
    inner = make_async(node_transformers)

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

    awaits = node_transformers.awaits or any_awaits(node_filters)
    return Action(work if awaits else make_sync(work), awaits)


NODE = Step(
    "node",
    "Runs filters and steps on each part that an accessor names; a part whose filters do not hold is removed.",
    {
        "accessor": accessor("The parts.", required=True),
        "node_filters": conditions("What must hold for a part to stay.", aliases=("filters",), waits=True),
        "node_transformers": steps("The steps; in them the part is the document.", aliases=("transformers", "steps")),
    },
    _build_node,
    calls=False,
)


def _build_conditional(
    filters: list[Check], transformers: Block, else_cases: list[dict[str, Any]], else_transformers: Block
) -> Action:
    cases: list[tuple[list[Check], Block]] = [
        (filters, transformers),
        *((case["filters"], case["transformers"]) for case in else_cases),
        ([], else_transformers),
    ]
    works = [(checks, make_async(block)) for checks, block in cases]

    async def work(document: JSON, scope: Scope) -> JSON:
        for checks, inner in works:
            if await first_failing(checks, document, document, scope) is None:
                return await inner(document, scope)
        return document

    awaits = any(block.awaits or any_awaits(checks) for checks, block in cases)
    return Action(work if awaits else make_sync(work), awaits, any(block.many for _, block in cases))


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
    _build_conditional,
    calls=False,
)


def _build_merger(template: Template, transformer: Block) -> Action:
    if transformer.many:
        raise ConfigurationError("what is merged must stay one document: brancher cannot stand here")
    inner = make_async(transformer)

    async def work(document: JSON, scope: Scope) -> JSON:
        result = await inner(document, scope)
        values = template.resolve(result, scope)
        if values == [] or values is None:
            return document
        if not is_document(values) or not is_document(document):
            raise Unfit(
                f"the template makes {describe_value(values)} for {describe_value(document)}; objects can be merged"
            )
        return merge(document, values)

    return Action(work if transformer.awaits else make_sync(work), transformer.awaits)


MERGER = Step(
    "merger",
    "Runs steps on the side and merges what a template makes of their result into the document.",
    {
        "template": template("What is merged; &{@} is the result of the steps.", default="&{@}"),
        "transformer": steps(
            "The step or steps; the document itself stays as it is.", required=True, aliases=("transformers", "steps")
        ),
    },
    _build_merger,
    calls=False,
)
