"""What spans of calls say, in the words of OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.documents import dump
from connector.errors import InvalidDocument
from connector.model import JSON, Outcome, members
from connector.observing.prices import Cost

__all__ = ["Told", "answered", "asked", "kind_of", "model_asked", "span_name"]

Told = dict[str, str | int | float | bool | None]

KINDS: Mapping[str, str] = {
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
SENT = ("messages", "input", "prompt")
CAME = ("choices", "output", "data")
MOST = 16 * 1024
"""Characters of a body that a span holds, when it holds bodies."""


def kind_of(method: str, path: str, operation: str) -> str:
    """The conventions' name of what is done, where they have one; else the operation's."""
    known = KINDS.get(path.split("?", maxsplit=1)[0].removeprefix("/v1")) if method == "POST" else None
    return known or operation


def span_name(kind: str, payload: JSON) -> str:
    """The conventions' name of a span: what is done, with which model."""
    model = model_asked(payload)
    return f"{kind} {model}" if model else kind


def model_asked(payload: JSON) -> str:
    """The model that a request asks for; empty when it names none."""
    return _text(members(payload).get("model")) or ""


def asked(kind: str, client: str, payload: JSON, redact: Callable[[str], str] | None = None) -> Told:
    """What is known before a call.

    Args:
        kind: what is done.
        client: whom it goes through.
        payload: what is sent.
        redact: what hides secrets; given when bodies are told too.
    """
    sent = members(payload)
    told: Told = {
        "gen_ai.operation.name": kind,
        "gen_ai.provider.name": "openai",
        "connector.client": client,
        "gen_ai.request.model": _text(sent.get("model")),
        "gen_ai.openai.request.service_tier": _text(sent.get("service_tier")),
        "gen_ai.request.stream": True if sent.get("stream") is True else None,
    }
    told |= {attribute: _number(sent[name]) for name, attribute in NUMBERS.items() if name in sent}
    return told | _bodies("gen_ai.input.messages", sent, SENT, redact)


def answered(outcome: Outcome, cost: Cost, redact: Callable[[str], str] | None = None) -> Told:
    """What is known after a call."""
    body, usage = members(outcome.body), cost.usage
    told: Told = {
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
        told |= {
            "gen_ai.usage.input_tokens": usage.input,
            "gen_ai.usage.cache_read.input_tokens": usage.cached or None,
            "gen_ai.usage.output_tokens": usage.output,
            "gen_ai.usage.reasoning.output_tokens": usage.reasoning or None,
        }
    return told | _bodies("gen_ai.output.messages", body, CAME, redact)


def _bodies(
    attribute: str, body: Mapping[str, JSON], names: tuple[str, ...], redact: Callable[[str], str] | None
) -> Told:
    """The part of a body that is worth reading, when bodies are told."""
    part = next((body[name] for name in names if name in body), None)
    if redact is None or part is None:
        return {}
    try:
        return {attribute: redact(dump(part).decode())[:MOST]}
    except InvalidDocument:  # files among it
        return {}


def _text(value: JSON) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: JSON) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
