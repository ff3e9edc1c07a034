"""The items of an input, as the API shows them again: each with an id, contents always as parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON, is_list
from connector.sandbox.answers.said import content_text, content_tokens
from connector.sandbox.answers.tokens import count
from connector.sandbox.call import World

__all__ = ["ANSWERS", "item_tokens", "items_of", "said_in"]

PREFIXES = {
    "message": "msg_", "function_call": "fc_", "function_call_output": "fco_", "reasoning": "rs_", "compaction": "cmp_",
    "custom_tool_call": "ctc_", "custom_tool_call_output": "ctco_",
}  # fmt: skip
ANSWERS = ("function_call_output", "custom_tool_call_output", "computer_call_output", "local_shell_call_output",
           "shell_call_output", "apply_patch_call_output")  # fmt: skip
"""What a caller gives back after it was asked to do something."""
DONE = (*ANSWERS, "function_call", "computer_call", "web_search_call", "file_search_call")
"""Items that tell how far they are."""


def items_of(given: JSON, world: World) -> list[dict[str, JSON]]:
    """The input as a list of items; one that only names an earlier item is left out."""
    if given is None:
        return []
    if isinstance(given, str):
        return [_message({"role": "user", "content": given}, world)]
    return [_item(item, world) for item in given if item.get("type") != "item_reference"]


def said_in(items: Sequence[Mapping[str, JSON]]) -> tuple[str, bool]:
    """What was said last to the model, and whether it is a tool's result."""
    for item in reversed(items):
        if item["type"] == "message" and item["role"] == "user":
            return content_text(item["content"]), False
        if item["type"] in ANSWERS:
            return content_text(item.get("output")), True
    return (content_text(items[-1].get("content")) if items else ""), False


def item_tokens(item: Mapping[str, JSON]) -> int:
    """How many tokens an item is taken for."""
    texts = (item.get(name) for name in ("arguments", "input", "output", "encrypted_content"))
    return content_tokens(item.get("content")) + sum(
        count(text) if isinstance(text, str) else content_tokens(text) for text in texts
    )


def _item(item: Mapping[str, JSON], world: World) -> dict[str, JSON]:
    kind = item.get("type") or "message"
    if kind == "message":
        return _message(item, world)
    made = {"id": item.get("id") or world.new_id(PREFIXES.get(kind, "item_"))}
    status = {"status": item.get("status") or "completed"} if kind in DONE else {}
    return {**item, **made, **status}


def _message(item: Mapping[str, JSON], world: World) -> dict[str, JSON]:
    role, content = item["role"], item.get("content")
    parts: Sequence[Mapping[str, JSON]] = (
        content
        if is_list(content)
        else [{"type": "output_text" if role == "assistant" else "input_text", "text": content}]
    )
    head = {"id": item.get("id") or world.new_id("msg_"), "type": "message", "status": "completed", "role": role}
    return {**head, "content": [_part(part) for part in parts]}


def _part(part: Mapping[str, JSON]) -> dict[str, JSON]:
    kind = part.get("type")
    if kind == "output_text":
        return {"annotations": [], "logprobs": [], **part}
    return {"detail": "auto", **part} if kind == "input_image" else {**part}
