"""Reads the registry of a catalogue folder, in the form that loads at once when it is there and current."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from hashlib import blake2b
from pathlib import Path

import orjson

from connector.declarations import folder
from connector.errors import ConfigurationError
from connector.model import JSON, is_list, is_object
from connector.model_registry.rates import UNITS, LongPrompt, PriceList, Tier
from connector.model_registry.registry import Model, ModelRegistry, Refusal
from connector.yaml import DECLARATIONS, read_yaml

__all__ = [
    "COMPILED",
    "OVERLAY",
    "REGISTRY",
    "check_registry",
    "compile_registry",
    "default_registry",
    "load_registry",
    "read_registry_document",
    "registry_of",
]

REGISTRY = Path("models") / "registry.yaml"
OVERLAY = Path("models") / "overlay.yaml"
COMPILED = Path("models") / "registry.json"
WILD = frozenset("*?[")
Facts = Mapping[str, JSON]


@cache
def default_registry() -> ModelRegistry:
    """Return the registry that ships with the connector."""
    return _read(folder("entities"))


def load_registry(entities: Path | None) -> ModelRegistry:
    """Return the registry of a catalogue folder; that of the connector where there is no folder, or none in it."""
    if entities is None or entities == folder("entities") or not (entities / REGISTRY).exists():
        return default_registry()
    return _read(entities)


def _read(entities: Path) -> ModelRegistry:
    return registry_of(read_registry_document(entities), str(entities / REGISTRY))


def read_registry_document(entities: Path) -> JSON:
    """Return the registry of a catalogue folder as a document: from its JSON where that is current, else its YAML."""
    path = entities / REGISTRY
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    return _parse(entities / COMPILED, text, str(path))


def compile_registry(text: bytes, document: JSON) -> bytes:
    """Return the registry's JSON with the digest of the YAML that it was made from."""
    return orjson.dumps({"digest": _digest(text), "registry": document})


def _parse(compiled: Path, text: bytes, where: str) -> JSON:
    try:
        found = orjson.loads(compiled.read_bytes())
        if found["digest"] == _digest(text):
            document: JSON = found["registry"]
            return document
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return read_yaml(text, where, DECLARATIONS)


def _digest(text: bytes) -> str:
    return blake2b(text, digest_size=16).hexdigest()


def check_registry(document: JSON, where: str) -> None:
    """Raise for the first fact of a wrong shape, with its place."""
    list(registry_of(document, where))


def registry_of(document: JSON, where: str) -> ModelRegistry:
    """Return the registry that a document declares; a model's facts are looked at when it is first asked for."""
    found = _object(document, where)
    place = f"{where}: parameters"
    rules = [_object(each, place) for each in _list(found.get("parameters", []), place)]
    facts = {
        name: _object(each, f"{where}: models.{name}")
        for name, each in _object(found.get("models"), f"{where}: models").items()
    }
    roles, accepted = (
        {role: str(text) for role, text in _object(found.get(key, {}), f"{where}: {key}").items()}
        for key in ("roles", "accepted")
    )
    as_of = _day(found.get("as_of"), f"{where}: as_of")
    if as_of is None:
        raise ConfigurationError(f"{where}: as_of: missing; the day on which the facts were true is needed")
    return ModelRegistry(
        {name: _texts(each.get("aliases", []), f"{where}: models.{name}.aliases") for name, each in facts.items()},
        lambda name: _model(name, facts[name], rules, f"{where}: models.{name}"),
        roles,
        as_of,
        accepted,
    )


def _model(name: str, facts: Facts, rules: list[Facts], where: str) -> Model:
    tiers = _object(facts.get("tiers", {}), f"{where}.tiers")
    prices = [_price_list(each, f"{where}.prices") for each in _list(facts.get("prices", []), f"{where}.prices")]
    if facts.get("free"):
        prices.append(PriceList({}))
    return Model(
        name=name,
        kind=str(facts.get("kind", "other")),
        reasoning=bool(facts.get("reasoning", False)),
        efforts=_texts(facts["efforts"], f"{where}.efforts") if "efforts" in facts else None,
        context=_count(facts.get("context"), f"{where}.context"),
        max_output=_count(facts.get("max_output"), f"{where}.max_output"),
        shutdown=_day(facts.get("shutdown"), f"{where}.shutdown"),
        successor=str(facts.get("successor", "")),
        aliases=_texts(facts.get("aliases", []), f"{where}.aliases"),
        endpoints=_texts(facts.get("endpoints", []), f"{where}.endpoints"),
        prices=prices,
        tiers={tier: _tier(each, f"{where}.tiers.{tier}") for tier, each in tiers.items()},
        regional=_factor(facts.get("regional", 1.0), f"{where}.regional"),
        refuses=[refusal for rule in rules if _concerns(rule, name, facts) for refusal in _refusals(rule, facts)],
    )


def _concerns(rule: Facts, name: str, facts: Facts) -> bool:
    wanted = rule.get("models")
    if not is_object(wanted):
        return False
    names = wanted.get("names")
    if is_list(names) and not any(_matches(name, str(each)) for each in names):
        return False
    return all(facts.get(key, False) == value for key, value in wanted.items() if key != "names")


def _matches(name: str, pattern: str) -> bool:
    """Return whether a name is one that a pattern means; most are a name, or the beginning of some."""
    if WILD.isdisjoint(pattern.removesuffix("*")):
        return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
    return fnmatchcase(name, pattern)


def _refusals(rule: Facts, facts: Facts) -> Iterator[Refusal]:
    """Yield what a rule says of a model with these facts; `takes` may name the fact that lists the values."""
    operations = _texts(rule.get("operations", []), "parameters")
    for parameter, more in _object(rule.get("refuses", {}), "parameters").items():
        said = _object(more, f"parameters: {parameter}")
        takes = said.get("takes", [])
        if isinstance(takes, str):
            if takes not in facts:
                continue
            takes = facts[takes]
        yield Refusal(
            parameter,
            operations,
            instead=str(said.get("instead", "")),
            reason=str(said.get("reason", "")),
            allowed=_list(said.get("allowed", []), f"parameters: {parameter}.allowed"),
            takes=_list(takes, f"parameters: {parameter}.takes"),
            unless=_object(said.get("unless", {}), f"parameters: {parameter}.unless"),
        )


def _price_list(value: JSON, where: str) -> PriceList:
    facts = _object(value, where)
    return PriceList(_rates(facts, where), _day(facts.get("since"), where), _long_prompt(facts, where))


def _tier(value: JSON, where: str) -> Tier:
    facts = _object(value, where)
    factor = _factor(facts.get("factor", 1.0), f"{where}.factor")
    return Tier(factor, _day(facts.get("since"), where), _rates(facts, where), _long_prompt(facts, where))


def _long_prompt(facts: Facts, where: str) -> LongPrompt | None:
    if "above" not in facts:
        return None
    above = _object(facts["above"], f"{where}.above")
    return LongPrompt(_count(above.get("tokens"), f"{where}.above.tokens") or 0, _rates(above, f"{where}.above"))


def _rates(facts: Facts, where: str) -> dict[str, float]:
    rates: dict[str, float] = {}
    for unit, rate in facts.items():
        if unit in ("since", "above", "factor", "tokens"):
            continue
        if unit not in UNITS:
            raise ConfigurationError(f"{where}: unknown unit {unit!r}; known: {', '.join(UNITS)}")
        if isinstance(rate, bool) or not isinstance(rate, int | float) or rate < 0:
            raise ConfigurationError(f"{where}.{unit}: found {rate!r}; a price from 0 on is allowed")
        rates[unit] = float(rate)
    return rates


def _factor(value: JSON, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ConfigurationError(f"{where}: found {value!r}; a number from 0 on is allowed")
    return float(value)


def _object(value: JSON, where: str) -> Facts:
    if not is_object(value):
        raise ConfigurationError(f"{where}: found {type(value).__name__}; an object is allowed")
    return value


def _list(value: JSON, where: str) -> list[JSON]:
    if not is_list(value):
        raise ConfigurationError(f"{where}: found {type(value).__name__}; a list is allowed")
    return value


def _texts(value: JSON, where: str) -> list[str]:
    return [str(each) for each in _list(value, where)]


def _count(value: JSON, where: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"{where}: found {value!r}; a whole number from 0 on is allowed")
    return value


def _day(value: JSON, where: str) -> date | None:
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ConfigurationError(f"{where}: found {value!r}; a day such as 2026-12-11 is allowed") from None
