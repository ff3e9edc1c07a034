"""Models: well-known names, and those that were fine-tuned here."""

from __future__ import annotations

from collections.abc import Mapping

from connector.model import JSON
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, ApiError, Request

__all__ = ["HANDLERS", "TUNED", "model_exists"]

TUNED = "models"
"""Fine-tuned models, by name."""
CREATED = 1735689600
MODELS = (
    "gpt-5.1", "gpt-5", "gpt-5-2025-08-07", "gpt-5-mini", "gpt-5-mini-2025-08-07", "gpt-5-nano",
    "gpt-5-nano-2025-08-07", "gpt-5-pro", "gpt-5-codex", "gpt-5-chat-latest", "gpt-4.1", "gpt-4.1-2025-04-14",
    "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "gpt-4.1-nano", "gpt-4.1-nano-2025-04-14", "gpt-4o",
    "gpt-4o-2024-08-06", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", "gpt-4o-audio-preview", "gpt-4-turbo", "gpt-4",
    "gpt-3.5-turbo", "gpt-3.5-turbo-0125", "gpt-3.5-turbo-instruct", "o1", "o1-pro", "o3", "o3-mini", "o3-pro",
    "o4-mini", "o4-mini-2025-04-16", "babbage-002", "davinci-002", "computer-use-preview", "gpt-realtime",
    "gpt-realtime-mini", "gpt-audio", "gpt-image-1", "gpt-image-1-mini", "dall-e-2", "dall-e-3", "sora-2",
    "sora-2-pro", "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize", "tts-1",
    "tts-1-hd", "gpt-4o-mini-tts", "text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002",
    "omni-moderation-latest", "omni-moderation-2024-09-26", "text-moderation-latest",
)  # fmt: skip


def model_exists(backend: Backend, model: str) -> bool:
    """Return whether a model exists."""
    return model in MODELS or backend.objects.get(TUNED, model) is not None


def list_models(_request: Request, backend: Backend) -> Answer:
    known = [_build_model(model) for model in MODELS]
    return Answer({"object": "list", "data": [*known, *backend.objects.all(TUNED)]})


def retrieve_model(request: Request, backend: Backend) -> Answer:
    model = request.path["model"]
    tuned = backend.objects.get(TUNED, model)
    if tuned is None and model not in MODELS and not backend.options.lenient:
        raise _model_not_found(model)
    return Answer(tuned or _build_model(model))


def delete_model(request: Request, backend: Backend) -> Answer:
    model = request.path["model"]
    if not backend.objects.delete(TUNED, model) and not backend.options.lenient:
        if model in MODELS:
            message = f"The model '{model}' is not one of yours; only fine-tuned models can be deleted."
            raise ApiError(403, message, type="insufficient_permissions")
        raise _model_not_found(model)
    return Answer({"id": model, "object": "model", "deleted": True})


def _build_model(model: str) -> dict[str, JSON]:
    return {"id": model, "object": "model", "created": CREATED, "owned_by": "system"}


def _model_not_found(model: str) -> ApiError:
    message = f"The model '{model}' does not exist or you do not have access to it."
    return ApiError(404, message, param="model", code="model_not_found")


HANDLERS: Mapping[str, Handler] = {
    "GET /models": list_models,
    "GET /models/{model}": retrieve_model,
    "DELETE /models/{model}": delete_model,
}
