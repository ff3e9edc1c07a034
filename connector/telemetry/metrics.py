"""What a run counts: calls, tokens, cost, attempts and accepted documents."""

from __future__ import annotations

from collections.abc import Sequence

from connector.telemetry.costs import NO_USAGE, Usage

__all__ = ["Counter", "Metrics"]

OWNER_LABELS = ("route", "client", "model")
MAX_MODELS = 500
OTHER_MODEL = "other"
"""Answers name the models, and names are unbounded; beyond this many they are counted together."""


class Counter:
    """A number that only grows, by its labels: a plain dictionary, which exporters read when they want to."""

    def __init__(self, name: str, description: str, labels: Sequence[str] = ()) -> None:
        self.name, self.description, self.labels = name, description, tuple(labels)
        self.values: dict[tuple[str, ...], float] = {}

    def add(self, labels: tuple[str, ...], amount: float = 1) -> None:
        self.values[labels] = self.values.get(labels, 0) + amount

    def total(self) -> float:
        """Return the sum over all labels."""
        return sum(self.values.values())

    def total_by(self, label: str) -> dict[str, float]:
        """Return the sums by one label alone."""
        place = self.labels.index(label)
        totals: dict[str, float] = {}
        for labels, value in self.values.items():
            totals[labels[place]] = totals.get(labels[place], 0) + value
        return totals


class Metrics:
    """The counters of one process; costs are in one currency."""

    def __init__(self, currency: str = "USD") -> None:
        self.currency = currency
        self.calls = Counter(
            "connector_calls", "Calls, by what they came to.", ("route", "client", "operation", "state", "status")
        )
        self.tokens = Counter("connector_tokens", "Tokens that answers tell of.", (*OWNER_LABELS, "kind"))
        self.cost = Counter("connector_cost", f"Cost of answers by the configured prices, in {currency}.", OWNER_LABELS)
        self.unpriced = Counter("connector_unpriced_calls", "Calls that used a model without a price.", OWNER_LABELS)
        self.accepted = Counter("connector_accepted", "Documents that became tasks.", ("route",))
        self.duplicates = Counter("connector_duplicates", "Documents that were tasks already.", ("route",))
        self.attempts = Counter(
            "connector_attempts", "Attempts of tasks, by the state that they ended in.", ("route", "state")
        )
        self._models: set[str] = set()

    @property
    def counters(self) -> tuple[Counter, ...]:
        """All of them, in a fixed order."""
        return (
            self.calls, self.tokens, self.cost, self.unpriced, self.accepted, self.duplicates, self.attempts
        )  # fmt: skip

    def count_call(
        self, *, client: str, operation: str, state: str, status: int | None = None, route: str = "",
        model: str = "", usage: Usage = NO_USAGE, cost: float | None = None,
    ) -> None:  # fmt: skip
        """Count a call that has ended.

        Args:
            client: the client that made it.
            operation: the name of the operation.
            state: the state of its outcome.
            status: of its answer.
            route: the route whose task it belongs to.
            model: the model that its answer names.
            usage: the tokens that its answer reports.
            cost: what they cost; None when the model has no price.
        """
        self.calls.add((route, client, operation, state, str(status or "")))
        if not usage:
            return
        owner = (route, client, self._bound_name(model))
        self.tokens.add((*owner, "input"), usage.input)
        self.tokens.add((*owner, "cached_input"), usage.cached)
        self.tokens.add((*owner, "output"), usage.output)
        if cost is None:
            self.unpriced.add(owner)
        else:
            self.cost.add(owner, cost)

    def count_attempt(self, route: str, state: str) -> None:
        """Count an attempt by the state that the task is in afterwards."""
        self.attempts.add((route, state))

    def _bound_name(self, model: str) -> str:
        if model not in self._models and len(self._models) >= MAX_MODELS:
            return OTHER_MODEL
        self._models.add(model)
        return model
