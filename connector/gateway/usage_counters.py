"""Counters of requests, tokens and costs, by token, client and model; and how long requests take."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from itertools import accumulate
from operator import add
from typing import Any

from connector.gateway.request_record import RequestRecord
from connector.model import JSON

__all__ = ["Durations", "UsageCounters", "UsageSum"]

BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
"""Upper bounds, in seconds."""
OTHER_MODEL = "other"
MAX_MODELS = 500
"""Callers make up names of models; beyond this many they are counted together."""


@dataclass(slots=True)
class UsageSum:
    """The sums of one token, client and model."""

    requests: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    estimated: int = 0
    """Requests whose tokens were estimated."""
    unpriced: int = 0
    """Requests that used tokens of a model without a price."""
    cost: float = 0.0

    def add(self, record: RequestRecord) -> None:
        self.requests += 1
        usage = record.usage
        if not usage:
            return
        self.input_tokens += usage.input
        self.cached_input_tokens += usage.cached
        self.output_tokens += usage.output
        self.estimated += record.is_estimated
        self.unpriced += record.cost is None
        self.cost += record.cost or 0.0

    def as_document(self, currency: str) -> dict[str, JSON]:
        """Return the sums as JSON."""
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
class Durations:
    """Durations, counted in buckets."""

    total: float = 0.0
    _counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds

    def dump(self) -> list[float]:
        """Return the sum and all counts, for `add_all`."""
        return [self.total, *self._counts]

    def add_all(self, total: float, counts: Sequence[int]) -> None:
        """Add what others have counted."""
        self.total += total
        self._counts = list(map(add, self._counts, counts))

    def buckets(self) -> list[tuple[str, float]]:
        """Return each upper bound with the number of durations up to it."""
        bounds = [*(repr(float(bound)) for bound in BUCKETS), "+Inf"]
        return list(zip(bounds, map(float, accumulate(self._counts)), strict=True))


@dataclass(slots=True)
class UsageCounters:
    """The counters since the gateway started; costs are in one currency."""

    currency: str = "USD"
    sums: dict[tuple[str, str, str], UsageSum] = field(default_factory=dict[tuple[str, str, str], UsageSum])
    answers: dict[tuple[str, str, str, int], int] = field(default_factory=dict[tuple[str, str, str, int], int])
    """Answers by token, client, operation and status."""
    refusals: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """Requests that were not forwarded, by token and code."""
    durations: dict[str, Durations] = field(default_factory=dict[str, Durations])
    """Of forwarded requests, by client."""
    _models: set[str] = field(default_factory=set[str])

    def add(self, record: RequestRecord) -> None:
        """Count a request that has ended."""
        if record.code:
            refused = (record.caller, record.code)
            self.refusals[refused] = self.refusals.get(refused, 0) + 1
        if not record.client:
            return
        answer = (record.caller, record.client, record.operation, record.status)
        self.answers[answer] = self.answers.get(answer, 0) + 1
        if not record.state:
            return
        durations = self.durations.get(record.client)
        if durations is None:
            durations = self.durations[record.client] = Durations()
        durations.add(record.seconds)
        key = (record.payer or record.caller, record.client, self._bounded_model(record))
        found = self.sums.get(key)
        if found is None:
            found = self.sums[key] = UsageSum()
        found.add(record)

    def rows(self) -> Iterator[tuple[str, str, str, UsageSum]]:
        """Yield each token, client and model with its sums."""
        for (caller, client, model), found in self.sums.items():
            yield caller, client, model, found

    def dump(self) -> dict[str, JSON]:
        """Return the counters as JSON, for `add_all`."""
        return {
            "sums": [[*key, *astuple(found)] for key, found in self.sums.items()],
            "answers": [[*key, number] for key, number in self.answers.items()],
            "refusals": [[*key, number] for key, number in self.refusals.items()],
            "durations": [[name, *each.dump()] for name, each in self.durations.items()],
        }

    def add_all(self, counted: Mapping[str, Any]) -> None:
        """Add what other counters have dumped."""
        for caller, client, model, *numbers in counted.get("sums", ()):
            key = (caller, client, model)
            self.sums[key] = UsageSum(*map(add, astuple(self.sums.get(key, UsageSum())), numbers))
        for caller, client, operation, status, number in counted.get("answers", ()):
            answer = (caller, client, operation, status)
            self.answers[answer] = self.answers.get(answer, 0) + number
        for caller, code, number in counted.get("refusals", ()):
            self.refusals[caller, code] = self.refusals.get((caller, code), 0) + number
        for name, total, *counts in counted.get("durations", ()):
            self.durations.setdefault(name, Durations()).add_all(total, counts)

    def _bounded_model(self, record: RequestRecord) -> str:
        """Return the model to count, or an empty name when upstream may not know it."""
        if not record.model or (record.status >= 300 and not record.usage):
            return ""
        if record.model not in self._models and len(self._models) >= MAX_MODELS:
            return OTHER_MODEL
        self._models.add(record.model)
        return record.model
