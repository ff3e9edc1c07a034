"""A response whose headers are there, as every transport gives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx

__all__ = ["Header", "RawResponse"]

Header = tuple[str, str]


@dataclass(slots=True)
class RawResponse:
    """A response whose headers are there."""

    status: int
    headers: list[tuple[bytes, bytes]]
    stream: httpx.AsyncByteStream
    take_whole: Callable[[], bytes | None] = lambda: None
    """Takes the whole body when it is there already; None when it is not."""
