"""`merger`: steps run on the side, and what they make merged into the document."""

from __future__ import annotations

from connector.errors import ConfigurationError
from connector.model import JSON, is_document
from connector.request.display import kind
from connector.transform.awaiting import settled
from connector.transform.block import Block, awaitable
from connector.transform.context import Scope
from connector.transform.declaration import Action, Step
from connector.transform.edit import merge
from connector.transform.fields import steps, template
from connector.transform.signals import Unfit
from connector.transform.template import Template

__all__ = ["MERGER"]


def _build(template: Template, transformer: Block) -> Action:
    if transformer.many:
        raise ConfigurationError("what is merged must stay one document: brancher cannot stand here")
    inner = awaitable(transformer)

    async def work(document: JSON, scope: Scope) -> JSON:
        result = await inner(document, scope)
        values = template.resolve(result, scope)
        if values == [] or values is None:
            return document
        if not is_document(values) or not is_document(document):
            raise Unfit(f"the template makes {kind(values)} for {kind(document)}; objects can be merged")
        return merge(document, values)

    return Action(work if transformer.awaits else settled(work), transformer.awaits)


MERGER = Step(
    "merger",
    "Runs steps on the side and merges what a template makes of their result into the document.",
    {
        "template": template("What is merged; &{@} is the result of the steps.", default="&{@}"),
        "transformer": steps(
            "The step or steps; the document itself stays as it is.", required=True, aliases=("transformers", "steps")
        ),
    },
    _build,
    calls=False,
)
