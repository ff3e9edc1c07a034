"""The prompt of a response, read from its payload and input items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connector.model import JSON, is_document, members
from connector.sandbox.messages import ApiError
from connector.sandbox.models.reply import Prompt, Tool
from connector.sandbox.models.responses.history import find_last_input
from connector.sandbox.models.tokens import get_content_text

__all__ = ["find_hosted_tool", "read_prompt"]

CALLER_TOOLS = ("function", "custom")
"""Tools that the caller runs; all others run on the API's side."""
HOSTED_TOOLS = ("web_search", "file_search", "code_interpreter", "image_generation", "mcp")
"""Tools that leave an item in the output when they run."""


def read_prompt(payload: Mapping[str, JSON], items: Sequence[Mapping[str, JSON]]) -> Prompt:
    """Return the prompt; raise ApiError for a tool choice that is not among the tools."""
    text, answers_tool = find_last_input(items)
    prompt = Prompt(text, answers_tool)
    wanted: Mapping[str, JSON] = members(payload.get("text")).get("format") or {}
    if wanted.get("type") == "json_schema":
        prompt = replace(prompt, schema=wanted["schema"])
    elif wanted.get("type") == "json_object":
        _check_json_mentioned(payload, items)
        prompt = replace(prompt, is_json=True)
    if payload.get("tools"):
        tools, must_call = _read_tools(payload)
        prompt = replace(prompt, tools=tools, must=must_call, parallel=payload.get("parallel_tool_calls") is not False)
    return prompt


def find_hosted_tool(payload: Mapping[str, JSON]) -> Mapping[str, JSON] | None:
    """Return the hosted tool to run: the chosen one, or the only kind there is where one must run."""
    tools: Sequence[Mapping[str, JSON]] = payload.get("tools") or ()
    choice = payload.get("tool_choice")
    if is_document(choice):
        return next(
            (tool for tool in tools if _tool_kind(choice) in HOSTED_TOOLS and _tool_kind(tool) == _tool_kind(choice)),
            None,
        )
    if choice == "none":
        return None
    hosted = [tool for tool in tools if _tool_kind(tool) in HOSTED_TOOLS]
    must_call = choice == "required" and not any(tool["type"] in CALLER_TOOLS for tool in tools)
    # A store of files is looked into whenever there is one, since what it holds is what is asked for.
    return next((tool for tool in hosted if must_call or tool["type"] == "file_search"), None)


def _tool_kind(tool: Mapping[str, JSON]) -> str:
    """Return a tool's type without its version: `web_search_preview_2025_03_11` is a web search."""
    return next((kind for kind in HOSTED_TOOLS if tool["type"].startswith(kind)), str(tool["type"]))


def _read_tools(payload: Mapping[str, JSON]) -> tuple[Sequence[Tool], bool]:
    """Return the tools that may be called, and whether one must be."""
    declared = [_read_tool(tool) for tool in payload["tools"] if tool["type"] in CALLER_TOOLS]
    choice = payload.get("tool_choice")
    if not is_document(choice):
        return (() if choice == "none" else declared), choice == "required"
    if choice["type"] == "allowed_tools":
        return _select_tools(
            [str(tool.get("name")) for tool in choice["tools"] if tool.get("type") in CALLER_TOOLS], declared
        ), (choice["mode"] == "required")
    return (_select_tools([choice["name"]], declared), True) if choice["type"] in CALLER_TOOLS else ((), False)


def _read_tool(declared: Mapping[str, JSON]) -> Tool:
    return Tool(declared["name"], declared.get("parameters"), declared["type"] == "custom")


def _select_tools(names: Sequence[str], declared: Sequence[Tool]) -> Sequence[Tool]:
    missing = next((name for name in names if name not in [tool.name for tool in declared]), None)
    if missing is not None:
        raise ApiError(400, f"Tool choice '{missing}' not found in 'tools' parameter.", param="tool_choice")
    return [tool for tool in declared if tool.name in names]


def _check_json_mentioned(payload: Mapping[str, JSON], items: Sequence[Mapping[str, JSON]]) -> None:
    texts = [str(payload.get("instructions") or ""), *(get_content_text(item.get("content")) for item in items)]
    if not any("json" in text.casefold() for text in texts):
        message = "The input must contain the word 'json' in some form to use 'text.format' of type 'json_object'."
        raise ApiError(400, message, param="input")
