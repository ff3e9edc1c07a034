"""What calls use and cost: tokens under all the API's names for them, times configured prices; and budget periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from connector.model import JSON, is_document

__all__ = ["NO_USAGE", "TIERS", "Cost", "Period", "Price", "Prices", "Usage", "find_period", "read_usage"]

TIERS: Mapping[str, float] = {
    "": 1.0, "auto": 1.0, "default": 1.0, "standard": 1.0, "scale": 1.0, "flex": 0.5, "batch": 0.5, "priority": 2.0,
}  # fmt: skip
"""The factor of each service tier; a price may have a factor of its own for priority."""
USAGE_KEYS = ("usage", "response", "body")
"""The keys that lead to usage: in an answer, in a stream's last event, in a line of a batch's output."""
MAX_DEPTH = 5
MAX_CACHED = 1000

Period = Literal["hour", "day", "week", "month"]
EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday."""
PERIOD_LENGTHS: dict[Period, timedelta] = {
    "hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)
}  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Part = Mapping[str, JSON]
NO_DETAILS: Part = {}


class Price(Protocol):
    """The price of a model's tokens."""

    @property
    def input(self) -> float: ...

    @property
    def cached_input(self) -> float | None: ...

    @property
    def output(self) -> float: ...

    @property
    def per(self) -> int: ...

    @property
    def priority(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more calls.

    Attributes:
        input: tokens sent, cached or not.
        cached: how many of them were cached.
        output: tokens received, reasoning included.
        reasoning: how many of them were reasoning.
        audio: how many of both were audio.
    """

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0
    audio: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.cached + other.cached,
            self.output + other.output,
            self.reasoning + other.reasoning,
            self.audio + other.audio,
        )

    def __bool__(self) -> bool:
        return self.total > 0


NO_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call used and cost; the amount is None when its model has no price."""

    model: str
    usage: Usage
    amount: float | None
    currency: str = "USD"


class Prices:
    """Prices of models by name; a name may end in `*`, and the longest match counts."""

    def __init__(self, prices: Mapping[str, Price], currency: str = "USD") -> None:
        self.currency = currency
        self._exact = {name: price for name, price in prices.items() if not name.endswith("*")}
        starts = {name[:-1]: price for name, price in prices.items() if name.endswith("*")}
        self._starts = sorted(starts.items(), key=lambda pair: len(pair[0]), reverse=True)
        self._cache: dict[str, Price | None] = {}

    def __bool__(self) -> bool:
        return bool(self._exact or self._starts)

    def find(self, model: str) -> Price | None:
        """Return the price of a model, or None when it has none."""
        if model not in self._cache:
            if len(self._cache) >= MAX_CACHED:  # names come from answers and are unbounded
                self._cache.clear()
            fits = (price for start, price in self._starts if model.startswith(start))
            self._cache[model] = self._exact.get(model) or next(fits, None)
        return self._cache[model]

    def compute_cost(self, model: str, usage: Usage, tier: str = "") -> float | None:
        """Return what a model's tokens cost in a service tier, or None when the model has no price."""
        price = self.find(model)
        if price is None:
            return None
        cached_price = price.input if price.cached_input is None else price.cached_input
        fresh = max(usage.input - usage.cached, 0)
        amount = (fresh * price.input + usage.cached * cached_price + usage.output * price.output) / price.per
        if tier in TIERS and tier != "priority":
            return amount * TIERS[tier]
        return amount * price.priority

    def compute_highest_cost(self, usage: Usage) -> float:
        """Return what tokens cost with the most expensive configured model."""
        named = (*self._exact, *(f"{start}" for start, _ in self._starts))
        return max((self.compute_cost(name, usage, "priority") or 0.0 for name in named), default=0.0)

    def read_cost(self, body: JSON, *, model: str = "", tier: str = "") -> Cost:
        """Return what an answer reports as used, and what that cost.

        Args:
            body: the answer, a stream's last event, or a line of a batch's output.
            model: the requested model, for answers that do not name theirs.
            tier: `batch` for calls in a batch; by default the tier that the answer names.
        """
        parts = _parts(body)
        usage, found = _usage_in(parts), _text(parts, "model") or model
        return Cost(found, usage, self.compute_cost(found, usage, tier or _text(parts, "service_tier")), self.currency)


def read_usage(body: JSON) -> Usage:
    """Return the tokens that an answer or a usage object reports."""
    return _usage_in(_parts(body))


def _parts(body: JSON) -> list[Part]:
    """Return an answer and the objects in it that may hold usage, the innermost first."""
    found: list[Part] = []
    inner = body
    while is_document(inner) and len(found) < MAX_DEPTH:
        found.insert(0, inner)
        for name in USAGE_KEYS:
            inner = found[0].get(name)
            if is_document(inner):
                break
    return found


def _usage_in(parts: list[Part]) -> Usage:
    for part in parts:
        usage = _usage(part)
        if usage:
            return usage
    return NO_USAGE


def _text(parts: list[Part], name: str) -> str:
    for part in parts:
        text = part.get(name)
        if isinstance(text, str):
            return text
    return ""


def _usage(reported: Part) -> Usage:
    """Read one usage object: some APIs say prompt and completion, all others input and output."""
    given = _first(reported, ("input_tokens", "prompt_tokens"))
    came = _first(reported, ("output_tokens", "completion_tokens"))
    if not given and not came:
        return Usage(_first(reported, ("total_tokens",)))
    sent = _details(reported, ("input_tokens_details", "prompt_tokens_details", "input_token_details"))
    back = _details(reported, ("output_tokens_details", "completion_tokens_details", "output_token_details"))
    cached = min(_first(sent, ("cached_tokens",)) or _first(reported, ("input_cached_tokens",)), given)
    audio = _first(sent, ("audio_tokens",)) + _first(back, ("audio_tokens",))
    return Usage(given, cached, came, _first(back, ("reasoning_tokens",)), audio)


def _details(reported: Part, names: tuple[str, ...]) -> Part:
    for name in names:
        found = reported.get(name)
        if is_document(found):
            return found
    return NO_DETAILS


def _first(reported: Part, names: tuple[str, ...]) -> int:
    """Return the first member that is a number of tokens, or 0."""
    for name in names:
        value = reported.get(name)
        if isinstance(value, int) and value > 0 and value is not True:
            return value
    return 0


def find_period(every: Period, at: float) -> tuple[float, float]:
    """Return when the UTC period around a time begins and ends, in seconds since 1970; weeks begin on Monday."""
    now = datetime.fromtimestamp(at, UTC)
    if every == "month":
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (first + timedelta(days=32)).replace(day=1)
        return first.timestamp(), following.timestamp()
    length = PERIOD_LENGTHS[every]
    shift = timedelta(days=EPOCH_WEEKDAY) if every == "week" else timedelta()
    begun = now - (now - EPOCH + shift) % length
    return begun.timestamp(), (begun + length).timestamp()
