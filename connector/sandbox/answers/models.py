"""What a model's name tells: whether it thinks first, and how long."""

from __future__ import annotations

import re

__all__ = ["is_reasoning", "reasoning_tokens"]

REASONING = re.compile(r"(ft:)?(o\d|gpt-([5-9]|\d\d)(?!.*chat)|codex|computer-use|gpt-oss)")
EFFORTS = {"none": 0, "minimal": 8, "low": 16, "medium": 32, "high": 64}
MOST = 128


def is_reasoning(model: str) -> bool:
    """Whether models of that name think before they speak."""
    return REASONING.match(model) is not None


def reasoning_tokens(model: str, effort: str | None, most: int | None) -> int:
    """How many tokens the model thinks; at most half of what it is given."""
    if not is_reasoning(model):
        return 0
    wanted = EFFORTS.get(effort or "medium", MOST)
    return wanted if most is None else min(wanted, most // 2)
