"""Inspect the body of a call: which models it names, and what it may use."""

from __future__ import annotations

from connector.gateway.body_parser import parse_body
from connector.gateway.body_reader import peek_model
from connector.gateway.call import CallBody, GatewayCall
from connector.gateway.usage import (
    BYTES_PER_FILE_TOKEN,
    UsageEstimate,
    count_characters,
    estimate_usage,
    models_in_path,
)
from connector.request.wire import Body, BytesBody

__all__ = ["check_models_in_path", "inspect", "inspect_whole", "look_at"]


def inspect(call: GatewayCall, body: BytesBody) -> CallBody:
    """Return a body that is all there as it is forwarded; Refusal when its caller may not send it."""
    if call.caller.needs_body(call.method, call.operation, is_costly=call.is_costly):
        return inspect_whole(call, body)
    return look_at(call, body, check_models_in_path(call))


def inspect_whole(call: GatewayCall, body: BytesBody | None) -> CallBody:
    """Return the whole body of a call that counts against a limit or a list of models."""
    parsed = parse_body(call.request, body, is_strict=call.caller.is_strict)
    estimate = estimate_usage(parsed, call.operation, call.path, call.query)
    call.caller.check_models(estimate.models, is_model_needed=call.is_costly)
    return CallBody(body, parsed.payload, estimate)


def check_models_in_path(call: GatewayCall) -> tuple[str, ...]:
    """Return the models that a path names; Refusal for one that its caller may not use."""
    models = tuple(models_in_path(call.operation, call.path))
    call.caller.check_models(models, is_model_needed=False)
    return models


def look_at(call: GatewayCall, body: Body, models: tuple[str, ...]) -> CallBody:
    """Return a body that no limit looks at, with what its beginning shows, and else the models of the path."""
    model, payload = peek_model(body)
    size = body.length or 0
    tokens = size if "json" in body.content_type.lower() else size // BYTES_PER_FILE_TOKEN
    characters = count_characters(call.operation, payload)
    return CallBody(body, payload, UsageEstimate((model,) if model else models, tokens, characters=characters))
