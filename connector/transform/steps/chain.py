"""`chain`: steps in a row."""

from __future__ import annotations

from connector.errors import ConfigurationError
from connector.model import JSON, is_document
from connector.transform.block import Block
from connector.transform.declaration import Action, Field, Step
from connector.transform.fields import steps
from connector.transform.saved import call_saved
from connector.transform.site import Site

__all__ = ["CHAIN"]


def _build(transformers: Block, call: Action | None) -> Action:
    if call is not None:
        if transformers.actions:
            raise ConfigurationError("name and transformers are both given; a chain has one of them")
        return call
    return Action(transformers.run, transformers.awaits, transformers.many, inline=transformers.actions)


def _called(given: JSON, site: Site) -> Action | None:
    if not is_document(given) or not isinstance(given.get("name"), str):
        site.fault("no name", "name and, if it has parameters, with")
        return None
    return call_saved(site.compiler.saved, given["name"], given.get("with") or {}, site)


CHAIN = Step(
    "chain",
    "Runs steps in a row, or a saved chain with parameters.",
    {
        "transformers": steps("The steps; a text names a saved chain.", aliases=("steps",), gathers=True),
        "call": Field(
            "a saved chain's name and parameters",
            "The saved chain to run: `{name: …, with: {parameter: value}}`.",
            _called,
            {
                "type": "object",
                "properties": {"name": {"type": "string"}, "with": {"type": "object"}},
                "required": ["name"],
            },
        ),
    },
    _build,
    ("list-transformer-wrapper",),
    "transformers",
    calls=False,
)
