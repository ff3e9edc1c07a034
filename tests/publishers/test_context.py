"""What a publisher is given in one attempt: all that its route has, and the attempt's own."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from connector.publishers import Context
from connector.transform.context import Context as ChainContext


def test_an_attempt_changes_nothing_but_its_chain_and_its_journal() -> None:
    given: dict[str, Any] = {field.name: object() for field in fields(Context)}
    context = Context(**{**given, "folder": Path("folder")})

    async def perform(_: Any) -> Any:
        raise AssertionError

    chained = ChainContext()
    within = context.within(chained, perform)
    expected = replace(context, chained=chained, call=chained.call, perform=perform)
    assert [getattr(within, field.name) for field in fields(Context)] == [
        getattr(expected, field.name) for field in fields(Context)
    ]
