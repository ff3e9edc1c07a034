"""Tokens of a text as a model counts them; estimated where `tiktoken` or its vocabulary is missing."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from importlib import import_module
from typing import Any

__all__ = ["Counting", "counting_of", "encoding_for"]

ESTIMATE = 4
"""Bytes of UTF-8 in a token, about."""


class Counting(StrEnum):
    """How the tokens of a text are counted."""

    EXACT = "tiktoken"
    LIKELY = "tiktoken, by the vocabulary of current models"
    API = "the API"
    BYTES = "bytes"


class Estimate:
    """Estimates four bytes a token."""

    def encode(self, text: str) -> Sequence[int]:
        return range(-(-len(text.encode(errors="replace")) // ESTIMATE))

    def cut(self, text: str, most: int) -> str:
        return text.encode(errors="replace")[: most * ESTIMATE].decode(errors="ignore")


def counting_of(model: str) -> Counting:
    """Return how `encoding_for` counts the tokens of a model."""
    encoding = encoding_for(model)
    if not isinstance(encoding, Exact):
        return Counting.BYTES
    return Counting.EXACT if encoding.is_known else Counting.LIKELY


@lru_cache(maxsize=64)
def encoding_for(model: str) -> Any:
    """Return the encoding of a model; that of current models for unknown ones; an estimate without `tiktoken`."""
    try:
        library: Any = import_module("tiktoken")  # not a dependency: used when it is there
    except ImportError:
        return Estimate()
    try:
        try:
            return Exact(library.encoding_for_model(model))
        except KeyError:
            return Exact(library.get_encoding("o200k_base"), is_known=False)
    except Exception:  # noqa: BLE001  its vocabulary comes from the network or a cache, and may not come at all
        return Estimate()


class Exact:
    """Encodes as the model does."""

    def __init__(self, encoding: Any, *, is_known: bool = True) -> None:
        self._encoding = encoding
        self.is_known = is_known

    def encode(self, text: str) -> Sequence[int]:
        tokens: Sequence[int] = self._encoding.encode(text, disallowed_special=())
        return tokens

    def cut(self, text: str, most: int) -> str:
        tokens = self.encode(text)
        return text if len(tokens) <= most else str(self._encoding.decode(tokens[:most], errors="ignore"))
