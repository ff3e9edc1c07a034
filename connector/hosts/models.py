"""The models that a form offers: those that live on the day, a retiring one with the day on which it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from connector.catalogue.operation import Operation
from connector.model_registry import LifeCycle, ModelRegistry

__all__ = ["default_model", "living_models"]

ROLES = {
    "chat completions": "text", "responses": "text", "image generations": "image", "image edits": "image",
    "images": "image", "audio speech": "speech", "realtime": "realtime",
    "audio transcriptions": "transcription", "embeddings": "embedding", "moderations": "moderation",
}  # fmt: skip
"""The role of the default model of an entity's operations."""
ENDPOINTS = {"image generations": "images", "image edits": "images", "image variations": "images"}
"""What the registry calls an entity, where it has another name for it."""


def living_models(registry: ModelRegistry, operation: Operation, named: Sequence[str], day: date) -> dict[str, str]:
    """Return the models that an operation takes and that are not retired, by name, each with what is shown of it.

    Args:
        named: the models that the operation's schema names.
    """
    endpoint = ENDPOINTS.get(operation.entity, operation.entity)
    own = [one.name for one in registry if endpoint in one.endpoints and not one.name.startswith("ft:")]
    found: dict[str, str] = {}
    for name in dict.fromkeys((*own, *named)):
        model = registry.find(name)
        life = model.life_cycle(day) if model is not None else LifeCycle.ACTIVE
        if life is not LifeCycle.RETIRED:
            ends = f" (retires {model.shutdown})" if model is not None and life is LifeCycle.RETIRES else ""
            found[name] = f"{name}{ends}"
    return found


def default_model(registry: ModelRegistry, operation: Operation, offered: Sequence[str]) -> str:
    """Return the model that is chosen at first; the first one where none of the operation's role is offered."""
    role = ROLES.get(operation.entity)
    name = registry.default(role) if role is not None else ""
    return name if name in offered else next(iter(offered), "")
