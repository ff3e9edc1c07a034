"""What one evaluation may cost: visits, time, and the size of what it makes.

Values may share parts, so that a few steps write an exponential result: sizes are what the JSON text would have.
"""

from __future__ import annotations

import math
import time

from connector.model import JSON, is_document, is_list
from connector.transform.errors import Unfit

__all__ = ["GROWTH", "OUTPUT", "SECONDS", "VISITS", "WITHIN", "Budget", "check_result", "size_within"]

VISITS = 2_000_000
SECONDS = 0.5
OUTPUT = 4 * 1024**2
"""Bytes of JSON in a result, unless its document is large itself."""
WITHIN = 64 * 1024**2
"""Bytes of JSON in a value that is compared or written as text on the way."""
PARTS = 400_000
"""Values in one that is measured, compared or written; each is looked at."""
BETWEEN = 50_000
"""Visits between two looks at the clock."""
GROWTH = 16
"""How many times the size of its document a large result may have."""


class Budget:
    """Counts down while an expression is evaluated."""

    __slots__ = ("_deadline", "_left", "_look")

    def __init__(self) -> None:
        self._left = VISITS
        self._look = VISITS - BETWEEN
        self._deadline: float | None = None

    def charge(self, visits: int) -> None:
        """Take visits away; raise when they or the time are used up."""
        self._left -= visits
        if self._left < self._look:
            self._check()

    def _check(self) -> None:
        if self._left < 0:
            raise Unfit(f"the expression visits more than {VISITS} values, its budget; narrow it, or split the work")
        # Processor time: a machine that is busy elsewhere must not make an expression fail. Most expressions end
        # before the first look, and asking for it takes longer than they do.
        now = time.thread_time()
        if self._deadline is None:
            self._deadline = now + SECONDS
        if now > self._deadline:
            raise Unfit(f"the expression takes more than {SECONDS} s, its budget; narrow it, or split the work")
        self._look = self._left - BETWEEN

    def charge_text(self, characters: int) -> None:
        """Charge text: sixteen characters are one visit."""
        self.charge(characters // 16)


def size_within(value: JSON, most: float, parts: float = PARTS) -> int | None:
    """Return the approximate size of the value as JSON text, or None beyond `most` bytes or `parts` values.

    Raises Unfit for a number that JSON does not have.
    """
    size = 0
    todo: list[JSON] = [value]
    while todo:
        item = todo.pop()
        size += 4
        parts -= 1
        if isinstance(item, str):
            size += len(item)
        elif is_document(item):
            size += sum(map(len, item))
            todo.extend(item.values())
        elif is_list(item):
            todo.extend(item)
        elif isinstance(item, float) and not math.isfinite(item):
            raise Unfit(f"the expression makes {item}, a number that JSON does not have")
        if size > most or len(todo) > parts:
            return None
    return size


def check_result(result: JSON, document: JSON) -> None:
    """Refuse a result that grew out of proportion to its document."""
    if size_within(result, OUTPUT) is not None:
        return
    allowed = GROWTH * (size_within(document, math.inf, math.inf) or 0)
    if size_within(result, allowed, math.inf) is None:
        raise Unfit(f"the expression makes more than {max(allowed, OUTPUT)} bytes, its budget")
