"""A model asked by a process, through the sandbox itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from connector.model import JSON
from connector.shapes import items, members

if TYPE_CHECKING:
    from connector.sandbox.call import World

__all__ = ["Said", "ask"]


class Said(NamedTuple):
    """What a model said, or why it said nothing."""

    text: str
    usage: Mapping[str, int]
    finish_reason: str = "stop"
    error: str = ""


async def ask(world: World, model: str, messages: Sequence[JSON], settings: Mapping[str, JSON] | None = None) -> Said:
    """What a chat completion of these messages says."""
    payload: dict[str, JSON] = {"model": model, "messages": list(messages), **(settings or {})}
    answer = await world.call("POST", "/v1/chat/completions", payload)
    if answer.status != 200:
        error = members(members(answer.body).get("error"))
        return Said("", {}, error=str(error.get("message", f"status {answer.status}")))
    choice = members(items(answer.body["choices"])[0])
    text = members(choice.get("message")).get("content") or ""
    return Said(text, members(answer.body.get("usage")), choice.get("finish_reason", "stop"))
