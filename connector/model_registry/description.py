"""All that is known of a model, as one document for people and programs."""

from __future__ import annotations

from datetime import date

from connector.model import JSON
from connector.model_registry.registry import Model, ModelRegistry

__all__ = ["describe_model"]


def describe_model(model: Model, registry: ModelRegistry, day: date) -> dict[str, JSON]:
    """Return all that is known of a model on a day."""
    successor = registry.successor(model.name, day)
    tiers = {"default": model.price_list(day=day), **{tier: model.price_list(tier, day) for tier in model.tiers}}
    return {
        "model": model.name,
        "kind": model.kind,
        "reasoning": model.reasoning,
        "efforts": None if model.efforts is None else list(model.efforts),
        "life_cycle": model.life_cycle(day).value,
        "shutdown": model.shutdown.isoformat() if model.shutdown else None,
        "successor": successor.name if successor else model.successor or None,
        "context": model.context,
        "max_output": model.max_output,
        "aliases": list(model.aliases),
        "endpoints": list(model.endpoints),
        "prices": {tier: dict(prices.rates) for tier, prices in tiers.items() if prices is not None},
        "long_prompt": _long_prompt(model, day),
        "regional": model.regional,
        "refuses": [
            {
                "operation": operation,
                "parameter": each.parameter,
                "takes": list(each.takes) or None,
                "instead": each.instead,
                "reason": each.reason,
            }
            for each in model.refuses
            for operation in each.operations
        ],
        "roles": [role for role, name in registry.roles.items() if name == model.name],
        "as_of": registry.as_of.isoformat(),
    }


def _long_prompt(model: Model, day: date) -> JSON:
    prices = model.price_list(day=day)
    if prices is None or prices.long_prompt is None:
        return None
    return {"above_tokens": prices.long_prompt.above, "prices": dict(prices.long_prompt.rates)}
