"""Verdicts by a list of words: crude, but always the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from connector.model import JSON
from connector.sandbox.answers.dice import Dice

__all__ = ["moderation_of", "verdict"]

WORDS: Mapping[str, Sequence[str]] = {
    "harassment": ("idiot", "idiots", "stupid", "loser", "losers", "moron", "scum", "shut up", "i will hurt you"),
    "harassment/threatening": ("i will hurt you", "i will kill you", "i will find you", "you will pay for this"),
    "hate": ("hate those people", "hate them all", "inferior race", "vermin", "subhuman", "ethnic cleansing"),
    "hate/threatening": ("exterminate them", "kill them all", "ethnic cleansing"),
    "illicit": ("cocaine", "heroin", "shoplift", "launder money", "fake passport", "hack into", "build a bomb"),
    "illicit/violent": ("build a bomb", "make a bomb", "pipe bomb", "hire a hitman", "untraceable gun"),
    "self-harm": ("suicide", "self harm", "kill myself", "hurt myself", "cut myself", "end my life"),
    "self-harm/instructions": ("how to kill myself", "how to cut myself", "painless suicide", "suicide methods"),
    "self-harm/intent": ("kill myself", "hurt myself", "cut myself", "end my life", "want to die"),
    "sexual": ("porn", "pornography", "nude", "naked", "sex", "erotic"),
    "sexual/minors": ("underage sex", "child porn", "child pornography"),
    "violence": ("kill", "killed", "murder", "stab", "shoot", "bomb", "massacre", "torture", "behead", "attack them"),
    "violence/graphic": ("gore", "dismember", "dismembered", "disembowel", "behead", "blood everywhere"),
}
SEEN = frozenset(("self-harm", "self-harm/instructions", "self-harm/intent", "sexual", "violence", "violence/graphic"))
"""Categories that images are judged by as well."""
WORD = re.compile(r"\w+")


def verdict(text: str, images: Sequence[str] = ()) -> dict[str, JSON]:
    """The result for one input: of images, the words of their addresses are read."""
    spoken, seen = _found(text), _found(" ".join(image for image in images if not image.startswith("data:"))) & SEEN
    flagged = spoken | seen
    dice = Dice("\n".join((text, *images)))
    kinds = {name: [*(["text"] if text else []), *(["image"] if images and name in SEEN else [])] for name in WORDS}
    return {
        "flagged": bool(flagged),
        "categories": {name: name in flagged for name in WORDS},
        "category_scores": {name: _score(name, dice, flagged=name in flagged) for name in WORDS},
        "category_applied_input_types": kinds,
    }


def moderation_of(wanted: Mapping[str, JSON], asked: str, said: str) -> dict[str, JSON]:
    """What an answer says of its own input and output when it was asked to."""
    model = str(wanted.get("model") or "omni-moderation-latest")
    return {"input": _results(model, asked), "output": _results(model, said)}


def _results(model: str, text: str) -> dict[str, JSON]:
    result = {"type": "moderation_result", "model": model, **verdict(text)}
    return {"type": "moderation_results", "model": model, "results": [result]}


def _found(text: str) -> set[str]:
    said = f" {' '.join(WORD.findall(text.casefold()))} "
    return {name for name, words in WORDS.items() if any(f" {word} " in said for word in words)}


def _score(name: str, dice: Dice, *, flagged: bool) -> float:
    """Sure of what is on the list, and next to nothing for the rest."""
    return (800 + dice.number(name, 199)) / 1000 if flagged else (1 + dice.number(name, 999)) / 1_000_000
