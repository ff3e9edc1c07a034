"""Families of numbers that are cheap to add to, and become Prometheus' own when somebody asks for them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

__all__ = ["Levels", "Spans", "Sums", "families"]

Labels = tuple[str, ...]


class Sums:
    """Numbers that only grow, by their labels."""

    def __init__(self, name: str, says: str, labels: Sequence[str] = ()) -> None:
        self.name, self.says, self.labels = name, says, tuple(labels)
        self.values: dict[Labels, float] = {}

    def add(self, labels: Labels, amount: float = 1) -> None:
        self.values[labels] = self.values.get(labels, 0) + amount

    def total(self) -> float:
        """The sum over all labels."""
        return sum(self.values.values())

    def by(self, label: str) -> dict[str, float]:
        """The sums by one label alone."""
        place = self.labels.index(label)
        found: dict[str, float] = {}
        for labels, value in self.values.items():
            found[labels[place]] = found.get(labels[place], 0) + value
        return found

    def family(self) -> CounterMetricFamily:
        found = CounterMetricFamily(self.name, self.says, labels=self.labels)
        for labels, value in self.values.items():
            found.add_metric(labels, value)
        return found


class Levels:
    """Numbers as they are now, by their labels."""

    def __init__(self, name: str, says: str, labels: Sequence[str] = ()) -> None:
        self.name, self.says, self.labels = name, says, tuple(labels)
        self.values: Mapping[Labels, float] = {}

    def family(self) -> GaugeMetricFamily:
        found = GaugeMetricFamily(self.name, self.says, labels=self.labels)
        for labels, value in self.values.items():
            found.add_metric(labels, value)
        return found


class Spans:
    """Lengths of time, by their labels, counted in buckets."""

    def __init__(self, name: str, says: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        self.name, self.says, self.labels = name, says, tuple(labels)
        self._bounds = tuple(bounds)
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def add(self, labels: Labels, seconds: float) -> None:
        counts = self._counts.get(labels)
        if counts is None:
            counts = self._counts[labels] = [0] * (len(self._bounds) + 1)
        counts[bisect_left(self._bounds, seconds)] += 1
        self._sums[labels] = self._sums.get(labels, 0.0) + seconds

    def family(self) -> HistogramMetricFamily:
        found = HistogramMetricFamily(self.name, self.says, labels=self.labels)
        names = [*(repr(float(bound)) for bound in self._bounds), "+Inf"]
        for labels, counts in self._counts.items():
            buckets = list(zip(names, map(float, accumulate(counts)), strict=True))
            found.add_metric(labels, buckets, self._sums[labels])
        return found


Family = Sums | Levels | Spans


def families(holder: object) -> list[Family]:
    """The families among a value's attributes, in the order in which they were set."""
    return [value for value in vars(holder).values() if isinstance(value, Sums | Levels | Spans)]
