"""Models that no longer answer, and parameters that models refuse: answered as the API does."""

from __future__ import annotations

from collections.abc import Mapping

from connector.model import JSON, is_object
from connector.model_registry import LifeCycle, Refusal
from connector.sandbox.backend import Backend
from connector.sandbox.messages import ApiError, Request

__all__ = ["check_model"]

DEPRECATIONS = "https://platform.openai.com/docs/deprecations"
USES_MODEL = "tokens"


def check_model(request: Request, backend: Backend) -> None:
    """Raise ApiError where the request's model has been shut down, or refuses one of its parameters."""
    payload = request.payload
    name = payload.get("model") if is_object(payload) else None
    operation = request.operation
    if operation.removed or operation.cost != USES_MODEL or not isinstance(name, str) or backend.options.lenient:
        return
    model = backend.registry.find(name)
    if model is None or not is_object(payload):
        return
    if model.life_cycle(backend.today()) is LifeCycle.RETIRED:
        message = f"The model `{name}` has been deprecated, learn more here: {DEPRECATIONS}"
        raise ApiError(404, message, code="model_not_found")
    for refusal in model.refusals(request.operation.name):
        if refusal.concerns(payload):
            raise _make_refusal(refusal, payload)


def _make_refusal(refusal: Refusal, payload: Mapping[str, JSON]) -> ApiError:
    name, value = refusal.parameter, refusal.value_in(payload)
    if refusal.takes or refusal.allowed:
        shown = f"'{value}'" if isinstance(value, str) else value
        only = f"Only the default ({refusal.allowed[0]}) value is supported." if refusal.allowed else ""
        supported = only or f"Supported values are: {', '.join(repr(each) for each in refusal.takes)}."
        message = f"Unsupported value: '{name}' does not support {shown} with this model. {supported}"
        return ApiError(400, message, param=name, code="unsupported_value")
    use = f" Use '{refusal.instead}' instead." if refusal.instead else ""
    message = f"Unsupported parameter: '{name}' is not supported with this model.{use}"
    return ApiError(400, message, param=name, code="unsupported_parameter")
