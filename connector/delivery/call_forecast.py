"""What one call is likely to use and cost, foretold before it is sent, and better with each call that was made."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import fmean

from connector.delivery.call_history import read_history
from connector.delivery.length_prior import assume_lengths
from connector.delivery.payload_tokens import Asked, count_payload
from connector.engine import Store
from connector.model import JSON
from connector.telemetry.costs import Cost, Prices
from connector.telemetry.usage import Usage

__all__ = ["CallForecast", "Likely"]

REMEMBERED = 60
"""Calls of each kind that are remembered: the newest tell most."""
SEEDED = 100
"""Calls of earlier runs that are looked at."""


@dataclass(frozen=True, slots=True)
class Likely:
    """What a call is likely to use; a guess where no call like it is known."""

    asked: Asked
    tokens: int
    cost: float
    is_guess: bool


@dataclass(slots=True)
class _Known:
    """What calls of one kind asked for, used and cost."""

    ratios: deque[float] = field(default_factory=lambda: deque[float](maxlen=REMEMBERED))
    outputs: deque[int] = field(default_factory=lambda: deque[int](maxlen=REMEMBERED))
    usages: deque[Usage] = field(default_factory=lambda: deque[Usage](maxlen=REMEMBERED))

    def add(self, asked: Asked, usage: Usage) -> None:
        self.usages.append(usage)
        self.outputs.append(usage.output)
        if asked.tokens > 0 and usage.input > 0:
            self.ratios.append(usage.input / asked.tokens)


class CallForecast:
    """Foretells the calls of one route.

    Args:
        route: its name.
        prices: of models.
        store: where its past is.
        reasons: whether a model reasons before it answers.
    """

    def __init__(self, route: str, prices: Prices, store: Store, reasons: Callable[[str], bool]) -> None:
        self._route = route
        self._prices = prices
        self._store = store
        self._reasons = reasons
        self._known: dict[tuple[str, str], _Known] = {}
        self._is_seeded = False

    async def foretell(self, operation: str, payload: JSON, tier: str, *, regional: bool = False) -> Likely:
        """Return what a call is likely to use.

        Args:
            operation: which one it is.
            payload: what it asks for.
            tier: how it is processed.
            regional: whether that is at a regional address.
        """
        if not self._is_seeded:
            self._is_seeded = True
            past = await read_history(self._store, self._prices, self._route, most=SEEDED)
            for call in reversed(past.calls):
                self.learn(call.asked, call.usage)
        asked = count_payload(operation, payload)
        known = self._known.get((operation, asked.model))
        usage = self._guess(asked) if known is None else _expect(asked, known)
        cost = self._prices.compute_cost(asked.model, usage, tier, regional=regional)
        return Likely(asked, usage.total, cost or 0.0, known is None)

    def learn(self, asked: Asked, used: Usage | Cost) -> None:
        """Remember what a call used."""
        usage = used.usage if isinstance(used, Cost) else used
        if usage:
            self._known.setdefault((asked.operation, asked.model), _Known()).add(asked, usage)

    def _guess(self, asked: Asked) -> Usage:
        lengths = assume_lengths(asked, reasons=self._reasons(asked.model)).tokens
        return Usage(input=round(asked.tokens), output=round(fmean(lengths) * asked.answers))


def _expect(asked: Asked, known: _Known) -> Usage:
    """Return the mean of what was used, with this call's own size; searches and characters as they were."""
    count = len(known.usages)
    mean = fmean(usage.input for usage in known.usages)
    sent = asked.tokens * fmean(known.ratios) if known.ratios and asked.tokens > 0 else mean
    received = fmean(known.outputs)
    if asked.most is not None:
        received = min(received, float(asked.most) * asked.answers)
    share = min(sent / mean, 1.0) if mean else 0.0
    return Usage(
        input=round(sent),
        # A call may find nothing in a cache: what is reserved is what it costs then.
        output=round(received),
        output_audio=round(fmean(usage.output_audio for usage in known.usages)),
        output_image=round(fmean(usage.output_image for usage in known.usages)),
        input_audio=round(share * fmean(usage.input_audio for usage in known.usages)),
        input_image=round(share * fmean(usage.input_image for usage in known.usages)),
        seconds=sum(usage.seconds for usage in known.usages) / count,
        characters=round(sum(usage.characters for usage in known.usages) / count),
        web_searches=-(-sum(usage.web_searches for usage in known.usages) // count),
        file_searches=-(-sum(usage.file_searches for usage in known.usages) // count),
    )
