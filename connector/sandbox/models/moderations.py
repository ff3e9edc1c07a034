"""Moderations by a list of words: crude, but the same each time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from connector.model import JSON, is_document
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.models.script_handlers import with_scripted_body
from connector.sandbox.models.seeded_random import SeededRandom

__all__ = ["HANDLERS", "moderate_exchange"]

CATEGORY_WORDS: Mapping[str, Sequence[str]] = {
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
IMAGE_CATEGORIES = frozenset(
    ("self-harm", "self-harm/instructions", "self-harm/intent", "sexual", "violence", "violence/graphic")
)
"""Categories that apply to images too."""
WORD = re.compile(r"\w+")
DEFAULT_MODEL = "omni-moderation-latest"


def moderate(text: str, images: Sequence[str] = ()) -> dict[str, JSON]:
    """Return the result for one input; of an image, the words of its URL are read."""
    spoken, seen = (
        _find_categories(text),
        _find_categories(" ".join(image for image in images if not image.startswith("data:"))) & IMAGE_CATEGORIES,
    )
    flagged = spoken | seen
    rng = SeededRandom("\n".join((text, *images)))
    kinds = {
        name: [*(["text"] if text else []), *(["image"] if images and name in IMAGE_CATEGORIES else [])]
        for name in CATEGORY_WORDS
    }
    return {
        "flagged": bool(flagged),
        "categories": {name: name in flagged for name in CATEGORY_WORDS},
        "category_scores": {name: _score(name, rng, flagged=name in flagged) for name in CATEGORY_WORDS},
        "category_applied_input_types": kinds,
    }


def moderate_exchange(wanted: Mapping[str, JSON], prompt: str, output: str) -> dict[str, JSON]:
    """Return the results for the input and the output of a model."""
    model = str(wanted.get("model") or "omni-moderation-latest")
    return {"input": _build_results(model, prompt), "output": _build_results(model, output)}


def _build_results(model: str, text: str) -> dict[str, JSON]:
    result = {"type": "moderation_result", "model": model, **moderate(text)}
    return {"type": "moderation_results", "model": model, "results": [result]}


def _find_categories(text: str) -> set[str]:
    output = f" {' '.join(WORD.findall(text.casefold()))} "
    return {name for name, words in CATEGORY_WORDS.items() if any(f" {word} " in output for word in words)}


def _score(name: str, rng: SeededRandom, *, flagged: bool) -> float:
    """Return a score near 1 for a flagged category and near 0 for the others."""
    return (800 + rng.integer(name, 199)) / 1000 if flagged else (1 + rng.integer(name, 999)) / 1_000_000


def create_moderation(request: Request, backend: Backend) -> Answer:
    """Return the results for an input."""
    results = list(_moderate_inputs(request.payload["input"]))
    return Answer(
        body={
            "id": backend.new_id("modr-"),
            "model": request.payload.get("model") or DEFAULT_MODEL,
            "results": results,
        },
    )


def _moderate_inputs(given: JSON) -> Iterator[dict[str, JSON]]:
    if isinstance(given, str):
        yield moderate(given)
    elif given and all(is_document(part) for part in given):
        texts = [str(part["text"]) for part in given if part.get("type") == "text"]
        yield moderate("\n".join(texts), [_image_url(part) for part in given if part.get("type") == "image_url"])
    else:
        for text in given:
            yield moderate(str(text))


def _image_url(part: Mapping[str, JSON]) -> str:
    return str(part["image_url"]["url"])


HANDLERS: Mapping[str, Handler] = {"POST /moderations": with_scripted_body(create_moderation)}
