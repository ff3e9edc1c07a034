"""The prompt of a chat completion, read from its payload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON, is_document, members
from connector.sandbox.messages import ApiError
from connector.sandbox.models.reply import Prompt, Tool
from connector.sandbox.models.tokens import count_content_tokens, count_tokens, get_content_text

__all__ = ["count_prompt_tokens", "read_prompt"]

PROMPT_ROLES = ("user", "tool", "function")


def read_prompt(payload: Mapping[str, JSON]) -> Prompt:
    """Return the prompt; raise ApiError for a tool choice that is not among the tools."""
    messages: Sequence[Mapping[str, JSON]] = payload["messages"]
    last = next((one for one in reversed(messages) if one["role"] in PROMPT_ROLES), messages[-1] if messages else {})
    text = get_content_text(last.get("content"))
    if not (payload.get("tools") or payload.get("functions") or payload.get("response_format")):
        return Prompt(text)
    tools, must_call = _read_tools(payload)
    wanted: Mapping[str, JSON] = members(payload.get("response_format"))
    is_json = wanted.get("type") == "json_object"
    if is_json:
        _check_json_mentioned(messages)
    schema = wanted["json_schema"].get("schema") or {"type": "object"} if wanted.get("type") == "json_schema" else None
    parallel = payload.get("parallel_tool_calls") is not False
    return Prompt(text, last.get("role") in PROMPT_ROLES[1:], tools, must_call, parallel, schema, is_json)


def count_prompt_tokens(payload: Mapping[str, JSON]) -> int:
    """Return the number of tokens of the messages."""
    total = 0
    for message in payload["messages"]:
        total += count_content_tokens(message.get("content"))
        for called in message.get("tool_calls") or ():
            part: Mapping[str, JSON] = called.get("function") or called.get("custom") or {}
            total += count_tokens(str(part.get("arguments") or part.get("input") or ""))
    return total


def _read_tools(payload: Mapping[str, JSON]) -> tuple[Sequence[Tool], bool]:
    """Return the tools that may be called, and whether one must be."""
    declared = [_read_tool(tool) for tool in payload.get("tools") or payload.get("functions") or ()]
    param = "tool_choice" if payload.get("tools") else "function_call"
    choice = payload.get(param)
    if not is_document(choice):
        return (() if choice == "none" else declared), choice == "required"
    if choice.get("type") == "allowed_tools":
        allowed: Mapping[str, JSON] = choice["allowed_tools"]
        names = [_read_tool(tool).name for tool in allowed["tools"]]
        return _select_tools(names, declared, param), allowed.get("mode") == "required"
    return _select_tools([_read_tool(choice).name], declared, param), True


def _read_tool(declared: Mapping[str, JSON]) -> Tool:
    """Return a tool of either list of tools, or of either form of a choice."""
    custom = declared.get("type") == "custom"
    part: Mapping[str, JSON] = declared.get("custom" if custom else "function") or declared
    return Tool(str(part.get("name", "")), part.get("parameters"), custom)


def _select_tools(names: Sequence[str], declared: Sequence[Tool], param: str) -> Sequence[Tool]:
    missing = next((name for name in names if name not in [tool.name for tool in declared]), None)
    if missing is not None:
        raise ApiError(400, f"Tool choice '{missing}' not found in 'tools' parameter.", param=param)
    return [tool for tool in declared if tool.name in names]


def _check_json_mentioned(messages: Sequence[Mapping[str, JSON]]) -> None:
    if not any("json" in get_content_text(message.get("content")).casefold() for message in messages):
        message = (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        )
        raise ApiError(400, message, param="messages")
