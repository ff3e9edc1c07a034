"""The response object: the request's parameters, their defaults, the output and its usage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON, members
from connector.sandbox.backend import Backend
from connector.sandbox.models.responses.history import get_conversation_id
from connector.sandbox.models.responses.output import Output
from connector.sandbox.prompt_cache import CacheUse

__all__ = ["build_response", "build_unfinished", "build_usage"]

NO_CACHE = CacheUse()
ECHOED: Mapping[str, JSON] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
}
"""Parameters that are shown as they were given, and their defaults."""
FUNCTION_FIELDS = {"description": None, "parameters": None, "strict": True}
"""Fields that every function is shown with."""


def build_response(payload: Mapping[str, JSON], output: Output, usage: JSON, backend: Backend) -> dict[str, JSON]:
    """Return a finished response."""
    echoed = {name: default if payload.get(name) is None else payload[name] for name, default in ECHOED.items()}
    now = int(backend.now())
    response: dict[str, JSON] = {
        "id": backend.new_id("resp_"),
        "object": "response",
        "created_at": now,
        "status": "incomplete" if output.ran_out else "completed",
        "completed_at": None if output.ran_out else now,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if output.ran_out else None,
        "model": payload.get("model") or "gpt-4.1",
        "output": output.items,
        **echoed,
        "reasoning": {"effort": None, "summary": None, **members(payload.get("reasoning"))},
        "service_tier": _service_tier(payload),
        "text": {"format": {"type": "text"}, "verbosity": "medium", **_without_nulls(payload.get("text"))},
        "tools": _build_tools(payload.get("tools") or ()),
        "usage": usage,
        "metadata": members(payload.get("metadata")),
    }
    given = {name: payload[name] for name in ("background_options",) if payload.get(name)}
    response |= given | _describe_cache(payload)
    conversation = get_conversation_id(payload)
    return {**response, **({"conversation": {"id": conversation}} if conversation else {}), **_user_field(payload)}


def _describe_cache(payload: Mapping[str, JSON]) -> dict[str, JSON]:
    options = members(payload.get("prompt_cache_options"))
    shown = {"mode": options.get("mode") or "implicit", "ttl": options.get("ttl") or "30m"}
    return {"prompt_cache_options": shown} if options else {}


def build_unfinished(response: Mapping[str, JSON], status: str) -> dict[str, JSON]:
    """Return a response as it is before its output."""
    begun = {name: value for name, value in response.items() if name not in ("usage", "moderation")}
    return {**begun, "status": status, "completed_at": None, "incomplete_details": None, "output": []}


def build_usage(
    input_tokens: int, output_tokens: int, reasoning_tokens: int, cache: CacheUse = NO_CACHE
) -> dict[str, JSON]:
    """Return the usage of a response."""
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": cache.read, "cache_write_tokens": cache.written},
        "output_tokens": output_tokens + reasoning_tokens,
        "output_tokens_details": {"reasoning_tokens": reasoning_tokens},
        "total_tokens": input_tokens + output_tokens + reasoning_tokens,
    }


def _service_tier(payload: Mapping[str, JSON]) -> str:
    tier = payload.get("service_tier") or "auto"
    return "default" if tier == "auto" else str(tier)


def _without_nulls(part: Mapping[str, JSON] | None) -> dict[str, JSON]:
    return {name: value for name, value in (part or {}).items() if value is not None}


def _build_tools(tools: Sequence[Mapping[str, JSON]]) -> list[dict[str, JSON]]:
    return [{**(FUNCTION_FIELDS if tool["type"] == "function" else {}), **tool} for tool in tools]


def _user_field(payload: Mapping[str, JSON]) -> dict[str, JSON]:
    return {"user": payload["user"]} if payload.get("user") else {}
