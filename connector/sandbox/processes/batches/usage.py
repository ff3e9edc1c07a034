"""What the answers of a batch used, added up."""

from __future__ import annotations

from collections.abc import Mapping

from connector.model import JSON
from connector.shapes import members

__all__ = ["Usage"]


class Usage:
    """One usage of many, whatever the endpoint calls its parts."""

    def __init__(self) -> None:
        self._given = self._cached = self._made = self._thought = 0

    def add(self, body: JSON) -> None:
        """Counts in what one answer used, if it says so."""
        usage = members(members(body).get("usage"))
        self._given += _first(usage, "input_tokens", "prompt_tokens")
        self._made += _first(usage, "output_tokens", "completion_tokens")
        self._cached += _first(_details(usage, "input_tokens_details", "prompt_tokens_details"), "cached_tokens")
        self._thought += _first(
            _details(usage, "output_tokens_details", "completion_tokens_details"), "reasoning_tokens"
        )

    def as_document(self) -> dict[str, JSON]:
        """The sum as a batch shows it."""
        return {
            "input_tokens": self._given,
            "input_tokens_details": {"cached_tokens": self._cached},
            "output_tokens": self._made,
            "output_tokens_details": {"reasoning_tokens": self._thought},
            "total_tokens": self._given + self._made,
        }


def _first(usage: Mapping[str, JSON], *names: str) -> int:
    return next((usage[name] for name in names if usage.get(name)), 0)


def _details(usage: Mapping[str, JSON], *names: str) -> dict[str, JSON]:
    return members(next((usage[name] for name in names if usage.get(name)), None))
