"""Attributes of calls' spans, by OpenTelemetry's semantic conventions for generative AI."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.documents import dump
from connector.errors import InvalidDocument
from connector.model import JSON, Outcome, members
from connector.telemetry.costs import Cost

__all__ = ["Values", "describe_outcome", "describe_request", "name_operation"]

Values = dict[str, str | int | float | bool | None]

OPERATIONS: Mapping[str, str] = {
    "/chat/completions": "chat",
    "/responses": "chat",
    "/completions": "text_completion",
    "/embeddings": "embeddings",
    "/images/generations": "generate_content",
    "/images/edits": "generate_content",
    "/audio/speech": "generate_content",
    "/videos": "generate_content",
}
NUMBERS = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "n": "gen_ai.request.choice.count",
    "seed": "gen_ai.request.seed",
}
REQUEST_KEYS = ("messages", "input", "prompt")
ANSWER_KEYS = ("choices", "output", "data")
MAX_BODY = 16 * 1024
"""Characters of a body that a span holds, when it holds bodies."""


def name_operation(method: str, path: str, operation: str) -> str:
    """Return the conventions' name of an operation, or its own where they have none."""
    known = OPERATIONS.get(path.split("?", maxsplit=1)[0].removeprefix("/v1")) if method == "POST" else None
    return known or operation


def describe_request(kind: str, client: str, payload: JSON, redact: Callable[[str], str] | None = None) -> Values:
    """Return the attributes of a request.

    Args:
        kind: the conventions' name of the operation.
        client: the client that makes the call.
        payload: what is sent.
        redact: hides secrets; given when spans hold bodies.
    """
    sent = members(payload)
    values: Values = {
        "gen_ai.operation.name": kind,
        "gen_ai.provider.name": "openai",
        "connector.client": client,
        "gen_ai.request.model": _text(sent.get("model")),
        "gen_ai.openai.request.service_tier": _text(sent.get("service_tier")),
        "gen_ai.request.stream": True if sent.get("stream") is True else None,
    }
    values |= {attribute: _number(sent[name]) for name, attribute in NUMBERS.items() if name in sent}
    return values | _describe_body("gen_ai.input.messages", sent, REQUEST_KEYS, redact)


def describe_outcome(outcome: Outcome, cost: Cost, redact: Callable[[str], str] | None = None) -> Values:
    """Return the attributes of an outcome and its cost."""
    body, usage = members(outcome.body), cost.usage
    values: Values = {
        "connector.outcome": outcome.state.value,
        "connector.attempts": len(outcome.attempts) or None,
        "http.response.status_code": outcome.status,
        "connector.request_id": outcome.request_id,
        "gen_ai.response.id": _text(body.get("id")),
        "gen_ai.response.model": _text(body.get("model")),
        "gen_ai.openai.response.service_tier": _text(body.get("service_tier")),
        "error.type": None if outcome.ok else str(outcome.status or outcome.state.value),
        "connector.cost": cost.amount,
        "connector.cost.currency": None if cost.amount is None else cost.currency,
    }
    if usage:
        values |= {
            "gen_ai.usage.input_tokens": usage.input,
            "gen_ai.usage.cache_read.input_tokens": usage.cached or None,
            "gen_ai.usage.output_tokens": usage.output,
            "gen_ai.usage.reasoning.output_tokens": usage.reasoning or None,
        }
    return values | _describe_body("gen_ai.output.messages", body, ANSWER_KEYS, redact)


def _describe_body(
    attribute: str, body: Mapping[str, JSON], names: tuple[str, ...], redact: Callable[[str], str] | None
) -> Values:
    """Return the part of a body that is worth reading, when spans hold bodies."""
    part = next((body[name] for name in names if name in body), None)
    if redact is None or part is None:
        return {}
    try:
        return {attribute: redact(dump(part).decode())[:MAX_BODY]}
    except InvalidDocument:  # it holds files
        return {}


def _text(value: JSON) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: JSON) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
