"""What a chat completion's payload asks of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON, is_document
from connector.sandbox.answers.reply import Ask, Tool
from connector.sandbox.answers.said import content_text, content_tokens
from connector.sandbox.answers.tokens import count
from connector.sandbox.call import Refused
from connector.shapes import members

__all__ = ["ask_of", "prompt_tokens"]

HEARD = ("user", "tool", "function")


def ask_of(payload: Mapping[str, JSON]) -> Ask:
    """What is asked; a tool that is to be called and is not there is refused, as the API does."""
    messages: Sequence[Mapping[str, JSON]] = payload["messages"]
    last = next((one for one in reversed(messages) if one["role"] in HEARD), messages[-1] if messages else {})
    said = content_text(last.get("content"))
    if not (payload.get("tools") or payload.get("functions") or payload.get("response_format")):
        return Ask(said)
    tools, must = _tools(payload)
    wanted: Mapping[str, JSON] = members(payload.get("response_format"))
    is_json = wanted.get("type") == "json_object"
    if is_json:
        _check_json_is_named(messages)
    schema = wanted["json_schema"].get("schema") or {"type": "object"} if wanted.get("type") == "json_schema" else None
    parallel = payload.get("parallel_tool_calls") is not False
    return Ask(said, last.get("role") in HEARD[1:], tools, must, parallel, schema, is_json)


def prompt_tokens(payload: Mapping[str, JSON]) -> int:
    """How many tokens the messages are taken for."""
    total = 0
    for message in payload["messages"]:
        total += content_tokens(message.get("content"))
        for called in message.get("tool_calls") or ():
            part: Mapping[str, JSON] = called.get("function") or called.get("custom") or {}
            total += count(str(part.get("arguments") or part.get("input") or ""))
    return total


def _tools(payload: Mapping[str, JSON]) -> tuple[Sequence[Tool], bool]:
    """The tools that may be called now, and whether one has to be."""
    declared = [_tool(tool) for tool in payload.get("tools") or payload.get("functions") or ()]
    param = "tool_choice" if payload.get("tools") else "function_call"
    choice = payload.get(param)
    if not is_document(choice):
        return (() if choice == "none" else declared), choice == "required"
    if choice.get("type") == "allowed_tools":
        allowed: Mapping[str, JSON] = choice["allowed_tools"]
        names = [_tool(tool).name for tool in allowed["tools"]]
        return _named(names, declared, param), allowed.get("mode") == "required"
    return _named([_tool(choice).name], declared, param), True


def _tool(declared: Mapping[str, JSON]) -> Tool:
    """A tool of the list of tools, a function of the older list, or the choice of either."""
    custom = declared.get("type") == "custom"
    part: Mapping[str, JSON] = declared.get("custom" if custom else "function") or declared
    return Tool(str(part.get("name", "")), part.get("parameters"), custom)


def _named(names: Sequence[str], declared: Sequence[Tool], param: str) -> Sequence[Tool]:
    missing = next((name for name in names if name not in [tool.name for tool in declared]), None)
    if missing is not None:
        raise Refused(400, f"Tool choice '{missing}' not found in 'tools' parameter.", param=param)
    return [tool for tool in declared if tool.name in names]


def _check_json_is_named(messages: Sequence[Mapping[str, JSON]]) -> None:
    if not any("json" in content_text(message.get("content")).casefold() for message in messages):
        message = (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        )
        raise Refused(400, message, param="messages")
