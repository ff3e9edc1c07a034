"""Models: well-known names, and those that were fine-tuned here."""

from __future__ import annotations

from collections.abc import Mapping

from connector.model import JSON
from connector.model_registry import LifeCycle, Model
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, ApiError, Request

__all__ = ["HANDLERS", "TUNED", "model_exists"]

TUNED = "models"
"""Fine-tuned models, by name."""
CREATED = 1735689600


def model_exists(backend: Backend, model: str) -> bool:
    """Return whether a model exists."""
    return _is_listed(backend, model) or backend.objects.get(TUNED, model) is not None


def list_models(_request: Request, backend: Backend) -> Answer:
    known = [
        _build_model(model, name) for model in backend.registry for name in _names(model) if _lives(backend, model)
    ]
    return Answer({"object": "list", "data": [*known, *backend.objects.all(TUNED)]})


def retrieve_model(request: Request, backend: Backend) -> Answer:
    name = request.path["model"]
    tuned = backend.objects.get(TUNED, name)
    if tuned is None and not _is_listed(backend, name) and not backend.options.lenient:
        raise _model_not_found(name)
    return Answer(tuned or _build_model(backend.registry.find(name), name))


def delete_model(request: Request, backend: Backend) -> Answer:
    model = request.path["model"]
    if not backend.objects.delete(TUNED, model) and not backend.options.lenient:
        if _is_listed(backend, model):
            message = f"The model '{model}' is not one of yours; only fine-tuned models can be deleted."
            raise ApiError(403, message, type="insufficient_permissions")
        raise _model_not_found(model)
    return Answer({"id": model, "object": "model", "deleted": True})


def _is_listed(backend: Backend, name: str) -> bool:
    model = backend.registry.find(name)
    return model is not None and not name.startswith("ft:") and _lives(backend, model)


def _lives(backend: Backend, model: Model) -> bool:
    return model.life_cycle(backend.today()) is not LifeCycle.RETIRED


def _names(model: Model) -> list[str]:
    """Return a model's names that can be called: no price family of fine-tuned models, and no pattern."""
    names = (model.name, *model.aliases)
    return [name for name in names if not name.startswith("ft:") and not name.endswith("*") and model.kind != "other"]


def _build_model(model: Model | None, name: str) -> dict[str, JSON]:
    shutdown = model.shutdown.isoformat() if model is not None and model.shutdown is not None else None
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "system", "shutdown_date": shutdown}


def _model_not_found(model: str) -> ApiError:
    message = f"The model '{model}' does not exist or you do not have access to it."
    return ApiError(404, message, param="model", code="model_not_found")


HANDLERS: Mapping[str, Handler] = {
    "GET /models": list_models,
    "GET /models/{model}": retrieve_model,
    "DELETE /models/{model}": delete_model,
}
