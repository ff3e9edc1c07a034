"""Embeddings that travelled as base64, given back as the floats people expect."""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode
from binascii import Error

from connector.model import JSON, items, members

__all__ = ["as_floats"]


def as_floats(body: JSON) -> JSON:
    """The answer with every base64 embedding unpacked from little-endian float32; anything else is left as it is."""
    for item in map(members, items(members(body).get("data"))):
        if isinstance(packed := item.get("embedding"), str):
            item["embedding"] = _unpacked(packed)
    return body


def _unpacked(packed: str) -> list[float] | str:
    floats = array("f")
    try:
        floats.frombytes(b64decode(packed, validate=True))
    except (Error, ValueError):
        return packed
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tolist()
