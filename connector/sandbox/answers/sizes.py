"""Sizes of pictures, as requests write them."""

from __future__ import annotations

import re

from connector.model import JSON
from connector.sandbox.call import Refused

__all__ = ["sides_of"]

SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")
LARGEST = 4096
SQUARE = (1024, 1024)


def sides_of(size: JSON) -> tuple[int, int]:
    """Width and height; a square where the size is left open, and a refusal where it is none."""
    if size in (None, "auto"):
        return SQUARE
    found = SIZE.fullmatch(str(size))
    width, height = (int(side) for side in found.groups()) if found else (0, 0)
    if not (0 < width <= LARGEST and 0 < height <= LARGEST):
        message = f"Invalid value: '{size}'. Sizes are WIDTHxHEIGHT, at most {LARGEST} each, or 'auto'."
        raise Refused(400, message, param="size", code="invalid_value")
    return width, height
