"""`tokens`: counts the tokens of a text, or cuts it to so many."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Run, Step
from connector.transform.edit import assign
from connector.transform.fields import At, integer, path, text
from connector.transform.paths import MISSING, look_up
from connector.transform.signals import Unfit
from connector.transform.template import Resolve
from connector.transform.text import to_text

__all__ = ["TOKENS"]

ESTIMATE = 4
"""Bytes of UTF-8 in a token, about; what is counted by where `tiktoken` or its vocabulary is missing."""


class Estimate:
    """Four bytes a token."""

    def encode(self, text: str) -> Sequence[int]:
        return range(-(-len(text.encode(errors="replace")) // ESTIMATE))

    def cut(self, text: str, most: int) -> str:
        return text.encode(errors="replace")[: most * ESTIMATE].decode(errors="ignore")


@lru_cache(maxsize=64)
def encoding_of(model: str) -> Any:
    """The model's own encoding; that of current models for unknown ones; an estimate without `tiktoken`."""
    try:
        library: Any = import_module("tiktoken")  # not a dependency: used when it is there
    except ImportError:
        return Estimate()
    try:
        try:
            return Exact(library.encoding_for_model(model))
        except KeyError:
            return Exact(library.get_encoding("o200k_base"))
    except Exception:  # noqa: BLE001  its vocabulary comes from the network or a cache, and may not come at all
        return Estimate()


class Exact:
    """The tokens that the model sees."""

    def __init__(self, encoding: Any) -> None:
        self._encoding = encoding

    def encode(self, text: str) -> Sequence[int]:
        tokens: Sequence[int] = self._encoding.encode(text, disallowed_special=())
        return tokens

    def cut(self, text: str, most: int) -> str:
        tokens = self.encode(text)
        return text if len(tokens) <= most else str(self._encoding.decode(tokens[:most], errors="ignore"))


def _build(source: At, model: Resolve, max: Resolve | None, destination: At | None) -> Run:  # noqa: A002
    def run(document: JSON, scope: Scope) -> JSON:
        place = source(document, scope)
        value = look_up(document, place)
        if value is MISSING:
            raise Unfit(f"nothing at {'.'.join(place)!r} in the document")
        encoding, found = encoding_of(model(document, scope)), to_text(value)
        if max is None:
            target = destination(document, scope) if destination else ("tokens",)
            return assign(document, target, len(encoding.encode(found)))
        target = destination(document, scope) if destination else place
        return assign(document, target, encoding.cut(found, max(document, scope)))

    return run


TOKENS = Step(
    "tokens",
    "Counts the tokens of a text, or with max cuts it to so many; without `tiktoken`, four bytes are taken as one.",
    {
        "source": path("The text; objects and lists are taken as their JSON.", default=""),
        "model": text("The model whose tokens they are.", default="gpt-5"),
        "max": integer("The most tokens that stay.", least=0),
        "destination": path("Where the count goes (tokens unless given), or the cut text (its source unless given)."),
    },
    _build,
    sole="source",
)
