"""The transports that the tasks of a route may take: what each costs for its model, and how long it takes here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from connector.config.models import Route
from connector.config.rules.routes import TRANSPORT_PATHS
from connector.delivery.call_history import CallHistory, PaidCall
from connector.delivery.deadlines.choice import Transport
from connector.delivery.deadlines.durations import Durations, Observation
from connector.delivery.deadlines.waits import CALLS
from connector.delivery.route_spec import RouteSpec
from connector.model import members
from connector.model_registry import Model
from connector.model_registry.rates import EVERY_TIER
from connector.telemetry.costs import Prices

__all__ = ["BATCH_NAME", "FLEX", "STANDARD", "Ladder", "find_model", "find_names"]

BATCH_NAME, STANDARD, FLEX = "batch", "standard", "flex"
TYPICAL: Mapping[str, float] = {"input": 1_000.0, "output": 300.0}
"""What a call uses, as long as none is known."""
LIKE = 50
"""Calls whose use is looked at."""


class Ladder:
    """What each transport costs and how long it takes, for one model.

    Args:
        names: the transports beside the Batch API.
        model: the model that is asked, by name; empty where it is not known.
        prices: of models.
        history: what calls of the route took and used.
        now: seconds since 1970.
    """

    def __init__(self, names: Sequence[str], model: str, prices: Prices, history: CallHistory, now: float) -> None:
        self._prices = prices
        self._model = model
        self._used = _find_typical_use(history.calls)
        seen = [one for one in history.calls if one.own and one.lasted > 0]
        self.singles = [self._single(name, [one for one in seen if one.transport == name], now) for name in names]

    @property
    def standard_cost(self) -> float | None:
        """What a usual call costs at the standard price; None where the model has none."""
        found = self._prices.find(self._model) if self._model else None
        return None if found is None else found.amount(self._used)

    def batch(self, takes: Durations, settles: Durations) -> Transport:
        """Return the Batch API as a transport."""
        return Transport(BATCH_NAME, self._share(BATCH_NAME), takes, settles)

    def _single(self, name: str, seen: Sequence[PaidCall], now: float) -> Transport:
        takes = CALLS[name].learn((Observation(one.lasted, one.at) for one in seen), now)
        return Transport(name, self._share(name), takes, may_refuse=name == FLEX)

    def _share(self, name: str) -> float:
        """Return what a transport costs as a share of standard calls."""
        if name == STANDARD:
            return 1.0
        whole, own = self._prices.find(self._model), self._prices.find(self._model, name)
        full = whole.amount(self._used) if whole is not None else 0.0
        return own.amount(self._used) / full if own is not None and full else EVERY_TIER[name]


def find_names(settings: Route, path: str, model: Model | None) -> list[str]:
    """Return how requests may go beside the Batch API: standard calls, and what is allowed and the model has."""
    offered: Collection[str] = model.tiers if model is not None else ()
    return [STANDARD, *(name for name in settings.transports if name in offered and path in TRANSPORT_PATHS[name])]


def find_model(spec: RouteSpec, history: CallHistory) -> str:
    """Return the model that a route asks: that of its template, else of its newest call; empty if neither tells."""
    return next(_models(spec, history), "")


def _models(spec: RouteSpec, history: CallHistory) -> Iterator[str]:
    said = members(members(spec.outgoing.request).get("payload")).get("model")
    if isinstance(said, str) and "{" not in said:
        yield said
    yield from (one.asked.model for one in history.calls if one.asked.model)


def _find_typical_use(calls: Sequence[PaidCall]) -> Mapping[str, float]:
    used: dict[str, float] = {}
    for call in calls[:LIKE]:
        for unit, count in call.usage.units().items():
            used[unit] = used.get(unit, 0.0) + count
    return used if any(used.values()) else TYPICAL
