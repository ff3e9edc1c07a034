"""`tokens`: counts the tokens of a text, or cuts it to a number of them."""

from __future__ import annotations

from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Step
from connector.transform.edit import assign
from connector.transform.errors import Unfit
from connector.transform.fields import PathOf, integer, path, text
from connector.transform.paths import MISSING, look_up
from connector.transform.placeholders import to_text
from connector.transform.template import Resolve
from connector.transform.tokenizer import encoding_for
from connector.transform.types import Run

__all__ = ["TOKENS"]


def _build(source: PathOf, model: Resolve, max: Resolve | None, destination: PathOf | None) -> Run:  # noqa: A002
    def run(document: JSON, scope: Scope) -> JSON:
        place = source(document, scope)
        value = look_up(document, place)
        if value is MISSING:
            raise Unfit(f"nothing at {'.'.join(place)!r} in the document")
        encoding, found = encoding_for(model(document, scope)), to_text(value)
        if max is None:
            target = destination(document, scope) if destination else ("tokens",)
            return assign(document, target, len(encoding.encode(found)))
        target = destination(document, scope) if destination else place
        return assign(document, target, encoding.cut(found, max(document, scope)))

    return run


TOKENS = Step(
    "tokens",
    "Counts the tokens of a text, or with max cuts it to that many; without `tiktoken`, four bytes are taken as one.",
    {
        "source": path("The text; objects and lists are taken as their JSON.", default=""),
        "model": text("The model whose tokens they are.", default="gpt-5"),
        "max": integer("The most tokens that stay.", least=0),
        "destination": path("Where the count goes (tokens unless given), or the cut text (its source unless given)."),
    },
    _build,
    sole="source",
)
