"""`logic-*`, `value-condition-v2`, `key-*`: conditions joined, on a value of the document, and on its keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.model import JSON
from connector.transform.block import make_sync
from connector.transform.conditions.values import negate
from connector.transform.context import Scope
from connector.transform.declaration import Condition, Field, Location
from connector.transform.fields import PathOf, accessor, conditions, path
from connector.transform.paths import MISSING, look_up
from connector.transform.types import Check, Predicate, Selector

__all__ = ["KEY_CONDITIONS", "LOGIC", "VALUE", "any_awaits", "first_failing"]


def any_awaits(checks: list[Check]) -> bool:
    """Whether one of the conditions waits."""
    return any(check.awaits for check in checks)


async def evaluate(check: Check, value: JSON, document: JSON, scope: Scope) -> bool:
    """Return whether a condition holds; wait for it where needed."""
    holds = check.holds(value, document, scope)
    return bool(await holds if check.awaits else holds)


async def first_failing(checks: list[Check], value: JSON, document: JSON, scope: Scope) -> Check | None:
    """Return the first condition that does not hold; later ones are not evaluated."""
    for check in checks:
        if not await evaluate(check, value, document, scope):
            return check
    return None


def _build_logic(holds: Callable[..., Any]) -> Callable[[list[Check]], Check]:
    def build(conditions: list[Check]) -> Check:
        async def work(value: JSON, document: JSON, scope: Scope) -> bool:
            return bool(await holds(conditions, value, document, scope))

        return Check(work, awaits=True) if any_awaits(conditions) else Check(make_sync(work))

    return build


async def _all(checks: list[Check], value: JSON, document: JSON, scope: Scope) -> bool:
    return await first_failing(checks, value, document, scope) is None


async def _any(checks: list[Check], value: JSON, document: JSON, scope: Scope) -> bool:
    for check in checks:
        if await evaluate(check, value, document, scope):
            return True
    return False


async def _none(checks: list[Check], value: JSON, document: JSON, scope: Scope) -> bool:
    return not await _any(checks, value, document, scope)


LOGIC_FIELDS = {
    "conditions": conditions(
        "The conditions that are joined.", required=True, aliases=("filters", "condition", "filter"), waits=True
    )
}
LOGIC = (
    Condition("logic-and", "All of these hold.", LOGIC_FIELDS, _build_logic(_all), sole="conditions", calls=False),
    Condition(
        "logic-or", "At least one of these holds.", LOGIC_FIELDS, _build_logic(_any), sole="conditions", calls=False
    ),
    Condition(
        "logic-not",
        "None of these holds.",
        LOGIC_FIELDS,
        _build_logic(_none),
        aliases=("logic-nor",),
        sole="conditions",
        calls=False,
    ),
)


def _build_value(accessor: Selector, conditions: list[Check]) -> Check:
    async def work(found: JSON, document: JSON, scope: Scope) -> bool:
        # A key that is not there is asked about as null: it equals null, and nothing else.
        values = [value for _, value in accessor.places(found)] or [None]
        for value in values:
            if await first_failing(conditions, value, document, scope):
                return False
        return True

    return Check(work, awaits=True) if any_awaits(conditions) else Check(make_sync(work))


VALUE_FIELDS = {
    "accessor": accessor(
        "What is asked about; when it names several values, all must fulfil the conditions.", required=True
    ),
    "conditions": conditions("What must hold.", required=True, waits=True),
}
VALUE = (
    Condition(
        "value-condition-v2",
        "Conditions on a value of the document.",
        VALUE_FIELDS,
        _build_value,
        aliases=("value-condition",),
        calls=False,
    ),
)


def _build_exists(path: PathOf) -> Predicate:
    def holds(found: JSON, document: JSON, scope: Scope) -> bool:
        return look_up(found, path(document, scope)) is not MISSING

    return holds


def _build_key_condition(filter: Check) -> Check:  # noqa: A002  the platform's name
    return filter


def _read_key_condition(given: JSON, location: Location) -> Check:
    return location.builder.condition({"key-exists-condition": given} if isinstance(given, str) else given, location)


FILTER = Field(
    "a condition",
    "Which key must be there, or must not.",
    _read_key_condition,
    {"$ref": "#/$defs/condition"},
    required=True,
)
PATH = {"path": path("The dotted path of the key.", required=True, aliases=("key",))}
KEY_CONDITIONS = (
    Condition(
        "key-condition",
        "A condition on the keys of the document.",
        {"filter": FILTER},
        _build_key_condition,
        sole="filter",
    ),
    Condition(
        "key-exists-condition", "A value is at the path.", PATH, _build_exists, aliases=("key-exists",), sole="path"
    ),
    Condition(
        "key-not-exists-condition",
        "No value is at the path.",
        PATH,
        negate(_build_exists),
        aliases=("key-not-exists",),
        sole="path",
    ),
)
