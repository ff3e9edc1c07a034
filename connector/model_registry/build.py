"""Builds the registry from what others publish, and from facts by hand that are laid over it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from connector.errors import ConfigurationError
from connector.model import JSON, is_list, is_object
from connector.model_registry.price_source import PriceFacts
from connector.model_registry.registry import SNAPSHOT
from connector.model_registry.sdk_source import SdkFacts
from connector.yaml import DECLARATIONS, read_yaml

__all__ = ["build", "read_overlay", "registry_text"]

Facts = dict[str, JSON]
ORDER = (
    "kind", "reasoning", "efforts", "shutdown", "successor", "context", "max_output", "aliases", "endpoints", "free",
    "prices", "tiers", "regional",
)  # fmt: skip
SECTIONS = frozenset({"as_of", "roles", "accepted", "families", "models", "parameters"})
PLAIN = re.compile(r"^([A-Za-z][A-Za-z0-9 ._/-]*[A-Za-z0-9]|[A-Za-z]|\d{4}-\d{2}-\d{2})$")
"""Texts that YAML takes as they are."""
HEAD = "# Written by `openai-connector models update`: facts by hand belong into overlay.yaml beside it.\n"


def read_overlay(path: Path) -> Facts:
    """Read facts by hand, checked as far as their sections go."""
    try:
        found = read_yaml(path.read_text(encoding="utf-8"), str(path), DECLARATIONS)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    if not is_object(found):
        raise ConfigurationError(f"{path}: an object with {', '.join(sorted(SECTIONS))} is allowed")
    unknown = sorted(set(found) - SECTIONS)
    if unknown:
        raise ConfigurationError(f"{path}: unknown key {unknown[0]!r}; allowed: {', '.join(sorted(SECTIONS))}")
    return dict(found)


def build(sdk: SdkFacts, prices: PriceFacts, overlay: Mapping[str, JSON], known: Mapping[str, JSON]) -> Facts:
    """Return the registry as a document.

    Args:
        sdk: which models there are, and when they stop.
        prices: what they cost.
        overlay: facts by hand, which win.
        known: the models of an earlier registry: one that no source lists any more keeps its facts.
    """
    models: dict[str, Facts] = {name: dict(facts) for name, facts in prices.models.items()}
    by_hand = _object(overlay.get("models"))
    for name in by_hand:
        models.setdefault(name, {})
    for name in sorted({*sdk.kinds, *sdk.shutdowns}, key=lambda each: (len(each), each)):
        if not _is_alias(name, models, sdk):
            models.setdefault(name, {})
    for name in list(prices.models):
        models.update(_own_lives(name, models[name], sdk, models))
    for name, facts in known.items():
        if name not in models and not _is_alias(name, models, sdk):
            models[name] = dict(_object(facts))
    for name, facts in models.items():
        _complete(name, facts, sdk, overlay)
        facts.update(_merge(facts, _object(by_hand.get(name))))
    return {
        "as_of": overlay.get("as_of", ""),
        "sources": {"genai-prices": prices.version, "openai": sdk.version},
        "roles": overlay.get("roles", {}),
        "accepted": overlay.get("accepted", {}),
        "parameters": overlay.get("parameters", []),
        "models": {name: _order(models[name]) for name in sorted(models)},
    }


def _complete(name: str, facts: Facts, sdk: SdkFacts, overlay: Mapping[str, JSON]) -> None:
    """Add what the model's family and the SDK say of it."""
    facts.update(_family(name, overlay))
    if name in sdk.kinds:
        facts.setdefault("kind", sdk.kinds[name])
    shutdown = _shutdown(name, facts, sdk)
    if shutdown is not None:
        facts["shutdown"] = shutdown.isoformat()


def _object(value: JSON) -> Mapping[str, JSON]:
    return value if is_object(value) else {}


def _is_alias(name: str, models: Mapping[str, Facts], sdk: SdkFacts) -> bool:
    """Whether a name means a model that is there: by its aliases, or by a date that ends with the model itself."""
    base = SNAPSHOT.sub("", name)
    if base != name and base in models and sdk.shutdowns.get(name) in (None, sdk.shutdowns.get(base)):
        return True
    return any(name in aliases for facts in models.values() if is_list(aliases := facts.get("aliases")))


def _own_lives(name: str, facts: Facts, sdk: SdkFacts, models: Mapping[str, Facts]) -> Iterator[tuple[str, Facts]]:
    """Aliases that are models as well, or stop on another day: they cost the same, and live lives of their own."""
    aliases = [str(each) for each in found] if is_list(found := facts.get("aliases")) else []
    end = _shutdown(name, facts, sdk)
    apart = [each for each in aliases if each in models or sdk.shutdowns.get(each, end) != end]
    if apart:
        facts["aliases"] = [each for each in aliases if each not in apart]
        yield from ((each, {**facts, "aliases": [], **models.get(each, {})}) for each in apart)


def _family(name: str, overlay: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    families = overlay.get("families")
    for family in families if is_list(families) else ():
        names = family.get("names") if is_object(family) else None
        if is_object(family) and is_list(names) and any(fnmatchcase(name, str(each)) for each in names):
            yield from ((key, value) for key, value in family.items() if key != "names")


def _shutdown(name: str, facts: Mapping[str, JSON], sdk: SdkFacts) -> date | None:
    """The day on which a model stops: its own, else the last one of its dated names, when all of them stop."""
    if name in sdk.shutdowns:
        return sdk.shutdowns[name]
    aliases = [str(each) for each in found] if is_list(found := facts.get("aliases")) else []
    days = [sdk.shutdowns[each] for each in aliases if each in sdk.shutdowns]
    return max(days) if days and len(days) == len(aliases) else None


def _merge(facts: Mapping[str, JSON], own: Mapping[str, JSON]) -> Facts:
    """Facts by hand; objects such as tiers are joined."""
    return {
        key: {**before, **value} if is_object(value) and is_object(before := facts.get(key)) else value
        for key, value in own.items()
    }


def _order(facts: Mapping[str, JSON]) -> Facts:
    said = {key for key in ORDER if key in facts and (key == "efforts" or facts[key] not in (False, [], ""))}
    ordered = {key: facts[key] for key in ORDER if key in said}
    return {"kind": "other", **ordered, **{key: value for key, value in facts.items() if key not in ORDER}}


def registry_text(registry: Mapping[str, JSON]) -> str:
    """Return the registry's YAML: one model a line, so that a change of it is one line of a diff."""
    return HEAD + "".join(line for section, value in registry.items() for line in _section(section, value))


def _section(name: str, value: JSON) -> Iterator[str]:
    if is_object(value) and value and name != "sources":
        yield f"{name}:\n"
        yield from (f"  {_flow(key)}: {_flow(inner)}\n" for key, inner in value.items())
    elif is_list(value) and value:
        yield f"{name}:\n"
        yield from (f"  - {_flow(each)}\n" for each in value)
    else:
        yield f"{name}: {_flow(value)}\n"


def _flow(value: JSON) -> str:
    """One value of YAML on one line."""
    if is_object(value):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if is_list(value):
        return "[" + ", ".join(_flow(each) for each in value) + "]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str) and PLAIN.match(value) and value not in ("true", "false", "null"):
        return value
    return json.dumps(value, ensure_ascii=False)
