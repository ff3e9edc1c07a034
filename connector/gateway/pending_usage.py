"""Answers that are made after their request has ended: their callers and charges."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass

from connector.model import JSON, is_list, is_object, items

__all__ = ["PendingCharge", "PendingUsage"]

MAX_PENDING = 10_000


@dataclass(frozen=True, slots=True)
class PendingCharge:
    """What a caller was charged for an answer whose usage is not known yet."""

    caller: str
    begun: float = 0.0
    """The budget's period that it was charged to."""
    tokens: int = 0
    amount: float = 0.0
    model: str = ""


class PendingUsage:
    """Charges by client and id; beyond the maximum the oldest are forgotten, and stay as they were charged."""

    def __init__(self) -> None:
        self._charges: OrderedDict[str, PendingCharge] = OrderedDict()
        self.is_dirty = False
        """Whether it changed since it was last saved."""

    def __bool__(self) -> bool:
        return bool(self._charges)

    def add(self, client: str, identity: str, charge: PendingCharge) -> None:
        self.is_dirty = True
        self._charges[f"{client}/{identity}"] = charge
        if len(self._charges) > MAX_PENDING:
            self.forget_oldest()

    def find_in(
        self, client: str, answer: Mapping[str, JSON]
    ) -> Iterator[tuple[str, PendingCharge, Mapping[str, JSON]]]:
        """Yield the pending answers that an answer is or lists: id, charge and what it says of each."""
        for one in (answer, *items(answer.get("data"))):
            identity = one.get("id") if is_object(one) else None
            charge = self._charges.get(f"{client}/{identity}")
            if charge is not None and isinstance(identity, str):
                yield identity, charge, one

    def remove(self, client: str, identity: str) -> bool:
        """Remove a charge, and return whether it was there."""
        self.is_dirty = True
        return self._charges.pop(f"{client}/{identity}", None) is not None

    def clear(self) -> None:
        """Remove all charges."""
        self._charges.clear()

    def forget_oldest(self) -> None:
        """Let the oldest charge stay as it is."""
        self._charges.popitem(last=False)

    def dump(self) -> dict[str, JSON]:
        """Return the charges as they are saved."""
        return {name: list(astuple(charge)) for name, charge in self._charges.items()}

    def restore(self, saved: Mapping[str, JSON]) -> None:
        """Add saved charges; malformed ones are left out."""
        for name, row in saved.items():
            if is_list(row) and [type(each) for each in row] in SHAPES:
                self._charges[name] = PendingCharge(*row)


SHAPES = [[str, begun, int, amount, str] for begun in (int, float) for amount in (int, float)]
