"""What the answers of a batch used, added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector.model import JSON
from connector.shapes import members

__all__ = ["added_up"]


def added_up(bodies: Iterable[JSON]) -> dict[str, JSON]:
    """One usage of many, whatever the endpoint calls its parts."""
    given = cached = made = thought = 0
    for usage in (members(members(body).get("usage")) for body in bodies):
        given += _first(usage, "input_tokens", "prompt_tokens")
        made += _first(usage, "output_tokens", "completion_tokens")
        cached += _first(_details(usage, "input_tokens_details", "prompt_tokens_details"), "cached_tokens")
        thought += _first(_details(usage, "output_tokens_details", "completion_tokens_details"), "reasoning_tokens")
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": given + made,
    }


def _first(usage: Mapping[str, JSON], *names: str) -> int:
    return next((usage[name] for name in names if usage.get(name)), 0)


def _details(usage: Mapping[str, JSON], *names: str) -> dict[str, JSON]:
    return members(next((usage[name] for name in names if usage.get(name)), None))
