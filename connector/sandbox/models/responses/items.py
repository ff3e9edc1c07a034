"""The input items of a response as the API shows them: each with an id, its content in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON, is_list
from connector.sandbox.backend import Backend
from connector.sandbox.models.tokens import count_content_tokens, count_tokens, get_content_text

__all__ = ["TOOL_OUTPUTS", "count_item_tokens", "find_last_input", "read_items"]

ID_PREFIXES = {
    "message": "msg_", "function_call": "fc_", "function_call_output": "fco_", "reasoning": "rs_", "compaction": "cmp_",
    "custom_tool_call": "ctc_", "custom_tool_call_output": "ctco_",
}  # fmt: skip
TOOL_OUTPUTS = ("function_call_output", "custom_tool_call_output", "computer_call_output", "local_shell_call_output",
           "shell_call_output", "apply_patch_call_output")  # fmt: skip
"""Items that a caller sends after a tool call."""
WITH_STATUS = (*TOOL_OUTPUTS, "function_call", "computer_call", "web_search_call", "file_search_call")
"""Items that have a status."""


def read_items(given: JSON, backend: Backend) -> list[dict[str, JSON]]:
    """Return the input as a list of items without references to earlier ones."""
    if given is None:
        return []
    if isinstance(given, str):
        return [_read_message({"role": "user", "content": given}, backend)]
    return [_read_item(item, backend) for item in given if item.get("type") != "item_reference"]


def find_last_input(items: Sequence[Mapping[str, JSON]]) -> tuple[str, bool]:
    """Return the last text for the model, and whether it is a tool's output."""
    for item in reversed(items):
        if item["type"] == "message" and item["role"] == "user":
            return get_content_text(item["content"]), False
        if item["type"] in TOOL_OUTPUTS:
            return get_content_text(item.get("output")), True
    return (get_content_text(items[-1].get("content")) if items else ""), False


def count_item_tokens(item: Mapping[str, JSON]) -> int:
    """Return the number of tokens of an item."""
    texts = (item.get(name) for name in ("arguments", "input", "output", "encrypted_content"))
    return count_content_tokens(item.get("content")) + sum(
        count_tokens(text) if isinstance(text, str) else count_content_tokens(text) for text in texts
    )


def _read_item(item: Mapping[str, JSON], backend: Backend) -> dict[str, JSON]:
    kind = item.get("type") or "message"
    if kind == "message":
        return _read_message(item, backend)
    made = {"id": item.get("id") or backend.new_id(ID_PREFIXES.get(kind, "item_"))}
    status = {"status": item.get("status") or "completed"} if kind in WITH_STATUS else {}
    return {**item, **made, **status}


def _read_message(item: Mapping[str, JSON], backend: Backend) -> dict[str, JSON]:
    role, content = item["role"], item.get("content")
    parts: Sequence[Mapping[str, JSON]] = (
        content
        if is_list(content)
        else [{"type": "output_text" if role == "assistant" else "input_text", "text": content}]
    )
    head = {"id": item.get("id") or backend.new_id("msg_"), "type": "message", "status": "completed", "role": role}
    return {**head, "content": [_read_part(part) for part in parts]}


def _read_part(part: Mapping[str, JSON]) -> dict[str, JSON]:
    kind = part.get("type")
    if kind == "output_text":
        return {"annotations": [], "logprobs": [], **part}
    return {"detail": "auto", **part} if kind == "input_image" else {**part}
