"""A forecast as it is shown: figures with how far they may be off, what they rest on, and what they leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connector.model import JSON
from connector.money.forecast.total import Interval

__all__ = ["Basis", "Forecast", "WayForecast"]

ROUGH, FEW = 0.25, 20
"""A forecast is sure when its upper figure is less than this above the middle, with at least so many past calls."""


@dataclass(frozen=True, slots=True)
class WayForecast:
    """What it costs and how long it takes, going one way.

    Attributes:
        way: `standard`, `flex`, `batch`, `priority`, `window-2h` or `window-8h`.
        chosen: whether the route goes this way.
        money: None where a model has no price.
    """

    way: str
    chosen: bool
    money: Interval | None
    seconds: Interval

    def as_document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        return {
            "way": self.way,
            "chosen": self.chosen,
            "money": None if self.money is None else _show(self.money, 6),
            "seconds": _show(self.seconds, 1),
        }


@dataclass(frozen=True, slots=True)
class Basis:
    """What a forecast rests on.

    Attributes:
        history: how many past calls were looked at.
        sample: how many documents were.
        counting: how tokens were counted.
        assumed: what was taken for granted, in sentences.
        left_out: what the figures do not hold.
    """

    history: int = 0
    sample: int = 0
    counting: Sequence[str] = ()
    assumed: Sequence[str] = ()
    left_out: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a route will cost.

    Attributes:
        documents: how many documents are to be delivered, by where they are now: `read`, `new` and `waiting`.
        complete: whether all of them were counted.
        requests: how many calls they make that may be paid for, by model.
        ways: the ways in which they may go; the route's own first.
    """

    route: str
    currency: str
    documents: Mapping[str, float]
    complete: bool
    requests: Mapping[str, float] = field(default_factory=dict[str, float])
    input: Interval = Interval(0.0, 0.0)  # noqa: RUF009  it cannot be changed
    output: Interval = Interval(0.0, 0.0)  # noqa: RUF009
    ways: Sequence[WayForecast] = ()
    basis: Basis = Basis()

    @property
    def money(self) -> Interval | None:
        """What it costs the way the route goes; None where that is not known."""
        return next((way.money for way in self.ways if way.chosen), None)

    @property
    def certainty(self) -> str:
        """How sure it is, in a word: `none`, `guess`, `rough` or `sure`."""
        money = self.money
        if money is None:
            return "none"
        if self.basis.history == 0 and self.requests:
            return "guess"
        wide = money.p95 > (1 + ROUGH) * money.p50
        return "rough" if self.requests and (wide or self.basis.history < FEW) else "sure"

    def as_document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        basis = self.basis
        return {
            "route": self.route,
            "currency": self.currency,
            "certainty": self.certainty,
            "documents": {name: round(number) for name, number in self.documents.items()},
            "complete": self.complete,
            "requests": {model: round(number) for model, number in self.requests.items()},
            "tokens": {"input": _show(self.input, 0), "output": _show(self.output, 0)},
            "ways": [way.as_document() for way in self.ways],
            "basis": {
                "history": basis.history,
                "sample": basis.sample,
                "counting": list(basis.counting),
                "assumed": list(basis.assumed),
                "left_out": list(basis.left_out),
            },
        }


def _show(interval: Interval, places: int) -> dict[str, JSON]:
    return {"p50": round(interval.p50, places), "p95": round(interval.p95, places)}
