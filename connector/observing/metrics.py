"""What is counted: calls, tokens, cost, attempts, tasks and commits, in one registry that belongs to nobody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from connector.observing.families import Levels, Spans, Sums, families
from connector.observing.prices import NOTHING, Usage

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
CALL_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5)
WHOSE = ("route", "client", "model")
MOST_MODELS = 500
OTHER = "other"
"""Models are named by answers and there is no end to names; beyond so many they are counted together."""


class Metrics:
    """The numbers of this process; costs are in one currency."""

    def __init__(self, currency: str = "USD") -> None:
        self.currency = currency
        self.calls = Sums(
            "connector_calls", "Calls, by what they came to.", ("route", "client", "operation", "state", "status")
        )
        self.call_seconds = Spans(
            "connector_call_seconds", "Seconds until a call's end, waits included.", ("client",), CALL_SECONDS
        )
        self.tokens = Sums("connector_tokens", "Tokens that answers tell of.", (*WHOSE, "kind"))
        self.cost = Sums("connector_cost", f"Cost of answers by the configured prices, in {currency}.", WHOSE)
        self.unpriced = Sums("connector_unpriced_calls", "Calls that used a model without a price.", WHOSE)
        self.accepted = Sums("connector_accepted", "Documents that became tasks.", ("route",))
        self.duplicates = Sums("connector_duplicates", "Documents that were tasks already.", ("route",))
        self.attempts = Sums("connector_attempts", "Attempts of tasks, by the state that they ended in.",
                             ("route", "state"))  # fmt: skip
        self.attempt_seconds = Spans("connector_attempt_seconds", "Seconds of an attempt.", ("route",), CALL_SECONDS)
        self.tasks = Levels("connector_tasks", "Tasks that are kept, by state.", ("route", "state"))
        self.queue = Levels("connector_queue_tasks", "Tasks that have not come to an end.", ("route",))
        self.oldest = Levels("connector_queue_oldest_seconds", "The age of the oldest of them.", ("route",))
        self.paused = Levels("connector_paused", "Whether a route rests until somebody has acted.", ("route",))
        self.commits = Sums("connector_commits", "Commits of the engine.")
        self.changes = Sums("connector_commit_changes", "Changes that were made by them.")
        self.commit_seconds = Spans("connector_commit_seconds", "Seconds of a commit.", (), COMMIT_SECONDS)
        self.registry = CollectorRegistry()
        self.registry.register(_Families(self))
        self._models: set[str] = set()

    def called(
        self, *, client: str, operation: str, state: str, seconds: float, status: int | None = None, route: str = "",
        model: str = "", usage: Usage = NOTHING, cost: float | None = None,
    ) -> None:  # fmt: skip
        """Counts a call that came to its end.

        Args:
            client: whom it went through.
            operation: what was called, by its name.
            state: what it came to.
            seconds: how long it took.
            status: of its answer.
            route: for whose task it was made.
            model: which model its answer names.
            usage: the tokens that its answer tells of.
            cost: what they cost; None when nobody said what the model costs.
        """
        self.calls.add((route, client, operation, state, str(status or "")))
        self.call_seconds.add((client,), seconds)
        if not usage:
            return
        whose = (route, client, self._known(model))
        self.tokens.add((*whose, "input"), usage.input)
        self.tokens.add((*whose, "cached_input"), usage.cached)
        self.tokens.add((*whose, "output"), usage.output)
        if cost is None:
            self.unpriced.add(whose)
        else:
            self.cost.add(whose, cost)

    def attempted(self, route: str, state: str, seconds: float) -> None:
        """Counts an attempt by the state that the task is in afterwards."""
        self.attempts.add((route, state))
        self.attempt_seconds.add((route,), seconds)

    def committed(self, seconds: float, changes: int = 1) -> None:
        """Counts one commit of the engine, and the changes that went into it."""
        self.commits.add(())
        self.changes.add((), changes)
        self.commit_seconds.add((), seconds)

    def show(self, counts: Mapping[str, Mapping[str, int]], oldest: Mapping[str, float], live: frozenset[str]) -> None:
        """Puts how many tasks each route has, by state, in the place of what was known.

        Args:
            counts: tasks by route and state.
            oldest: seconds since a route's oldest live task was accepted.
            live: the states that are no end.
        """
        self.tasks.values = {
            (route, str(state)): number for route, states in counts.items() for state, number in states.items()
        }
        self.queue.values = {
            (route,): sum(number for state, number in states.items() if state in live)
            for route, states in counts.items()
        }
        self.oldest.values = {(route,): age for route, age in oldest.items()}

    def text(self) -> bytes:
        """All of it as Prometheus reads it."""
        return generate_latest(self.registry)

    def _known(self, model: str) -> str:
        if model not in self._models and len(self._models) >= MOST_MODELS:
            return OTHER
        self._models.add(model)
        return model


class _Families(Collector):
    """Reads the numbers when somebody asks, so that a call costs a few additions."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return (family.family() for family in families(self._metrics))
