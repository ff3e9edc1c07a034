"""Log probabilities of what was said, as if the model had been rather sure."""

from __future__ import annotations

from collections.abc import Sequence

from connector.model import JSON
from connector.sandbox.answers.dice import Dice
from connector.sandbox.answers.tokens import pieces

__all__ = ["likelihood", "token_logprobs"]

ALTERNATIVES = (
    " the", " a", ".", ",", " and", " of", " to", " in", "\n", " it", " is", " that", " for", " on", " with", " as",
    " at", " by", " be", " or",
)  # fmt: skip


def token_logprobs(text: str, top: int) -> list[dict[str, JSON]]:
    """One entry per token, with so many of the likeliest tokens at its place, itself first."""
    return [_entry(token, index, top) for index, token in enumerate(pieces(text))]


def likelihood(token: str, index: int) -> float:
    """The log probability of a token at its place."""
    return -(1 + Dice(token).number(str(index), 400)) / 1000


def _entry(token: str, index: int, top: int) -> dict[str, JSON]:
    own = _bare(token, likelihood(token, index))
    others: Sequence[str] = [other for other in ALTERNATIVES if other != token][: max(0, top - 1)]
    likely = [_bare(other, -3.0 - place) for place, other in enumerate(others)]
    return {**own, "top_logprobs": [own, *likely][:top]}


def _bare(token: str, logprob: float) -> dict[str, JSON]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}
