"""Conditions joined: all of them, any of them, none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.model import JSON
from connector.transform.awaiting import settled
from connector.transform.context import Scope
from connector.transform.declaration import Condition, Test
from connector.transform.fields import conditions

__all__ = ["LOGIC", "first_false", "waits"]


def waits(tests: list[Test]) -> bool:
    """Whether one of the conditions waits for something."""
    return any(test.awaits for test in tests)


async def verdict(test: Test, value: JSON, document: JSON, scope: Scope) -> bool:
    """Whether a condition holds, waited for if need be."""
    holds = test.holds(value, document, scope)
    return bool(await holds if test.awaits else holds)


async def first_false(tests: list[Test], value: JSON, document: JSON, scope: Scope) -> Test | None:
    """The first condition that does not hold; later ones are not asked."""
    for test in tests:
        if not await verdict(test, value, document, scope):
            return test
    return None


def _build(holds: Callable[..., Any]) -> Callable[[list[Test]], Test]:
    def build(conditions: list[Test]) -> Test:
        async def work(value: JSON, document: JSON, scope: Scope) -> bool:
            return bool(await holds(conditions, value, document, scope))

        return Test(work, awaits=True) if waits(conditions) else Test(settled(work))

    return build


async def _all(tests: list[Test], value: JSON, document: JSON, scope: Scope) -> bool:
    return await first_false(tests, value, document, scope) is None


async def _any(tests: list[Test], value: JSON, document: JSON, scope: Scope) -> bool:
    for test in tests:
        if await verdict(test, value, document, scope):
            return True
    return False


async def _none(tests: list[Test], value: JSON, document: JSON, scope: Scope) -> bool:
    return not await _any(tests, value, document, scope)


FIELDS = {
    "conditions": conditions(
        "The conditions that are joined.", required=True, aliases=("filters", "condition", "filter"), waits=True
    )
}
LOGIC = (
    Condition("logic-and", "All of these hold.", FIELDS, _build(_all), sole="conditions", calls=False),
    Condition("logic-or", "At least one of these holds.", FIELDS, _build(_any), sole="conditions", calls=False),
    Condition(
        "logic-not",
        "None of these holds.",
        FIELDS,
        _build(_none),
        aliases=("logic-nor",),
        sole="conditions",
        calls=False,
    ),
)
