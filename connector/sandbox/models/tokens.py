"""Tokens: how text is split, counted, cut off and given log probabilities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from connector.model import JSON, is_document, is_list
from connector.sandbox.models.seeded_random import SeededRandom

__all__ = [
    "build_logprobs",
    "count_content_tokens",
    "count_reasoning_tokens",
    "count_tokens",
    "estimate_logprob",
    "get_content_text",
    "is_reasoning_model",
    "read_stops",
    "split_tokens",
    "truncate",
]

PIECE = re.compile(r"\s?\w{1,8}|\s?[^\w\s]{1,4}|\s+")
"""A word or a part of a long one with the blank before it, a few signs, or blanks; nothing is left out."""
TEXTS = ("text", "refusal", "input_text", "output_text")
MEDIA = {"image_url": 85, "input_image": 85, "file": 100, "input_file": 100, "input_audio": 50}
"""The number of tokens of media of any size."""
ALTERNATIVES = (
    " the", " a", ".", ",", " and", " of", " to", " in", "\n", " it", " is", " that", " for", " on", " with", " as",
    " at", " by", " be", " or",
)  # fmt: skip
REASONING = re.compile(r"(ft:)?(o\d|gpt-([5-9]|\d\d)(?!.*chat)|codex|computer-use|gpt-oss)")
EFFORTS = {"none": 0, "minimal": 8, "low": 16, "medium": 32, "high": 64}
MOST_REASONING = 128


def split_tokens(text: str) -> list[str]:
    """Return the text in token-like pieces, which join to the same text."""
    return PIECE.findall(text)


def count_tokens(text: str) -> int:
    """Return the number of tokens of a text."""
    return len(PIECE.findall(text))


def truncate(text: str, stops: Sequence[str], limit: int | None) -> tuple[str, int, bool]:
    """Return the text up to its end, its number of tokens, and whether the limit was reached."""
    for stop in stops:
        text = text.partition(stop)[0] if stop else text
    found = split_tokens(text)
    if limit is None or len(found) <= limit:
        return text, len(found), False
    return "".join(found[:limit]), limit, True


def read_stops(stop: JSON) -> Sequence[str]:
    """Return the stop sequences of a request: none, one or several."""
    return list(_iterate_stops(stop)) if stop else ()


def _iterate_stops(stop: JSON) -> Iterator[str]:
    if isinstance(stop, str):
        yield stop
    else:
        yield from stop


def get_content_text(content: JSON) -> str:
    """Return the text of a content: itself, or that of its parts, a line each."""
    if isinstance(content, str):
        return content
    if not is_list(content):
        return ""
    return "\n".join(text for part in content if (text := _part_text(part)))


def count_content_tokens(content: JSON) -> int:
    """Return the number of tokens of a content with its media."""
    if isinstance(content, str):
        return count_tokens(content)
    if not is_list(content):
        return 0
    kinds = [part.get("type", "") for part in content if is_document(part)]
    return sum(MEDIA.get(kind, 0) for kind in kinds) + sum(count_tokens(_part_text(part)) for part in content)


def _first_text(texts: Iterable[str]) -> str:
    """The first text that is not empty."""
    return next((text for text in texts if text), "")


def _part_text(part: JSON) -> str:
    if isinstance(part, str):
        return part
    known: Mapping[str, JSON] = part if is_document(part) else {}
    return _first_text(str(known[name]) for name in ("text", "refusal") if isinstance(known.get(name), str))


def build_logprobs(text: str, top: int) -> list[dict[str, JSON]]:
    """Return one entry per token with the likeliest tokens in its place, itself first."""
    return [_build_logprob(token, index, top) for index, token in enumerate(split_tokens(text))]


def estimate_logprob(token: str, index: int) -> float:
    """Return the log probability of a token in its place."""
    return -(1 + SeededRandom(token).integer(str(index), 400)) / 1000


def _build_logprob(token: str, index: int, top: int) -> dict[str, JSON]:
    own = _bare_logprob(token, estimate_logprob(token, index))
    others: Sequence[str] = [other for other in ALTERNATIVES if other != token][: max(0, top - 1)]
    likely = [_bare_logprob(other, -3.0 - place) for place, other in enumerate(others)]
    return {**own, "top_logprobs": [own, *likely][:top]}


def _bare_logprob(token: str, logprob: float) -> dict[str, JSON]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def is_reasoning_model(model: str) -> bool:
    """Return whether models of a name reason before they answer."""
    return REASONING.match(model) is not None


def count_reasoning_tokens(model: str, effort: str | None, limit: int | None) -> int:
    """Return the number of reasoning tokens; at most half of the limit."""
    if not is_reasoning_model(model):
        return 0
    wanted = EFFORTS.get(effort or "medium", MOST_REASONING)
    return wanted if limit is None else min(wanted, limit // 2)
