"""A reply as the items of a response's output."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.model import JSON
from connector.sandbox.answers.cutting import cut
from connector.sandbox.answers.logprobs import token_logprobs
from connector.sandbox.answers.reply import Reply, ToolCall
from connector.sandbox.answers.tokens import count
from connector.sandbox.call import World
from connector.shapes import members

__all__ = ["Output", "output_of", "thought_item"]


@dataclass(frozen=True, slots=True)
class Output:
    """Items, the tokens they are taken for, and whether tokens ran out."""

    items: list[dict[str, JSON]]
    tokens: int
    ran_out: bool = False


def output_of(
    payload: Mapping[str, JSON], reply: Reply, world: World, most: int | None, annotations: Sequence[JSON] = ()
) -> Output:
    """The items that say the reply, cut where the request says."""
    if reply.calls:
        return _calling(reply.calls, world, most)
    if reply.refusal is not None:
        refused = {"type": "refusal", "refusal": reply.refusal}
        return Output([_message(refused, world)], count(reply.refusal))
    text, tokens, ran_out = cut(reply.text, (), most)
    kept: Sequence[JSON] = () if ran_out else annotations
    part: dict[str, JSON] = {"type": "output_text", "text": text, "annotations": list(kept), "logprobs": []}
    if "message.output_text.logprobs" in (payload.get("include") or ()) or payload.get("top_logprobs"):
        part["logprobs"] = token_logprobs(text, payload.get("top_logprobs") or 0)
    return Output([_message(part, world, "incomplete" if ran_out else "completed")], tokens, ran_out)


def thought_item(payload: Mapping[str, JSON], said: str, world: World) -> dict[str, JSON]:
    """The item that a model leaves which thought first; what it thought is told only when that is asked for."""
    reasoning: Mapping[str, JSON] = members(payload.get("reasoning"))
    wanted = reasoning.get("summary") or reasoning.get("generate_summary")
    summary = [{"type": "summary_text", "text": f"The request says: {said[:200]}"}] if wanted else []
    item: dict[str, JSON] = {"id": world.new_id("rs_"), "type": "reasoning", "summary": summary}
    if "reasoning.encrypted_content" in (payload.get("include") or ()):
        item["encrypted_content"] = base64.b64encode(said[:200].encode()).decode()
    return item


def _message(part: Mapping[str, JSON], world: World, status: str = "completed") -> dict[str, JSON]:
    head = {"id": world.new_id("msg_"), "type": "message", "status": status, "role": "assistant"}
    return {**head, "content": [part]}


def _calling(calls: Sequence[ToolCall], world: World, most: int | None) -> Output:
    ended = [cut(call.arguments, (), most) for call in calls]
    ran_out = any(end[2] for end in ended)
    items = [_call(call, end[0], world) for call, end in zip(calls, ended, strict=True)]
    return Output(items, sum(end[1] for end in ended), ran_out)


def _call(call: ToolCall, arguments: str, world: World) -> dict[str, JSON]:
    called: dict[str, JSON] = {"call_id": world.new_id("call_"), "name": call.name}
    if call.custom:
        return {"id": world.new_id("ctc_"), "type": "custom_tool_call", **called, "input": arguments}
    head = {"id": world.new_id("fc_"), "type": "function_call", "status": "completed"}
    return {**head, **called, "arguments": arguments}
