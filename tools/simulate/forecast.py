"""Forecasts held against runs that they have not seen: random prompts, models and histories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import median

from connector.delivery.length_prior import COUNTING_SPREAD, assume_lengths
from connector.delivery.payload_tokens import count_payload
from connector.money.forecast.donors import Donor, Donors
from connector.money.forecast.total import Kind, forecast_total
from connector.telemetry.costs import Prices

__all__ = ["Held", "World", "hold", "judge", "report"]

MODELS = ("gpt-6-luna", "gpt-6.1-terra", "gpt-5-mini", "gpt-5.2")
WORDS = (
    "refund",
    "the",
    "invoice",
    "parcel",
    "is",
    "late",
    "again",
    "München",
    "zahlung",
    "of",
    "order",
    "本店",
    "and",
)
OPERATION = "responses create"


@dataclass(frozen=True, slots=True)
class World:
    """How prompts are made and answered, unknown to the forecast.

    Attributes:
        shape: the lengths of answers: `even`, `wide`, `heavy` or `mixed`.
        follows: how much longer answers become with their prompts.
        drifts: how far the lengths of answers wander from call to call.
        dense: tokens for each byte of a prompt, as the model counts them.
    """

    model: str
    shape: str
    middle: float
    spread: float
    follows: float
    drifts: float
    dense: float
    words: float
    cached: float
    limit: int | None

    @classmethod
    def draw(cls, chance: Random) -> World:
        """Return a random one."""
        return cls(
            model=chance.choice(MODELS),
            shape=chance.choice(("even", "wide", "heavy", "mixed")),
            middle=math.exp(chance.uniform(math.log(20), math.log(1500))),
            spread=chance.uniform(0.2, 0.9),
            follows=chance.choice((0.0, 0.0, 0.5, 1.0)),
            drifts=chance.choice((0.0, 0.0, 0.002, 0.004)),
            dense=chance.uniform(0.18, 0.45),
            words=math.exp(chance.uniform(math.log(20), math.log(300))),
            cached=chance.choice((0.0, 0.0, 0.3, 0.7)),
            limit=chance.choice((None, None, 1000, 4000)),
        )

    def prompt(self, chance: Random) -> str:
        """Return a random prompt."""
        count = max(1, int(self.words * math.exp(chance.gauss(0.0, 0.6))))
        return " ".join(chance.choices(WORDS, k=count))

    def answer(self, text: str, level: float, chance: Random) -> Donor:
        """Return what a call with a prompt would use."""
        counted = count_payload(OPERATION, self.payload(text)).tokens
        sent = max(1.0, round(len(text.encode()) * self.dense * math.exp(chance.gauss(0.0, 0.05))) + 8)
        length = self._length(chance) * level * (len(text) / (6 * self.words)) ** self.follows
        received = max(1.0, round(min(length, self.limit or 32_000)))
        return Donor(counted, sent, round(sent * self.cached * chance.random() * 2) if self.cached <= 0.5 else
                     round(sent * self.cached), received)  # fmt: skip

    def payload(self, text: str) -> dict[str, object]:
        """Return the request of a prompt."""
        limit = {} if self.limit is None else {"max_output_tokens": self.limit}
        return {"model": self.model, "input": text, **limit}

    def _length(self, chance: Random) -> float:
        if self.shape == "even":
            return self.middle * math.exp(chance.gauss(0.0, self.spread / 2))
        if self.shape == "wide":
            return self.middle * math.exp(chance.gauss(0.0, self.spread))
        if self.shape == "heavy":
            return self.middle * chance.paretovariate(2.0 + 2.0 * (1 - self.spread))
        usual = chance.random() < 0.8
        return self.middle * (1.0 if usual else 6.0) * math.exp(chance.gauss(0.0, self.spread / 2))


@dataclass(frozen=True, slots=True)
class Held:
    """One forecast beside what came."""

    history: int
    requests: int
    p50: float
    p95: float
    actual: float

    @property
    def is_covered(self) -> bool:
        return self.actual <= self.p95

    @property
    def error(self) -> float:
        """How far the middle was off, as a share of what came."""
        return abs(self.p50 - self.actual) / self.actual


def hold(seed: int) -> Held:
    """Forecast one random run from a random history, and return the forecast beside what then came."""
    chance = Random(seed)
    world = World.draw(chance)
    past = chance.choice((0, 5, 20, 60, 150, 400))
    number = chance.choice((50, 200, 1000, 3000))
    level, history = 1.0, list[Donor]()
    for _ in range(past):
        level *= math.exp(chance.gauss(0.0, world.drifts))
        history.append(world.answer(world.prompt(chance), level, chance))
    prompts = [world.prompt(chance) for _ in range(number)]
    sample = chance.sample(prompts, min(number, 200))
    asked = [count_payload(OPERATION, world.payload(text)) for text in sample]
    lengths = assume_lengths(asked[0], reasons=False)
    donors = Donors(history[::-1], lengths.tokens, COUNTING_SPREAD[asked[0].counting])
    most = float(world.limit or 32_000)
    kind = Kind(world.model, [one.tokens for one in asked], float(number), donors, most)
    prices = Prices.over_registry({}, "USD")
    found = forecast_total([kind], prices, [""], Random(seed + 1)).money[""]
    rates = prices.find(world.model)
    assert rates is not None, world.model
    actual = 0.0
    for text in prompts:
        level *= math.exp(chance.gauss(0.0, world.drifts))
        used = world.answer(text, level, chance)
        plain = used.sent - used.cached
        actual += rates.amount({"input": plain, "cached_input": used.cached, "output": used.received})
    return Held(past, number, found.p50, found.p95, actual)


def report(runs: Sequence[Held]) -> list[str]:
    """Return how good forecasts were, in lines; by how much history they had."""
    groups = [("all", runs), *[(f"history of {n}", [run for run in runs if run.history == n])
              for n in sorted({run.history for run in runs})]]  # fmt: skip
    lines = [f"{'':16}{'runs':>6}{'P95 covers':>12}{'P50 is off by':>15}{'within 15 %':>13}"]
    for name, these in groups:
        covered = sum(run.is_covered for run in these) / len(these)
        within = sum(run.error <= 0.15 for run in these) / len(these)
        off = median(run.error for run in these)
        lines.append(f"{name:16}{len(these):6}{covered:11.1%} {off:14.1%} {within:12.1%} ")
    return lines


def judge(runs: Sequence[Held]) -> list[str]:
    """Return which promises forecasts have broken."""
    covered = sum(run.is_covered for run in runs) / len(runs)
    off = median(run.error for run in runs)
    found = [f"P95 covers {covered:.1%}, and 95 % was promised"] if covered < 0.95 else []
    return [*found, f"P50 is off by {off:.1%}, and 15 % was promised"] if off > 0.15 else found
