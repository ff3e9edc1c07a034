"""What steps share that call somebody: the answer's body put in its place, or the document failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from connector.model import JSON, State, is_document, is_list
from connector.transform.context import Scope
from connector.transform.edit import assign
from connector.transform.fields import At
from connector.transform.signals import Unfit

__all__ = ["answered", "drop_nulls"]


async def answered(
    client: str,
    kind: Literal["openai", "http"],
    request: Mapping[str, JSON],
    destination: At | None,
    document: JSON,
    scope: Scope,
) -> JSON:
    """The document with the answer's body at the destination, or the body in its place."""
    outcome = await scope.context.call(client, kind, request)
    if outcome.state is not State.DONE:
        raise Unfit(f"{client}: {outcome.sentence()}")
    if destination is None:
        return outcome.body
    return assign(document, destination(document, scope), outcome.body)


def drop_nulls(value: JSON) -> JSON:
    """The value without members that are null; items of lists stay."""
    if is_document(value):
        return {key: drop_nulls(item) for key, item in value.items() if item is not None}
    return [drop_nulls(item) for item in value] if is_list(value) else value
