"""One choice of a chat completion: its message and why it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from connector.model import JSON
from connector.sandbox.answers.chat.audio import audio_of
from connector.sandbox.answers.cutting import cut, stops_of
from connector.sandbox.answers.logprobs import token_logprobs
from connector.sandbox.answers.reply import Reply, ToolCall
from connector.sandbox.answers.tokens import count
from connector.sandbox.call import World

__all__ = ["Choice", "choice_of", "limit_of"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A message, the tokens it is taken for and why it ended there."""

    message: dict[str, JSON]
    finish: str
    tokens: int
    logprobs: JSON = None

    def as_document(self, index: int) -> dict[str, JSON]:
        """The choice as the API shows it."""
        return {"index": index, "message": self.message, "logprobs": self.logprobs, "finish_reason": self.finish}


def choice_of(payload: Mapping[str, JSON], reply: Reply, world: World, most: int | None) -> Choice:
    """The reply as a message, cut where the request says."""
    if reply.calls:
        return _calling(payload, reply.calls, world, most)
    if reply.refusal is not None:
        refused: dict[str, JSON] = {"role": "assistant", "content": None, "refusal": reply.refusal, "annotations": []}
        return Choice(refused, "stop", count(reply.refusal))
    text, tokens, ran_out = cut(reply.text, stops_of(payload.get("stop")), most)
    message: dict[str, JSON] = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    choice = Choice(message, "length" if ran_out else "stop", tokens)
    if payload.get("logprobs"):
        entries = token_logprobs(text, payload.get("top_logprobs") or 0)
        choice = replace(choice, logprobs={"content": entries, "refusal": None})
    if "audio" in (payload.get("modalities") or ()):
        spoken = {**message, "content": None, "audio": audio_of(text, payload, world)}
        choice = replace(choice, message=spoken)
    return choice


def limit_of(payload: Mapping[str, JSON]) -> int | None:
    """How many tokens the answer may have, by the newer name or the older one."""
    newer: int | None = payload.get("max_completion_tokens")
    return payload.get("max_tokens") if newer is None else newer


def _calling(payload: Mapping[str, JSON], calls: tuple[ToolCall, ...], world: World, most: int | None) -> Choice:
    """A message that calls tools, in the older form where the tools came in that."""
    ended = [cut(call.arguments, (), most) for call in calls]
    tokens, ran_out = sum(end[1] for end in ended), any(end[2] for end in ended)
    message: dict[str, JSON] = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    if payload.get("functions") and not payload.get("tools"):
        message["function_call"] = {"name": calls[0].name, "arguments": ended[0][0]}
        return Choice(message, "length" if ran_out else "function_call", tokens)
    message["tool_calls"] = [_tool_call(call, end[0], world) for call, end in zip(calls, ended, strict=True)]
    return Choice(message, "length" if ran_out else "tool_calls", tokens)


def _tool_call(call: ToolCall, arguments: str, world: World) -> dict[str, JSON]:
    made = world.new_id("call_")
    if call.custom:
        return {"id": made, "type": "custom", "custom": {"name": call.name, "input": arguments}}
    return {"id": made, "type": "function", "function": {"name": call.name, "arguments": arguments}}
