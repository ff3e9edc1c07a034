"""How much was called: by token, client and model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from connector.gateway.visit import Visit
from connector.model import JSON

__all__ = ["Ledger", "Sum"]

OTHER = "other"
MOST_MODELS = 500
"""Names of models are the callers' to invent; beyond so many they are counted together."""


@dataclass(slots=True)
class Sum:
    """What calls of one kind came to."""

    requests: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    estimated: int = 0
    """Calls whose tokens were estimated."""
    unpriced: int = 0
    """Calls that used tokens of a model without a price."""
    cost: float = 0.0

    def add(self, visit: Visit) -> None:
        self.requests += 1
        usage = visit.usage
        if not usage:
            return
        self.input_tokens += usage.input
        self.cached_input_tokens += usage.cached
        self.output_tokens += usage.output
        self.estimated += visit.estimated
        self.unpriced += visit.cost is None
        self.cost += visit.cost or 0.0

    def as_document(self, currency: str) -> dict[str, JSON]:
        return {
            "requests": self.requests,
            "input_tokens": self.input_tokens,
            "cached_input_tokens": self.cached_input_tokens,
            "output_tokens": self.output_tokens,
            "estimated": self.estimated,
            "unpriced": self.unpriced,
            "cost": round(self.cost, 9),
            "currency": currency,
        }


@dataclass(slots=True)
class Ledger:
    """The sums since the gateway began; costs are in one currency."""

    currency: str = "USD"
    sums: dict[tuple[str, str, str], Sum] = field(default_factory=dict[tuple[str, str, str], Sum])
    answers: dict[tuple[str, str, str, int], int] = field(default_factory=dict[tuple[str, str, str, int], int])
    """Answers by token, client, operation and status."""
    refusals: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """Calls that were not passed on, by token and code."""
    _models: set[str] = field(default_factory=set[str])

    def add(self, visit: Visit) -> None:
        """Counts a call that came to its end."""
        if visit.code:
            refused = (visit.caller, visit.code)
            self.refusals[refused] = self.refusals.get(refused, 0) + 1
        if not visit.client:
            return
        answer = (visit.caller, visit.client, visit.operation, visit.status)
        self.answers[answer] = self.answers.get(answer, 0) + 1
        if not visit.state:
            return
        key = (visit.payer or visit.caller, visit.client, self._model(visit))
        found = self.sums.get(key)
        if found is None:
            found = self.sums[key] = Sum()
        found.add(visit)

    def rows(self) -> Iterator[tuple[str, str, str, Sum]]:
        """Each token, client and model with its sum."""
        for (caller, client, model), found in self.sums.items():
            yield caller, client, model, found

    def _model(self, visit: Visit) -> str:
        """The model's name as it is counted: what upstream never knew is none."""
        if not visit.model or (visit.status >= 300 and not visit.usage):
            return ""
        if visit.model not in self._models and len(self._models) >= MOST_MODELS:
            return OTHER
        self._models.add(visit.model)
        return visit.model
