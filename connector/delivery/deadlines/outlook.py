"""What a document that comes now would take: every transport with its price and its time, and which one is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from connector.delivery.context import DeliveryContext
from connector.delivery.deadlines.choice import find_reserve, time_needed
from connector.delivery.deadlines.plan import TransportPlan
from connector.delivery.route_spec import route_spec
from connector.delivery.transports import target_of
from connector.engine import Task, TaskState
from connector.errors import ConfigurationError
from connector.model import JSON

__all__ = ["TransportOutlook", "Way", "foresee_transport"]


@dataclass(frozen=True, slots=True)
class Way:
    """One transport.

    Attributes:
        name: what it is called.
        price: as a share of standard calls.
        cost: of a call as they usually are here; None where the model has no price.
        half: seconds within which half of the requests are answered.
        most: seconds within which 95 of 100 are; None if that is not known.
        needs: seconds that must be left to begin it; None if that is not known.
        is_in_time: whether so much is left.
    """

    name: str
    price: float
    cost: float | None
    half: float | None
    most: float | None
    needs: float | None
    is_in_time: bool


@dataclass(frozen=True, slots=True)
class TransportOutlook:
    """What a document of a route would take.

    Attributes:
        now, needed: when it comes and when its answer is needed, in seconds since 1970.
        moves_up: when a batch that it goes in is cancelled if it is not answered; None for other transports.
        ways: all transports that it may take, the cheapest first.
    """

    route: str
    model: str
    currency: str
    now: float
    needed: float
    transport: str
    reason: str
    is_late: bool
    moves_up: float | None
    ways: tuple[Way, ...]

    def as_document(self) -> dict[str, JSON]:
        """Return it as JSON, with times in UTC."""
        return {
            "route": self.route,
            "model": self.model or None,
            "now": _utc(self.now),
            "needed": _utc(self.needed),
            "transport": self.transport,
            "reason": self.reason,
            "late": self.is_late,
            "moves_up": None if self.moves_up is None else _utc(self.moves_up),
            "currency": self.currency,
            "transports": [
                {
                    "name": way.name, "price": round(way.price, 4), "cost": _round(way.cost, 8),
                    "half_within": _round(way.half, 1), "95_of_100_within": _round(way.most, 1),
                    "needs": _round(way.needs, 1), "in_time": way.is_in_time,
                }
                for way in self.ways
            ],
        }  # fmt: skip


async def foresee_transport(shared: DeliveryContext, route: str) -> TransportOutlook:
    """Return what a document of a route would take that comes now; ConfigurationError if the route has no deadline."""
    spec = route_spec(shared.runtime, route)
    if not spec.settings.has_deadline or spec.outgoing.transport != "batch":
        raise ConfigurationError(
            f"route {route!r} chooses no transport: all of its requests go by transport: {spec.outgoing.transport};"
            " say transport: batch on its outgoing connection, and needed_by or within on the route"
        )
    plan = TransportPlan(shared, spec, target_of(shared.runtime, spec).path)
    await plan.refresh()
    now = shared.wall()
    task = Task(id=0, route=route, document=None, state=TaskState.NEW, created=now)
    choice, needed, rest = plan.choose(task, now), plan.deadline(task), plan.rest_of_new
    ways = plan.ways
    fast = find_reserve(ways)
    needs = {one.name: time_needed(one, fast, rest) for one in ways}
    standard = plan.standard_cost
    return TransportOutlook(
        route=route,
        model=plan.model,
        currency=shared.prices.currency,
        now=now,
        needed=needed,
        transport=choice.transport.name,
        reason=choice.reason,
        is_late=choice.late,
        moves_up=None if choice.transport.settles is None else needed - choice.needs,
        ways=tuple(
            Way(
                name=one.name,
                price=one.price,
                cost=None if standard is None else standard * one.price,
                half=_known(one.takes.quantile(0.5)),
                most=_known(one.takes.quantile(0.95)),
                needs=_known(needs[one.name]),
                is_in_time=needs[one.name] <= choice.left,
            )
            for one in sorted(ways, key=lambda one: (one.price, one.takes.quantile(0.99)))
        ),
    )


def _known(seconds: float) -> float | None:
    return seconds if seconds < float("inf") else None


def _round(value: float | None, places: int) -> float | None:
    return None if value is None else round(value, places)


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
