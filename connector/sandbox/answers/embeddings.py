"""Embeddings: a unit vector per input, as numbers or in base64."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping, Sequence

from connector.model import JSON
from connector.sandbox.answers.embedding import vector
from connector.sandbox.answers.scripted import silent
from connector.sandbox.answers.tokens import count
from connector.sandbox.call import Answer, Call, Handler, Refused, World

__all__ = ["HANDLERS"]

SIZES = {"text-embedding-3-large": 3072}
SIZE = 1536
FIXED = "text-embedding-ada-002"
"""The model whose vectors cannot be made shorter."""
MOST_TOKENS = 300_000
"""What all inputs of one request may come to."""


def create(call: Call, _: World) -> Answer:
    """The vectors of all inputs, in their order."""
    payload: Mapping[str, JSON] = call.payload
    inputs = _inputs(payload["input"])
    size = _size(payload)
    in_base64 = payload.get("encoding_format") == "base64"
    data = [_entry(vector(one, size), index, in_base64=in_base64) for index, one in enumerate(inputs)]
    tokens = sum(count(one) if isinstance(one, str) else len(one) for one in inputs)
    if tokens > MOST_TOKENS:
        message = f"Requested {tokens} tokens, max {MOST_TOKENS} tokens per request"
        raise Refused(400, message, type="max_tokens_per_request", code="max_tokens_per_request")
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return Answer(body={"object": "list", "data": data, "model": payload["model"], "usage": usage})


def _inputs(given: JSON) -> Sequence[str | Sequence[int]]:
    """The inputs: one text, several, one list of tokens, or several."""
    inputs: Sequence[str | Sequence[int]] = [given] if isinstance(given, str) or _is_tokens(given) else given
    if not all(inputs):
        raise Refused(400, "'$.input' is invalid: an input must not be empty.", param="input")
    return inputs


def _is_tokens(given: JSON) -> bool:
    return bool(given) and isinstance(given[0], int)


def _size(payload: Mapping[str, JSON]) -> int:
    most = SIZES.get(payload["model"], SIZE)
    asked: int | None = payload.get("dimensions")
    if asked is None:
        return most
    if payload["model"] == FIXED:
        raise Refused(400, "This model does not support specifying dimensions.", param="dimensions")
    if asked > most:
        message = f"Invalid value for 'dimensions' = {asked}. Must be less than or equal to {most}."
        raise Refused(400, message, param="dimensions")
    return asked


def _entry(values: list[float], index: int, *, in_base64: bool) -> dict[str, JSON]:
    packed = struct.pack(f"<{len(values)}f", *values)
    # Both forms hold what a float of 32 bits holds, so that they are the same vector.
    shown = base64.b64encode(packed).decode() if in_base64 else list(struct.unpack(f"<{len(values)}f", packed))
    return {"object": "embedding", "index": index, "embedding": shown}


HANDLERS: Mapping[str, Handler] = {"POST /embeddings": silent(create)}
