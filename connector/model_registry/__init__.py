"""What is known of models: kinds, life cycles, prices, and the parameters that they refuse."""

from connector.model_registry.load import default_registry, load_registry
from connector.model_registry.rates import PriceList, Tier
from connector.model_registry.registry import LifeCycle, Model, ModelRegistry, Refusal, current_day, price_change

__all__ = [
    "LifeCycle",
    "Model",
    "ModelRegistry",
    "PriceList",
    "Refusal",
    "Tier",
    "current_day",
    "default_registry",
    "load_registry",
    "price_change",
]
