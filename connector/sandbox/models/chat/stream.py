"""A chat completion as the chunks of a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connector.model import JSON, items, members
from connector.sandbox.messages import Event
from connector.sandbox.models.chat.choices import Choice
from connector.sandbox.models.tokens import split_tokens

__all__ = ["stream_chunks"]

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
