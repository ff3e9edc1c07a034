"""The registry of models: what each is for, how long it lives, what it takes, what it refuses and what it costs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from connector.errors import ConfigurationError, UnknownName
from connector.model import JSON, is_object
from connector.model_registry.rates import EVERY_TIER, PriceList, Tier, newest
from connector.suggestions import closest

__all__ = [
    "ROLES",
    "SNAPSHOT",
    "LifeCycle",
    "Model",
    "ModelRegistry",
    "Refusal",
    "base_of",
    "current_day",
    "price_change",
]

ROLES = ("text", "small", "image", "speech", "transcription", "embedding", "moderation", "realtime")
"""What a default model is for."""
COMPARED = {"input": "input", "output": "output", "audio_hours": "an hour", "characters": "characters"}
TODAY_VARIABLE = "OPENAI_CONNECTOR_TODAY"
WARNED_DAYS = 90
"""How long before its end a model is said to retire."""
SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
"""The date that a snapshot of a model has at the end of its name."""
_FINE_TUNED = re.compile(r"^ft:([^:]+)(:|$)")


class LifeCycle(StrEnum):
    """Where a model is in its life on a day."""

    ACTIVE = "active"
    RETIRES = "retires"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A parameter, or a value of one, that models refuse: at which operations, why, and what to give instead."""

    parameter: str
    """By its path, such as `reasoning.effort`."""
    operations: Sequence[str]
    instead: str = ""
    reason: str = ""
    allowed: Sequence[JSON] = ()
    """Values that are taken all the same, such as the default."""
    takes: Sequence[JSON] = ()
    """The values that are taken, where the model takes the parameter and refuses others."""
    unless: Mapping[str, JSON] = field(default_factory=dict[str, JSON])
    """Other parameters, by their path, with which the model takes this one."""

    def concerns(self, payload: Mapping[str, JSON]) -> bool:
        """Return whether a payload has a value of the parameter that the model refuses."""
        value = self.value_in(payload)
        if value is None or value in self.allowed or value in self.takes:
            return False
        return not any(_value_at(payload, path) == wanted for path, wanted in self.unless.items())

    def value_in(self, payload: Mapping[str, JSON]) -> JSON:
        """Return the parameter's value in a payload; None where it is not given."""
        return _value_at(payload, self.parameter)


def _value_at(payload: JSON, path: str) -> JSON:
    for key in path.split("."):
        payload = payload.get(key) if is_object(payload) else None
    return payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The facts of one model; a fact that no source gives is None or empty."""

    name: str
    kind: str = "text"
    reasoning: bool = False
    efforts: Sequence[str] | None = None
    """The levels of reasoning effort that it takes; none when it does not reason, None when that is not known."""
    context: int | None = None
    max_output: int | None = None
    shutdown: date | None = None
    successor: str = ""
    aliases: Sequence[str] = ()
    """Other names of the same model; one that ends in `*` matches all that begin so."""
    endpoints: Sequence[str] = ()
    prices: Sequence[PriceList] = ()
    tiers: Mapping[str, Tier] = field(default_factory=dict[str, Tier])
    regional: float = 1.0
    """What processing at a regional address multiplies all rates but those of searches by."""
    refuses: Sequence[Refusal] = ()
    as_of: date | None = None

    def life_cycle(self, today: date, within: int = WARNED_DAYS) -> LifeCycle:
        """Return where the model is in its life; `within` days before its end it retires."""
        if self.shutdown is None:
            return LifeCycle.ACTIVE
        if self.shutdown <= today:
            return LifeCycle.RETIRED
        return LifeCycle.RETIRES if self.shutdown - timedelta(days=within) <= today else LifeCycle.ACTIVE

    def price_list(self, tier: str = "default", day: date | None = None) -> PriceList | None:
        """Return the price list of a processing tier on a day; None where no price is known."""
        on = day or date.max
        standard = newest(self.prices, on)
        if standard is None or tier in ("", "default", "auto", "standard", "scale"):
            return standard
        own = self.tiers.get(tier)
        if own is None or (own.since is not None and on < own.since):
            own = Tier(EVERY_TIER.get(tier, max(EVERY_TIER.values())))
        return own.apply(standard)

    def refusals(self, operation: str) -> Iterator[Refusal]:
        """Yield what the model refuses at an operation, such as `chat completions create`."""
        return (each for each in self.refuses if operation in each.operations)


def current_day() -> date:
    """Return the day it is here, or the one that OPENAI_CONNECTOR_TODAY says, to see what another day brings."""
    said = os.environ.get(TODAY_VARIABLE)
    if not said:
        return date.today()  # noqa: DTZ011 - the day where the user is
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise ConfigurationError(f"{TODAY_VARIABLE}: found {said!r}; a day such as 2026-12-11 is allowed") from None


def price_change(model: Model, successor: Model) -> str:
    """Return how the prices differ, such as `input 0.25 -> 1, output 2 -> 5`; empty where one is unknown."""
    before, after = model.price_list(), successor.price_list()
    if before is None or after is None:
        return ""
    return ", ".join(_changes(before, after))


def _changes(before: PriceList, after: PriceList) -> Iterator[str]:
    for unit, words in COMPARED.items():
        if unit in before.rates or unit in after.rates:
            old, new = before.rate(unit), after.rate(unit)
            yield f"{words} {old:g}" if old == new else f"{words} {old:g} -> {new:g}"


def base_of(name: str) -> str:
    """Return the model that a fine-tuned one is made of; the name itself for any other."""
    found = _FINE_TUNED.match(name)
    return found.group(1) if found else name


class ModelRegistry:
    """Models by name, with the defaults of each role.

    Args:
        aliases: each model's name with the other names that it has.
        build: makes the model of a name, when it is first asked for.
        roles: the default model of each role.
        as_of: the day on which the facts were true.
        accepted: roles whose model may retire early, with the reason.
    """

    def __init__(
        self,
        aliases: Mapping[str, Sequence[str]],
        build: Callable[[str], Model],
        roles: Mapping[str, str],
        as_of: date,
        accepted: Mapping[str, str],
    ) -> None:
        self.roles = dict(roles)
        self.accepted = dict(accepted)
        self.as_of = as_of
        self._build = build
        self._built: dict[str, Model] = {}
        self._names = list(aliases)
        pairs = [(alias, name) for name, others in aliases.items() for alias in others]
        self._exact = {alias: name for alias, name in pairs if not alias.endswith("*")} | {
            name: name for name in aliases
        }
        starts = [(alias[:-1], name) for alias, name in pairs if alias.endswith("*")]
        starts += [(name, name) for name in aliases if name.startswith("ft:")]
        self._starts = sorted(starts, key=lambda pair: len(pair[0]), reverse=True)

    def __iter__(self) -> Iterator[Model]:
        return (self._model(name) for name in self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _model(self, name: str) -> Model:
        if name not in self._built:
            self._built[name] = self._build(name)
        return self._built[name]

    def find(self, name: str) -> Model | None:
        """Return the model that a name means: itself, an alias, a dated snapshot, or a fine-tuned model's base."""
        found = self._exact.get(name)
        if found is None and name.startswith("ft:"):
            return self._fine_tuned(name)
        if found is None:
            found = self._exact.get(SNAPSHOT.sub("", name)) or self._by_start(name)
        return None if found is None else self._model(found)

    def _by_start(self, name: str) -> str | None:
        return next((model for start, model in self._starts if name.startswith(start)), None)

    def _fine_tuned(self, name: str) -> Model | None:
        """A fine-tuned model lives as long as its base, and may have prices of its own."""
        base, start = self.find(base_of(name)), self._by_start(name)
        own = None if start is None else self._model(start)
        if own is None or base is None:
            return own or base
        return replace(base, name=own.name, prices=own.prices or base.prices, tiers=own.tiers or base.tiers)

    def require(self, name: str) -> Model:
        """Return the model of this name; raise where there is none."""
        found = self.find(name)
        if found is None:
            raise UnknownName("model", name, closest(name, self._exact), "`openai-connector models list` shows all")
        return found

    def default(self, role: str) -> str:
        """Return the name of the default model of a role."""
        if role not in self.roles:
            raise UnknownName("role of a model", role, closest(role, self.roles), f"there are {', '.join(self.roles)}")
        return self.roles[role]

    def successor(self, name: str, today: date) -> Model | None:
        """Return the first model after this one that is not retired; None where none is known."""
        seen: set[str] = set()
        model = self.find(name)
        while model is not None and model.successor and model.successor not in seen:
            seen.add(model.successor)
            model = self.find(model.successor)
            if model is not None and model.life_cycle(today) is not LifeCycle.RETIRED:
                return model
        return None
