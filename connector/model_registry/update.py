"""Brings a registry up to date: from newer releases of what it is made from, and from what an account says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from connector.declarations import folder
from connector.errors import ConfigurationError
from connector.model import JSON, is_list, is_object
from connector.model_registry.build import build, read_overlay, registry_text
from connector.model_registry.load import (
    COMPILED,
    OVERLAY,
    REGISTRY,
    check_registry,
    compile_registry,
    read_registry_document,
    registry_of,
)  # fmt: skip
from connector.model_registry.price_source import PriceFacts, read_price_facts
from connector.model_registry.sdk_source import read_sdk_facts
from connector.yaml import DECLARATIONS, read_yaml

__all__ = ["Update", "account_shutdowns", "changes", "rebuild", "with_shutdowns"]

Facts = Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Update:
    """A newer registry, and what is different in it."""

    text: str
    document: JSON
    """What the text says."""
    changes: list[str]
    notes: list[str]
    """What was found in the sources and has no place in the registry."""

    def files(self) -> dict[Path, bytes]:
        """Return what is to be written, by the path below the catalogue's folder."""
        data = self.text.encode()
        return {REGISTRY: data, COMPILED: compile_registry(data, self.document)}


def rebuild(sdk: Path, prices: Path | None, entities: Path) -> Update:
    """Return the registry that newer sources give, with the facts by hand of a catalogue folder laid over it.

    Args:
        sdk: the official SDK.
        prices: `genai-prices`; without it the prices that are known stay.
        entities: the catalogue folder.
    """
    before = _registry_document(entities)
    overlay = entities / OVERLAY
    facts = _known_prices(before) if prices is None else read_price_facts(prices)
    by_hand = read_overlay(overlay if overlay.exists() else folder("entities") / OVERLAY)
    after = build(read_sdk_facts(sdk), facts, by_hand, _models(before))
    return _update(before, after, facts.unread)


def _known_prices(before: Facts) -> PriceFacts:
    """Return what a registry knows as if it had just been read; a kind that nobody knew is left to be found."""
    sources = before.get("sources")
    models = {name: dict(facts) for name, facts in _models(before).items() if is_object(facts)}
    for facts in models.values():
        if facts.get("kind") == "other":
            del facts["kind"]
    return PriceFacts(str(sources.get("genai-prices", "")) if is_object(sources) else "", models)


def with_shutdowns(entities: Path, shutdowns: Mapping[str, date | None], today: date) -> Update:
    """Return the registry with the ends of life that an account's list of models tells."""
    before = _registry_document(entities)
    registry = registry_of(before, str(entities / REGISTRY))
    models = {name: dict(facts) for name, facts in _models(before).items() if is_object(facts)}
    for name, shutdown in shutdowns.items():
        model = registry.find(name)
        if model is None:
            models[name] = {"kind": "other"}
        if shutdown is not None and (model is None or model.shutdown != shutdown):
            exact = model.name if model is not None and name in (model.name, *model.aliases) else name
            models.setdefault(exact, {"kind": model.kind if model else "other"})["shutdown"] = shutdown.isoformat()
    after = {**before, "as_of": today.isoformat(), "models": {name: models[name] for name in sorted(models)}}
    return _update(before, after, [])


def account_shutdowns(answer: JSON) -> dict[str, date | None]:
    """Return the end of life of each model in the answer of `models list`; None where none is announced."""
    listed = answer.get("data") if is_object(answer) else None
    found: dict[str, date | None] = {}
    for each in listed if is_list(listed) else ():
        if is_object(each) and isinstance(name := each.get("id"), str) and not name.startswith("ft:"):
            day = each.get("shutdown_date")
            try:
                found[name] = date.fromisoformat(day) if isinstance(day, str) else None
            except ValueError:
                raise ConfigurationError(f"{name}: found shutdown_date {day!r}; a day is needed") from None
    return found


def _registry_document(entities: Path) -> Facts:
    found = read_registry_document(entities if (entities / REGISTRY).exists() else folder("entities"))
    return found if is_object(found) else {}


def _update(before: Facts, after: Facts, notes: list[str]) -> Update:
    text = registry_text(after)
    document = read_yaml(text, str(REGISTRY), DECLARATIONS)
    check_registry(document, str(REGISTRY))
    return Update(text, document, list(changes(before, after)), notes)


def changes(before: Facts, after: Facts) -> Iterator[str]:
    """Yield what is different between two registries, a line for each model and fact."""
    for section in ("roles", "accepted", "parameters"):
        if before.get(section) != after.get(section):
            yield f"~ {section}"
    old, new = _models(before), _models(after)
    for name in sorted({*old, *new}):
        if name not in old:
            yield f"+ {name}"
        elif name not in new:
            yield f"- {name}"
        else:
            yield from (f"~ {name}: {change}" for change in _find_changes(old[name], new[name]))


def _models(registry: Facts) -> Facts:
    found = registry.get("models")
    return found if is_object(found) else {}


def _find_changes(old: JSON, new: JSON) -> Iterator[str]:
    if is_object(old) and is_object(new):
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                yield f"{key} {_show(old.get(key))} -> {_show(new.get(key))}"


def _show(value: JSON) -> str:
    import json

    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
