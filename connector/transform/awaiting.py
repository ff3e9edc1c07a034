"""One way to write work that may wait: as asynchronous functions, driven to their end where nothing waits."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["settled"]


def settled(work: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """Asynchronous work that never waits, as a plain function."""

    def run(*given: Any) -> Any:
        try:
            work(*given).send(None)
        except StopIteration as done:
            return done.value
        raise RuntimeError("a step that waits was taken for one that does not")

    return run
