"""The sample of one item: what a model says to it, or what came with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON, is_list
from connector.sandbox.processes.graders.asking import Said, ask
from connector.sandbox.processes.graders.templates import Unknown, messages_of
from connector.shapes import members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import World

__all__ = ["sampled"]

SETTINGS = ("temperature", "top_p", "seed", "max_completion_tokens", "response_format", "tools", "reasoning_effort")


async def sampled(world: World, source: Mapping[str, Any], row: Mapping[str, JSON]) -> dict[str, JSON]:
    """The sample in the form of an output item."""
    model = source.get("model")
    known = members(row.get("sample"))
    if model is None:
        text = known.get("output_text", "")
        return _sample([], Said(text, {}), known.get("model") or "", {})
    settings = {name: value for name, value in members(source.get("sampling_params")).items() if name in SETTINGS}
    try:
        messages = _messages(source.get("input_messages"), row["item"])
        said = await ask(world, model, messages, settings)
    except Unknown as reason:
        messages, said = [], Said("", {}, error=str(reason))
    return _sample(messages, said, model, settings)


def _messages(wanted: JSON, item: JSON) -> list[dict[str, JSON]]:
    """The messages of a template, or those that stand in the item where a reference says."""
    asked = members(wanted)
    if asked.get("type") == "template":
        return messages_of(asked["template"], {"item": item})
    value: JSON = {"item": item}
    for key in str(asked.get("item_reference") or "item.input").split("."):
        value = members(value).get(key)
    if is_list(value):
        return messages_of(value, {})
    if value is None:
        raise Unknown(f"the item has nothing at '{asked.get('item_reference')}'")
    return [{"role": "user", "content": str(value)}]


def _sample(messages: list[dict[str, JSON]], said: Said, model: str, settings: Mapping[str, JSON]) -> dict[str, JSON]:
    usage = {name: said.usage.get(name, 0) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    sample: dict[str, JSON] = {"input": messages, "output": [{"role": "assistant", "content": said.text}]}
    sample |= {"finish_reason": said.finish_reason, "model": model, "usage": {**usage, "cached_tokens": 0}}
    sample |= {"error": {"code": "server_error" if said.error else "", "message": said.error}}
    sample |= {"temperature": settings.get("temperature", 1), "top_p": settings.get("top_p", 1)}
    limit = settings.get("max_completion_tokens", 2048)
    return {**sample, "seed": settings.get("seed", 42), "max_completion_tokens": limit}
