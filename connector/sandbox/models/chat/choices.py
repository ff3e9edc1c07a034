"""The choices of a chat completion: a message each, and why it ended."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace

from connector.model import JSON, members
from connector.sandbox.backend import Backend
from connector.sandbox.messages import Reply, ToolCall
from connector.sandbox.models.media.sounds import synthesize
from connector.sandbox.models.tokens import build_logprobs, count_tokens, read_stops, truncate

__all__ = ["Choice", "build_choice", "read_token_limit"]

AUDIO_LIFE = 3600
"""Seconds after which a spoken answer expires."""


def build_audio(text: str, payload: Mapping[str, JSON], backend: Backend) -> dict[str, JSON]:
    """Return the audio of a message: a sound of the wanted format, and its transcript."""
    wanted: Mapping[str, JSON] = members(payload.get("audio"))
    data, _ = synthesize(text, str(wanted.get("format", "wav")))
    made: dict[str, JSON] = {"id": backend.new_id("audio_"), "expires_at": int(backend.now()) + AUDIO_LIFE}
    return {**made, "data": base64.b64encode(data).decode(), "transcript": text}


@dataclass(frozen=True, slots=True)
class Choice:
    """A message, its number of tokens, and why it ended."""

    message: dict[str, JSON]
    finish: str
    tokens: int
    logprobs: JSON = None

    def as_document(self, index: int) -> dict[str, JSON]:
        """Return the choice as the API shows it."""
        return {"index": index, "message": self.message, "logprobs": self.logprobs, "finish_reason": self.finish}


def build_choice(payload: Mapping[str, JSON], reply: Reply, backend: Backend, limit: int | None) -> Choice:
    """Return the choice of a reply, cut off at the request's limits."""
    if reply.calls:
        return _build_tool_choice(payload, reply.calls, backend, limit)
    if reply.refusal is not None:
        refused: dict[str, JSON] = {"role": "assistant", "content": None, "refusal": reply.refusal, "annotations": []}
        return Choice(refused, "stop", count_tokens(reply.refusal))
    text, tokens, ran_out = truncate(reply.text, read_stops(payload.get("stop")), limit)
    message: dict[str, JSON] = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    choice = Choice(message, "length" if ran_out else "stop", tokens)
    if payload.get("logprobs"):
        entries = build_logprobs(text, payload.get("top_logprobs") or 0)
        choice = replace(choice, logprobs={"content": entries, "refusal": None})
    if "audio" in (payload.get("modalities") or ()):
        spoken = {**message, "content": None, "audio": build_audio(text, payload, backend)}
        choice = replace(choice, message=spoken)
    return choice


def read_token_limit(payload: Mapping[str, JSON]) -> int | None:
    """Return the limit of tokens, under its newer or its older name."""
    newer: int | None = payload.get("max_completion_tokens")
    return payload.get("max_tokens") if newer is None else newer


def _build_tool_choice(
    payload: Mapping[str, JSON], calls: tuple[ToolCall, ...], backend: Backend, limit: int | None
) -> Choice:
    """Return a message with tool calls, or with a function call where the request uses the older form."""
    ends = [truncate(call.arguments, (), limit) for call in calls]
    tokens, ran_out = sum(end[1] for end in ends), any(end[2] for end in ends)
    message: dict[str, JSON] = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    if payload.get("functions") and not payload.get("tools"):
        message["function_call"] = {"name": calls[0].name, "arguments": ends[0][0]}
        return Choice(message, "length" if ran_out else "function_call", tokens)
    message["tool_calls"] = [_build_tool_call(call, end[0], backend) for call, end in zip(calls, ends, strict=True)]
    return Choice(message, "length" if ran_out else "tool_calls", tokens)


def _build_tool_call(call: ToolCall, arguments: str, backend: Backend) -> dict[str, JSON]:
    made = backend.new_id("call_")
    if call.custom:
        return {"id": made, "type": "custom", "custom": {"name": call.name, "input": arguments}}
    return {"id": made, "type": "function", "function": {"name": call.name, "arguments": arguments}}
