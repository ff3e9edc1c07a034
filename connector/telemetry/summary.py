"""The summary of a run: tasks, calls, tokens, cost and pace, for a person and for a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.model import JSON
from connector.telemetry.costs import Usage
from connector.telemetry.observer import Metrics

__all__ = ["Summary", "summarize"]

ENDED = ("finished", "failed", "skipped", "unknown")
ORDER = (*ENDED, "waiting", "processing", "new")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The numbers of a run.

    Attributes:
        seconds: how long it took.
        routes: tasks that ended in it, by route and state.
        duplicates: documents that were tasks already.
        calls: calls by the state of their outcome.
        usage: the tokens of all answers.
        cost: what they cost, as far as models have prices.
        currency: of the cost.
        unpriced: models that were used and have no price.
        stopped: why it ended early; empty when it did not.
    """

    seconds: float
    routes: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    duplicates: int = 0
    calls: Mapping[str, int] = field(default_factory=dict[str, int])
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0
    currency: str = "USD"
    unpriced: tuple[str, ...] = ()
    stopped: str = ""

    @property
    def tasks(self) -> dict[str, int]:
        """Tasks by state, over all routes."""
        tasks: dict[str, int] = {}
        for states in self.routes.values():
            for state, number in states.items():
                tasks[state] = tasks.get(state, 0) + number
        return _order(tasks)

    @property
    def rate(self) -> float:
        """Tasks that ended, a second."""
        return sum(self.tasks.values()) / self.seconds if self.seconds > 0 else 0.0

    def as_document(self) -> dict[str, JSON]:
        """Return the numbers as JSON."""
        shown: dict[str, JSON] = {
            "tasks": self.tasks,
            "routes": {name: _order(states) for name, states in self.routes.items()},
            "duplicates": self.duplicates,
            "calls": dict(self.calls),
            "tokens": {"input": self.usage.input, "cached_input": self.usage.cached, "output": self.usage.output},
            "cost": round(self.cost, 6),
            "currency": self.currency,
            "unpriced": list(self.unpriced),
            "seconds": round(self.seconds, 3),
            "tasks_per_second": round(self.rate, 1),
        }
        return shown | ({"stopped": self.stopped} if self.stopped else {})

    def text(self) -> str:
        """Return the numbers in a few lines, without those that are zero."""
        rows = [("tasks", self._join(self.tasks) or "none")]
        if len(self.routes) > 1:
            rows += [(f"  {name}", self._join(_order(states))) for name, states in self.routes.items()]
        if self.duplicates:
            rows.append(("known already", f"{self.duplicates:,}"))
        if self.calls:
            rows.append(("calls", self._join(self.calls)))
        if self.usage:
            cached = f" ({self.usage.cached:,} cached)" if self.usage.cached else ""
            rows.append(("tokens", f"{self.usage.input:,} in{cached}, {self.usage.output:,} out"))
        if self.cost or self.unpriced:
            missing = f"; no price for {', '.join(self.unpriced)}" if self.unpriced else ""
            rows.append(("cost", f"{self.cost:,.4f} {self.currency}{missing}"))
        rows.append(("time", f"{self.seconds:,.1f} s, {self.rate:,.1f} tasks a second"))
        if self.stopped:
            rows.append(("stopped", self.stopped))
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)

    def _join(self, numbers: Mapping[str, int]) -> str:
        return ", ".join(f"{number:,} {name}" for name, number in numbers.items() if number)


def summarize(metrics: Metrics, seconds: float, stopped: str = "") -> Summary:
    """Return the summary of a run from the counters of its process."""
    routes: dict[str, dict[str, int]] = {}
    for (route, state), number in metrics.attempts.values.items():
        if state in ENDED:
            routes.setdefault(route, {})[state] = int(number)
    tokens = metrics.tokens.total_by("kind")
    return Summary(
        seconds=seconds,
        routes=routes,
        duplicates=int(metrics.duplicates.total()),
        calls={state: int(number) for state, number in metrics.calls.total_by("state").items()},
        usage=Usage(int(tokens.get("input", 0)), int(tokens.get("cached_input", 0)), int(tokens.get("output", 0))),
        cost=metrics.cost.total(),
        currency=metrics.currency,
        unpriced=tuple(sorted(model for _, _, model in metrics.unpriced.values)),
        stopped=stopped,
    )


def _order(states: Mapping[str, int]) -> dict[str, int]:
    return {state: states[state] for state in ORDER if state in states}
