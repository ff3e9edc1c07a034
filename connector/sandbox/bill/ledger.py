"""The ledger: what was used in each minute, by payer, model and tier."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf

from connector.model import JSON, members
from connector.sandbox.bill.meter import Use, read_uses
from connector.sandbox.bill.payers import Payer
from connector.sandbox.bill.tariff import Tariff
from connector.sandbox.object_store import ObjectStore

__all__ = ["Entry", "Ledger"]

ROWS = "sandbox usage"
BEGINNING = "sandbox usage begins"
DIMENSIONS = (
    "project_id", "user_id", "api_key_id", "model", "service_tier", "batch", "source", "size", "context_level",
    "vector_store_id",
)  # fmt: skip
MINUTE = 60
MOST_KEPT = 256


@dataclass(frozen=True, slots=True)
class Entry:
    """What was used in one minute under one combination of dimensions."""

    name: str
    minute: int
    report: str
    long: bool
    """Whether the prompts were so long that other prices count."""
    regional: bool
    dimensions: Mapping[str, JSON]
    units: Mapping[str, float]


class Ledger:
    """Adds up what answers used.

    Args:
        objects: where it is kept.
        now: seconds since 1970.
        tariff: says from which length of a prompt other prices count.
    """

    def __init__(self, objects: ObjectStore, now: Callable[[], float], tariff: Tariff) -> None:
        self._objects = objects
        self._now = now
        self._tariff = tariff
        self._rows: dict[str, dict[str, JSON]] = {}
        self._has_begun = False

    @property
    def begins(self) -> float:
        """The minute in which the first use was noted; never, as long as none was."""
        known = self._objects.get(BEGINNING, "first")
        return float(known["at"]) if known is not None else inf

    def record(self, wire_name: str, payload: Mapping[str, JSON], body: JSON, payer: Payer, used: JSON = None) -> None:
        """Note what an answer used."""
        for use in read_uses(wire_name, payload, body, used):
            self._add(use, payer)

    def _add(self, use: Use, payer: Payer) -> None:
        now = self._now()
        if not self._has_begun:
            self._begin(now)
        known: dict[str, JSON] = {
            "project_id": payer.project,
            "user_id": payer.user,
            "api_key_id": payer.key,
            "model": use.model,
            "service_tier": use.tier,
            "batch": payer.batch,
            "api_source": "unlabeled",
            **use.details,
        }
        head: dict[str, JSON] = {
            "minute": int(now) - int(now) % MINUTE,
            "report": use.report,
            "long": self._tariff.is_long(use.model, use.prompt),
            "regional": payer.regional,
        }
        name = "|".join(map(str, (*head.values(), *(known.get(each, "") for each in DIMENSIONS))))
        new: dict[str, JSON] = {"id": name, **head, "dimensions": known, "units": {}}
        row = self._rows.get(name) or self._objects.get(ROWS, name) or new
        units: dict[str, JSON] = row["units"]
        for unit, amount in use.units.items():
            if amount:
                units[unit] = units.get(unit, 0) + amount
        if len(self._rows) >= MOST_KEPT:
            self._rows.clear()
        self._rows[name] = row
        self._objects.put(ROWS, row)

    def _begin(self, now: float) -> None:
        if self._objects.get(BEGINNING, "first") is None:
            self._objects.put(BEGINNING, {"id": "first", "at": int(now) - int(now) % MINUTE})
        self._has_begun = True

    def reset(self) -> None:
        """Forget what is kept in memory; the objects are deleted with all others."""
        self._rows.clear()
        self._has_begun = False

    def entries(self, start: int, end: int) -> Iterator[Entry]:
        """Yield what was used between two times, the end excluded."""
        for row in self._objects.all(ROWS):
            if start <= row["minute"] < end:
                yield Entry(
                    row["id"], row["minute"], row["report"], row["long"], row["regional"],
                    members(row["dimensions"]), members(row["units"]),
                )  # fmt: skip
