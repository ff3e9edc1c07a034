"""Embeddings: unit vectors of hashed words, near each other where texts share words."""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from zlib import crc32

from connector.model import JSON
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, ApiError, Request
from connector.sandbox.models.script_handlers import with_scripted_body
from connector.sandbox.models.tokens import count_tokens

__all__ = ["HANDLERS"]

WORD = re.compile(r"\w+")
STOP_WORDS = frozenset("a an and are as at be by for from i in is it of on or that the this to was with you".split())  # noqa: SIM905
"""Words that do not tell what a text is about."""
STOP_WEIGHT, WORD_WEIGHT, PART_WEIGHT = 0.2, 2.0, 0.5
DIMENSIONS = {"text-embedding-3-large": 3072}
DEFAULT_DIMENSIONS = 1536
FIXED_MODEL = "text-embedding-ada-002"
"""The model whose vectors have one size only."""
MOST_TOKENS = 300_000
"""The limit of tokens of all inputs together."""


def embed(text: str | Sequence[int], dimensions: int) -> list[float]:
    """Return the unit vector of a text, or of a list of tokens."""
    weights: dict[int, float] = {}
    for feature, weight in _features(text):
        code = crc32(feature.encode(errors="replace"))
        weights[code] = weights.get(code, 0.0) + weight
    made = [0.0] * dimensions
    for code, weight in weights.items():
        # Rare repeats count less and less; one bit of the code is the sign, so that collisions cancel out.
        made[(code >> 1) % dimensions] += math.sqrt(weight) * (1 if code & 1 else -1)
    length = math.sqrt(sum(value * value for value in made))
    if not length:
        made[0] = length = 1.0
    return [value / length for value in made]


def _features(text: str | Sequence[int]) -> Iterable[tuple[str, float]]:
    if not isinstance(text, str):
        yield from ((f"token {token}", WORD_WEIGHT) for token in text)
        return
    for word in WORD.findall(text.casefold()) or [text]:
        little = STOP_WEIGHT if word in STOP_WORDS else 1.0
        yield word, WORD_WEIGHT * little
        framed = f"^{word}$"
        for start in range(len(framed) - 2):
            yield framed[start : start + 3], PART_WEIGHT * little


def create_embeddings(request: Request, _: Backend) -> Answer:
    """Return the vectors of all inputs in their order."""
    payload: Mapping[str, JSON] = request.payload
    inputs = _read_inputs(payload["input"])
    size = _read_dimensions(payload)
    in_base64 = payload.get("encoding_format") == "base64"
    data = [_build_embedding(embed(one, size), index, in_base64=in_base64) for index, one in enumerate(inputs)]
    tokens = sum(count_tokens(one) if isinstance(one, str) else len(one) for one in inputs)
    if tokens > MOST_TOKENS:
        message = f"Requested {tokens} tokens, max {MOST_TOKENS} tokens per request"
        raise ApiError(400, message, type="max_tokens_per_request", code="max_tokens_per_request")
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return Answer(body={"object": "list", "data": data, "model": payload["model"], "usage": usage})


def _read_inputs(given: JSON) -> Sequence[str | Sequence[int]]:
    """Return the inputs: one text, several, one list of tokens, or several."""
    inputs: Sequence[str | Sequence[int]] = [given] if isinstance(given, str) or _is_tokens(given) else given
    if not all(inputs):
        raise ApiError(400, "'$.input' is invalid: an input must not be empty.", param="input")
    return inputs


def _is_tokens(given: JSON) -> bool:
    return bool(given) and isinstance(given[0], int)


def _read_dimensions(payload: Mapping[str, JSON]) -> int:
    highest = DIMENSIONS.get(payload["model"], DEFAULT_DIMENSIONS)
    dimensions: int | None = payload.get("dimensions")
    if dimensions is None:
        return highest
    if payload["model"] == FIXED_MODEL:
        raise ApiError(400, "This model does not support specifying dimensions.", param="dimensions")
    if dimensions > highest:
        message = f"Invalid value for 'dimensions' = {dimensions}. Must be less than or equal to {highest}."
        raise ApiError(400, message, param="dimensions")
    return dimensions


def _build_embedding(values: list[float], index: int, *, in_base64: bool) -> dict[str, JSON]:
    packed = struct.pack(f"<{len(values)}f", *values)
    # Both forms hold what a float of 32 bits holds, so that they are the same vector.
    shown = base64.b64encode(packed).decode() if in_base64 else list(struct.unpack(f"<{len(values)}f", packed))
    return {"object": "embedding", "index": index, "embedding": shown}


HANDLERS: Mapping[str, Handler] = {"POST /embeddings": with_scripted_body(create_embeddings)}
