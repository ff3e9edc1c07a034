"""What calls used and what that cost: tokens under all the names that the API has for them, times configured prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from connector.model import JSON, is_document

__all__ = ["NOTHING", "TIERS", "Cost", "Price", "Prices", "Usage", "model_of", "tier_of", "usage_of"]

TIERS: Mapping[str, float] = {
    "": 1.0, "auto": 1.0, "default": 1.0, "standard": 1.0, "scale": 1.0, "flex": 0.5, "batch": 0.5, "priority": 2.0,
}  # fmt: skip
"""What a service tier multiplies a price by; the price itself may say another factor for priority."""
WITHIN = ("usage", "response", "body")
"""Where an answer's usage stands: in itself, in a stream's last event, in a line of a batch's output."""
DEEPEST = 5
MOST_KNOWN = 1000

Part = Mapping[str, JSON]
NO_DETAILS: Part = {}


class Price(Protocol):
    """What so many tokens of a model cost."""

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
        input: what was sent, cached or not.
        cached: how much of it was cached.
        output: what came back, reasoning included.
        reasoning: how much of that was reasoning.
        audio: how much of both was audio.
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


NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call used and cost; the cost is None when nobody said what its model costs."""

    model: str
    usage: Usage
    amount: float | None
    currency: str = "USD"


class Prices:
    """What models cost; a name may end in `*`, and the longest that fits counts."""

    def __init__(self, prices: Mapping[str, Price], currency: str = "USD") -> None:
        self.currency = currency
        self._exact = {name: price for name, price in prices.items() if not name.endswith("*")}
        starts = {name[:-1]: price for name, price in prices.items() if name.endswith("*")}
        self._starts = sorted(starts.items(), key=lambda pair: len(pair[0]), reverse=True)
        self._known: dict[str, Price | None] = {}

    def __bool__(self) -> bool:
        return bool(self._exact or self._starts)

    def find(self, model: str) -> Price | None:
        """What a model costs; None when nobody said so."""
        if model not in self._known:
            if len(self._known) >= MOST_KNOWN:  # names come from answers, and there is no end to them
                self._known.clear()
            fits = (price for start, price in self._starts if model.startswith(start))
            self._known[model] = self._exact.get(model) or next(fits, None)
        return self._known[model]

    def cost(self, model: str, usage: Usage, tier: str = "") -> float | None:
        """What a model's tokens cost; half of it for batches and the flex tier, more for those that are faster."""
        price = self.find(model)
        if price is None:
            return None
        cached_price = price.input if price.cached_input is None else price.cached_input
        fresh = max(usage.input - usage.cached, 0)
        amount = (fresh * price.input + usage.cached * cached_price + usage.output * price.output) / price.per
        if tier in TIERS and tier != "priority":
            return amount * TIERS[tier]
        return amount * price.priority

    def dearest(self, usage: Usage) -> float:
        """What tokens cost at most, whatever the model."""
        named = (*self._exact, *(f"{start}" for start, _ in self._starts))
        return max((self.cost(name, usage, "priority") or 0.0 for name in named), default=0.0)

    def of(self, body: JSON, *, model: str = "", tier: str = "") -> Cost:
        """What an answer says that it used, and what that cost.

        Args:
            body: the answer, a stream's last event, or a line of a batch's output.
            model: what was asked, for answers that do not name their model.
            tier: `batch` for what went through a batch; else the answer's own.
        """
        parts = _parts(body)
        usage, found = _usage_in(parts), _text(parts, "model") or model
        return Cost(found, usage, self.cost(found, usage, tier or _text(parts, "service_tier")), self.currency)


def usage_of(body: JSON) -> Usage:
    """The tokens that an answer, or a usage object itself, tells; none when it tells of none."""
    return _usage_in(_parts(body))


def model_of(body: JSON) -> str:
    """The model that an answer names; empty when it names none."""
    return _text(_parts(body), "model")


def tier_of(body: JSON) -> str:
    """The service tier that an answer names; empty when it names none."""
    return _text(_parts(body), "service_tier")


def _parts(body: JSON) -> list[Part]:
    """An answer and what stands in it where a usage may be, the innermost first."""
    found: list[Part] = []
    inner = body
    while is_document(inner) and len(found) < DEEPEST:
        found.insert(0, inner)
        for name in WITHIN:
            inner = found[0].get(name)
            if is_document(inner):
                break
    return found


def _usage_in(parts: list[Part]) -> Usage:
    for part in parts:
        usage = _usage(part)
        if usage:
            return usage
    return NOTHING


def _text(parts: list[Part], name: str) -> str:
    for part in parts:
        text = part.get(name)
        if isinstance(text, str):
            return text
    return ""


def _usage(told: Part) -> Usage:
    """Chat completions, completions and embeddings speak of prompt and completion, all others of input and output."""
    given = _first(told, ("input_tokens", "prompt_tokens"))
    came = _first(told, ("output_tokens", "completion_tokens"))
    if not given and not came:
        return Usage(_first(told, ("total_tokens",)))
    sent = _details(told, ("input_tokens_details", "prompt_tokens_details", "input_token_details"))
    back = _details(told, ("output_tokens_details", "completion_tokens_details", "output_token_details"))
    cached = min(_first(sent, ("cached_tokens",)) or _first(told, ("input_cached_tokens",)), given)
    audio = _first(sent, ("audio_tokens",)) + _first(back, ("audio_tokens",))
    return Usage(given, cached, came, _first(back, ("reasoning_tokens",)), audio)


def _details(told: Part, names: tuple[str, ...]) -> Part:
    for name in names:
        found = told.get(name)
        if is_document(found):
            return found
    return NO_DETAILS


def _first(told: Part, names: tuple[str, ...]) -> int:
    """The first of some members that is a number of tokens; 0 when none is."""
    for name in names:
        value = told.get(name)
        if isinstance(value, int) and value > 0 and value is not True:
            return value
    return 0
