"""The prompt cache: what a prompt has in common with an earlier one of the same key is read from it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from connector.model import JSON, members

__all__ = ["CacheUse", "PromptCache"]

LEAST = 1024
"""A shorter prompt is not cached."""
STEP = 128
"""Tokens that the cache knows are a multiple of this."""
MOST_PROMPTS = 64


class CacheUse(NamedTuple):
    """How many tokens of a prompt were read from the cache, and how many were written into it."""

    read: int = 0
    written: int = 0


class PromptCache:
    """The newest prompts, by model and key; a model writes where its prices have a rate for that."""

    def __init__(self) -> None:
        self._prompts: OrderedDict[tuple[str, str], str] = OrderedDict()

    def look_up(
        self, payload: Mapping[str, JSON], text: str, tokens: int, prices: JSON, count_tokens: Callable[[str], int]
    ) -> CacheUse:
        """Return what a prompt finds in the cache and leaves there.

        Args:
            payload: of the request: its model, key and options.
            text: the prompt.
            tokens: its length.
            prices: of the model.
            count_tokens: counts those of a text.
        """
        if tokens < LEAST or members(payload.get("prompt_cache_options")).get("mode") == "explicit":
            return CacheUse()
        place = (str(payload.get("model")), str(payload.get("prompt_cache_key") or ""))
        earlier = self._prompts.pop(place, "")
        self._prompts[place] = text
        if len(self._prompts) > MOST_PROMPTS:
            self._prompts.popitem(last=False)
        common = min(count_tokens(text[: _count_common(text, earlier)]), tokens)
        read = common // STEP * STEP if common >= LEAST else 0
        writes = any("cache_write" in members(each) for each in prices or ())
        return CacheUse(read, (tokens - read) // STEP * STEP if writes else 0)


def _count_common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low
