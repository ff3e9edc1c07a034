"""How long requests will take, by the way they go: from past calls and limits, or from assumptions that are said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from connector.money.forecast.total import DRAWS, Interval

__all__ = ["Pace", "assume_seconds", "forecast_duration"]

TOKENS_A_SECOND = 60.0
"""How fast answers are assumed to come."""
FIRST = 1.0
"""Seconds before an answer is assumed to begin."""
BATCH_MIDDLE, BATCH_SPREAD, BATCH_WINDOW = 3_600.0, 1.4, 86_400.0
"""A batch is assumed to take an hour in the middle, and a day at most."""
SPEEDS = {"flex": (2.0, 0.5), "priority": (0.7, 0.25)}
"""How much longer a call takes on a tier than on the standard one, in the middle, and the spread of that."""
WINDOWS = {"window-2h": 7_200.0, "window-8h": 28_800.0}


@dataclass(frozen=True, slots=True)
class Pace:
    """What bounds how fast requests go.

    Attributes:
        together: how many are under way at a time.
        requests_a_minute: how many may begin; None without a limit.
        tokens_a_minute: how many tokens they may use; None without a limit.
        batch_size: how many go in one batch.
        batch_wait: seconds that a batch which is not full waits for more.
    """

    together: int
    requests_a_minute: float | None = None
    tokens_a_minute: float | None = None
    batch_size: int = 50_000
    batch_wait: float = 0.0


def assume_seconds(tokens: float) -> float:
    """Return how long a call is assumed to take whose answer has a number of tokens."""
    return FIRST + tokens / TOKENS_A_SECOND


def forecast_duration(
    tier: str,
    number: float,
    tokens: Interval,
    seconds: Sequence[float],
    batches: Sequence[float],
    pace: Pace,
    chance: Random,
) -> Interval:
    """Return how long a number of requests will take.

    Args:
        tier: the way they go; empty for standard calls.
        number: how many there are.
        tokens: what they use.
        seconds: how long calls took, or are assumed to take.
        batches: how long batches took; empty where none did.
        pace: what bounds how fast they go.
        chance: where all draws come from.
    """
    if number <= 0:
        return Interval(0.0, 0.0)
    if tier == "batch":
        return Interval.of([_draw_batches(number, batches, pace, chance) for _ in range(DRAWS)])
    if tier in WINDOWS:
        return Interval.of([WINDOWS[tier] * max(chance.random(), chance.random()) for _ in range(DRAWS)])
    spread = math.log(max(tokens.p95, 1.0) / max(tokens.p50, 1.0)) / 1.645 if tokens.p50 else 0.0
    drawn = [_draw_calls(tier, number, tokens.p50 * math.exp(chance.gauss(0.0, spread)), seconds, pace, chance)
             for _ in range(DRAWS)]  # fmt: skip
    return Interval.of(drawn)


def _draw_calls(tier: str, number: float, tokens: float, seconds: Sequence[float], pace: Pace, chance: Random) -> float:
    middle, spread = SPEEDS.get(tier, (1.0, 0.1))
    slower = middle * math.exp(chance.gauss(0.0, spread))
    drawn = chance.choices(seconds, k=min(len(seconds) * 2, 200))
    each = sum(drawn) / len(drawn) * slower
    at_once = max(1.0, min(pace.together, number))
    last = max(chance.choices(seconds, k=int(min(at_once, 50)))) * slower
    bounds = [each * number / at_once, last]
    if pace.requests_a_minute:
        bounds.append((number - 1) / pace.requests_a_minute * 60)
    if pace.tokens_a_minute:
        bounds.append(tokens / pace.tokens_a_minute * 60)
    longest = max(bounds)
    return longest if longest == last else longest + 0.5 * last


def _draw_batches(number: float, batches: Sequence[float], pace: Pace, chance: Random) -> float:
    count = max(1, math.ceil(number / pace.batch_size))
    wait = 0.0 if count * pace.batch_size == number else pace.batch_wait
    return wait + max(_draw_batch(batches, chance) for _ in range(min(count, 50)))


def _draw_batch(batches: Sequence[float], chance: Random) -> float:
    assumed = min(BATCH_MIDDLE * math.exp(chance.gauss(0.0, BATCH_SPREAD)), BATCH_WINDOW)
    if not batches or chance.random() < 1 / (1 + len(batches)):
        return assumed
    return chance.choice(batches) * math.exp(chance.gauss(0.0, 0.2))
