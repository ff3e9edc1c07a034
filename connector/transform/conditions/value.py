"""`value-condition-v2`: conditions on what an accessor names."""

from __future__ import annotations

from connector.model import JSON
from connector.transform.awaiting import settled
from connector.transform.conditions.logic import first_false, waits
from connector.transform.context import Scope
from connector.transform.declaration import Condition, Look, Test
from connector.transform.fields import accessor, conditions

__all__ = ["VALUE"]


def _build(accessor: Look, conditions: list[Test]) -> Test:
    async def work(found: JSON, document: JSON, scope: Scope) -> bool:
        # A key that is not there is asked about as null: it equals null, and nothing else.
        values = [value for _, value in accessor.places(found)] or [None]
        for value in values:
            if await first_false(conditions, value, document, scope):
                return False
        return True

    return Test(work, awaits=True) if waits(conditions) else Test(settled(work))


FIELDS = {
    "accessor": accessor(
        "What is asked about; when it names several values, all must fulfil the conditions.", required=True
    ),
    "conditions": conditions("What must hold.", required=True, waits=True),
}
VALUE = (
    Condition(
        "value-condition-v2",
        "Conditions on a value of the document.",
        FIELDS,
        _build,
        aliases=("value-condition",),
        calls=False,
    ),
)
