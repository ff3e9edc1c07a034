"""What became of one document, or of several that went out together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from connector.connections.records import Revived
from connector.model import JSON, Outcome

__all__ = ["Item", "Result", "State"]

State = Literal["done", "skipped", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Item:
    """A document of the input by its position."""

    number: int
    given: Revived


@dataclass(frozen=True, slots=True)
class Result:
    """How documents ended.

    Attributes:
        items: the documents of the input.
        state: what became of them.
        reason: why, when they are not done.
        outcomes: what each request that was made of them came to.
        answers: what came of the answers that no publisher took.
        kept: the answer, when something after it failed; it need not be asked for again.
    """

    items: Sequence[Item]
    state: State
    reason: str = ""
    outcomes: Sequence[Outcome] = ()
    answers: Sequence[JSON] = field(default_factory=list[JSON])
    kept: Outcome | None = None
