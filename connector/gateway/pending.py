"""Answers that are made after their call has ended: whose they are, and what was charged for them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass

from connector.model import JSON, is_list, is_object, items

__all__ = ["Owed", "Pending", "is_pending"]

MOST = 10_000
STATES = ("queued", "in_progress", "validating", "finalizing", "cancelling", "running", "requires_action")


@dataclass(frozen=True, slots=True)
class Owed:
    """An answer that somebody asked for."""

    caller: str
    begun: float = 0.0
    """The period of the budget that it was charged to."""
    tokens: int = 0
    amount: float = 0.0
    model: str = ""


class Pending:
    """Answers by client and id; of too many the oldest are forgotten, and what was charged for them stays."""

    def __init__(self) -> None:
        self._owed: OrderedDict[str, Owed] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._owed)

    def add(self, client: str, identity: str, owed: Owed) -> None:
        self._owed[f"{client}/{identity}"] = owed
        if len(self._owed) > MOST:
            self._owed.popitem(last=False)

    def within(self, client: str, answer: Mapping[str, JSON]) -> Iterator[tuple[str, Owed, Mapping[str, JSON]]]:
        """The answers that another answer tells of, itself or those that it lists; with what it says of each."""
        for one in (answer, *items(answer.get("data"))):
            identity = one.get("id") if is_object(one) else None
            owed = self._owed.get(f"{client}/{identity}")
            if owed is not None and isinstance(identity, str):
                yield identity, owed, one

    def remove(self, client: str, identity: str) -> None:
        self._owed.pop(f"{client}/{identity}", None)

    def kept(self) -> dict[str, JSON]:
        """As it is written down."""
        return {name: list(astuple(owed)) for name, owed in self._owed.items()}

    def restore(self, kept: Mapping[str, JSON]) -> None:
        """What was written down; what is malformed is left out."""
        for name, row in kept.items():
            if is_list(row) and [type(each) for each in row] in SHAPES:
                self._owed[name] = Owed(*row)


SHAPES = [[str, begun, int, amount, str] for begun in (int, float) for amount in (int, float)]


def is_pending(answer: Mapping[str, JSON]) -> bool:
    """Whether an answer says that it is still being made."""
    return answer.get("status") in STATES and isinstance(answer.get("id"), str)
