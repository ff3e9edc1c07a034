"""Embeddings: unit vectors, near for near texts, in both encodings."""

from __future__ import annotations

import base64
import math
import struct

import pytest

from connector.sandbox.messages import ApiError

SMALL = "text-embedding-3-small"


def vectors(room, given, model=SMALL, **fields):
    body = room.post("/embeddings", {"model": model, "input": given, **fields})
    return [entry["embedding"] for entry in body["data"]]


def nearness(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("model", "size"), [(SMALL, 1536), ("text-embedding-3-large", 3072), ("text-embedding-ada-002", 1536)]
)
def test_vectors_are_of_unit_length_and_the_models_size(room, model, size):
    vector = vectors(room, "A lighthouse at dawn", model)[0]
    assert len(vector) == size
    assert math.isclose(nearness(vector, vector), 1, abs_tol=1e-6)


def test_near_texts_are_near(room):
    cat, cats, tax = vectors(
        room, ["The cat sleeps on the sofa", "A cat is sleeping on a sofa", "Corporate tax returns are due in May"]
    )
    assert nearness(cat, cats) > 0.4 > 0.2 > nearness(cat, tax)
    assert vectors(room, "The cat sleeps on the sofa")[0] == cat


def test_vectors_may_be_shorter(room):
    assert len(vectors(room, "x", dimensions=8)[0]) == 8
    with pytest.raises(ApiError, match="less than or equal to 1536"):
        vectors(room, "x", dimensions=2000)
    with pytest.raises(ApiError, match="does not support"):
        vectors(room, "x", "text-embedding-ada-002", dimensions=8)


def test_base64_holds_the_same_floats(room):
    answer = room.ask("/embeddings", {"model": SMALL, "input": "hello", "encoding_format": "base64", "dimensions": 16})
    packed = base64.b64decode(answer.body["data"][0]["embedding"])
    assert list(struct.unpack("<16f", packed)) == vectors(room, "hello", dimensions=16)[0]


def test_tokens_are_inputs_too(room):
    one, other, again = vectors(room, [[1, 2, 3], [4, 5, 6], [1, 2, 3]])
    assert one == again != other
    assert vectors(room, [1, 2, 3])[0] == one
    usage = room.post("/embeddings", {"model": SMALL, "input": [[1, 2, 3], [4]]})["usage"]
    assert usage == {"prompt_tokens": 4, "total_tokens": 4}


def test_a_text_without_words_has_a_vector_and_none_has_not(room):
    assert math.isclose(nearness(*vectors(room, ["…", "…"])), 1, abs_tol=1e-6)
    with pytest.raises(ApiError, match="must not be empty"):
        vectors(room, ["a", ""])
