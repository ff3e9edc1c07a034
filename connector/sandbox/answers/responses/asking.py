"""What a response's payload asks of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connector.model import JSON, is_document
from connector.sandbox.answers.reply import Ask, Tool
from connector.sandbox.answers.responses.items import said_in
from connector.sandbox.answers.said import content_text
from connector.sandbox.call import Refused
from connector.shapes import members

__all__ = ["ask_of", "hosted_tool"]

CALLED = ("function", "custom")
"""Tools that the caller runs; all others run on the API's side."""
HOSTED = ("web_search", "file_search", "code_interpreter", "image_generation", "mcp")
"""Those that leave an item in the output when they run."""


def ask_of(payload: Mapping[str, JSON], items: Sequence[Mapping[str, JSON]]) -> Ask:
    """What is asked; a tool that is to be called and is not there is refused, as the API does."""
    said, answers_tool = said_in(items)
    ask = Ask(said, answers_tool)
    wanted: Mapping[str, JSON] = members(payload.get("text")).get("format") or {}
    if wanted.get("type") == "json_schema":
        ask = replace(ask, schema=wanted["schema"])
    elif wanted.get("type") == "json_object":
        _check_json_is_named(payload, items)
        ask = replace(ask, is_json=True)
    if payload.get("tools"):
        tools, must = _tools(payload)
        ask = replace(ask, tools=tools, must=must, parallel=payload.get("parallel_tool_calls") is not False)
    return ask


def hosted_tool(payload: Mapping[str, JSON]) -> Mapping[str, JSON] | None:
    """The tool of the API's own that is to run: the one that was chosen, or the only kind there is where one must."""
    tools: Sequence[Mapping[str, JSON]] = payload.get("tools") or ()
    choice = payload.get("tool_choice")
    if is_document(choice):
        return next((tool for tool in tools if _kind(choice) in HOSTED and _kind(tool) == _kind(choice)), None)
    if choice == "none":
        return None
    hosted = [tool for tool in tools if _kind(tool) in HOSTED]
    must = choice == "required" and not any(tool["type"] in CALLED for tool in tools)
    # A store of files is looked into whenever there is one, since what it holds is what is asked for.
    return next((tool for tool in hosted if must or tool["type"] == "file_search"), None)


def _kind(tool: Mapping[str, JSON]) -> str:
    """A tool's type without its version: `web_search_preview_2025_03_11` is a web search."""
    return next((kind for kind in HOSTED if tool["type"].startswith(kind)), str(tool["type"]))


def _tools(payload: Mapping[str, JSON]) -> tuple[Sequence[Tool], bool]:
    """The tools that may be called now, and whether one has to be."""
    declared = [_tool(tool) for tool in payload["tools"] if tool["type"] in CALLED]
    choice = payload.get("tool_choice")
    if not is_document(choice):
        return (() if choice == "none" else declared), choice == "required"
    if choice["type"] == "allowed_tools":
        return _named([str(tool.get("name")) for tool in choice["tools"] if tool.get("type") in CALLED], declared), (
            choice["mode"] == "required"
        )
    return (_named([choice["name"]], declared), True) if choice["type"] in CALLED else ((), False)


def _tool(declared: Mapping[str, JSON]) -> Tool:
    return Tool(declared["name"], declared.get("parameters"), declared["type"] == "custom")


def _named(names: Sequence[str], declared: Sequence[Tool]) -> Sequence[Tool]:
    missing = next((name for name in names if name not in [tool.name for tool in declared]), None)
    if missing is not None:
        raise Refused(400, f"Tool choice '{missing}' not found in 'tools' parameter.", param="tool_choice")
    return [tool for tool in declared if tool.name in names]


def _check_json_is_named(payload: Mapping[str, JSON], items: Sequence[Mapping[str, JSON]]) -> None:
    texts = [str(payload.get("instructions") or ""), *(content_text(item.get("content")) for item in items)]
    if not any("json" in text.casefold() for text in texts):
        message = "The input must contain the word 'json' in some form to use 'text.format' of type 'json_object'."
        raise Refused(400, message, param="input")
