"""The choices of a chat completion, whole and as a stream of chunks."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.model import JSON, items, members
from connector.sandbox.backend import Backend
from connector.sandbox.messages import Event, Reply, ToolCall
from connector.sandbox.models.media.sounds import synthesize
from connector.sandbox.models.tokens import build_logprobs, count_tokens, read_stops, split_tokens, truncate

__all__ = ["Choice", "build_choice", "read_token_limit", "stream_chunks"]

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


DONE = "[DONE]"
AUDIO_BLOCK = 4096
"""Characters of base64 in a chunk of audio."""


def stream_chunks(completion: Mapping[str, JSON], choices: Sequence[Choice], *, with_usage: bool) -> Iterator[Event]:
    """Yield the chunks of a completion, and `[DONE]`."""
    head = {name: completion[name] for name in ("id", "created", "model", "service_tier", "system_fingerprint")}
    frame: dict[str, JSON] = {**head, "object": "chat.completion.chunk"} | ({"usage": None} if with_usage else {})
    for index, choice in enumerate(choices):
        for delta, finish, logprobs in _deltas(choice):
            part = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
            yield Event({**frame, "choices": [part]})
    if with_usage:
        yield Event({**frame, "choices": [], "usage": completion["usage"]})
    yield Event(DONE)


Delta = tuple[dict[str, JSON], str | None, JSON]


def _deltas(choice: Choice) -> Iterator[Delta]:
    message = choice.message
    if "tool_calls" in message:
        yield from _tool_deltas(message["tool_calls"])
    elif "function_call" in message:
        called: Mapping[str, JSON] = message["function_call"]
        yield {"role": "assistant", "content": None, "function_call": {**called, "arguments": ""}}, None, None
        for piece in split_tokens(called["arguments"]):
            yield {"function_call": {"arguments": piece}}, None, None
    elif message.get("audio"):
        yield from _audio_deltas(message["audio"])
    else:
        yield from _text_deltas(choice)
    yield {}, choice.finish, None


def _text_deltas(choice: Choice) -> Iterator[Delta]:
    refused = choice.message["content"] is None
    field = "refusal" if refused else "content"
    first: dict[str, JSON] = {
        "role": "assistant",
        "content": None if refused else "",
        "refusal": "" if refused else None,
    }
    yield first, None, None
    entries: Sequence[JSON] = items(members(choice.logprobs).get("content"))
    for index, piece in enumerate(split_tokens(choice.message[field])):
        logprobs = {"content": [entries[index]], "refusal": None} if entries else None
        yield {field: piece}, None, logprobs


def _tool_deltas(calls: Sequence[Mapping[str, JSON]]) -> Iterator[Delta]:
    for index, call in enumerate(calls):
        kind = call["type"]
        field = "input" if kind == "custom" else "arguments"
        opened = {"index": index, "id": call["id"], "type": kind, kind: {**call[kind], field: ""}}
        start: dict[str, JSON] = {} if index else {"role": "assistant", "content": None, "refusal": None}
        yield {**start, "tool_calls": [opened]}, None, None
        for piece in split_tokens(call[kind][field]):
            yield {"tool_calls": [{"index": index, kind: {field: piece}}]}, None, None


def _audio_deltas(audio: Mapping[str, JSON]) -> Iterator[Delta]:
    yield {"role": "assistant", "content": None, "refusal": None, "audio": {"id": audio["id"]}}, None, None
    for piece in split_tokens(audio["transcript"]):
        yield {"audio": {"transcript": piece}}, None, None
    for start in range(0, len(audio["data"]), AUDIO_BLOCK):
        yield {"audio": {"data": audio["data"][start : start + AUDIO_BLOCK]}}, None, None
    yield {"audio": {"expires_at": audio["expires_at"]}}, None, None
