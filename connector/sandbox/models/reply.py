"""The reply of a model to a prompt: a tool call, a document of the wanted schema, or the prompt's own text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connector.documents import dump
from connector.model import JSON
from connector.sandbox.messages import ApiError, Reply, ToolCall
from connector.sandbox.models.instances.instance import NoInstanceFound, generate_instance
from connector.sandbox.models.instances.values import Words

__all__ = ["Prompt", "Reply", "Tool", "ToolCall", "generate_reply"]

LEAD = re.compile(
    r"^\W*(?:(?:for|in|at|on|of|to|with|about|and|the|a|an|now|please|tool|function)\b\W*)+", re.IGNORECASE
)
"""Words between a tool's name and its subject: `get_weather for Paris`."""
NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W_]+")
SHORT_WORD = 3
"""The length up to which words of a tool's name, such as `get`, say nothing of its subject."""
VERBS = frozenset({"make", "create", "fetch", "find", "list", "call", "tool", "function", "lookup", "search", "update"})


@dataclass(frozen=True, slots=True)
class Tool:
    """A function or a custom tool that the model may call."""

    name: str
    parameters: JSON = None
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a request asks of the model, in whichever form it comes."""

    text: str
    answers_tool: bool = False
    """Whether the text is a tool's output, which the model answers."""
    tools: Sequence[Tool] = ()
    must: bool = False
    """Whether one of the tools must be called."""
    parallel: bool = True
    """Whether several tools may be called at once."""
    schema: JSON = None
    """The JSON Schema that the text has to satisfy, where one was given."""
    is_json: bool = False
    """Whether the text has to be some JSON object."""


def generate_reply(prompt: Prompt, seed: str) -> Reply:
    """Return the deterministic reply of a sandbox."""
    called = _choose_tools(prompt)
    if called:
        return Reply(calls=tuple(_build_call(tool, prompt.text, seed) for tool in called))
    if prompt.schema is not None:
        return Reply(_generate_document(prompt.schema, prompt.text, seed, "response_format"))
    return Reply(dump({"answer": prompt.text}).decode()) if prompt.is_json else Reply(prompt.text)


def _choose_tools(prompt: Prompt) -> Sequence[Tool]:
    """Return the tools to call: those that are named, else one that is mentioned, or the first where one must be."""
    if not prompt.tools or (prompt.answers_tool and not prompt.must):
        return ()
    named = _find_named_tools(prompt.text, prompt.tools)
    if named:
        return named if prompt.parallel else named[:1]
    words = Words(prompt.text)
    spoken = next((tool for tool in prompt.tools if _is_mentioned(tool, words)), None)
    return (spoken,) if spoken else prompt.tools[:1] if prompt.must else ()


def _find_named_tools(text: str, tools: Sequence[Tool]) -> list[Tool]:
    """Return the tools whose names a text has, in the order of the names."""
    found = {tool.name: _find_name_end(text, tool.name) for tool in tools}
    return sorted((tool for tool in tools if found[tool.name] is not None), key=lambda tool: found[tool.name] or 0)


def _find_name_end(text: str, name: str) -> int | None:
    """Return the end of a name that a text has as a word, in any case."""
    pattern = rf"(?<![\w-]){re.escape(name)}(?!\w|-\w)"
    match = re.search(pattern, text, re.IGNORECASE) if name else None
    return match.end() if match else None


def _is_mentioned(tool: Tool, words: Words) -> bool:
    parts = NAME_PART.findall(tool.name)
    telling = [part for part in parts if len(part) > SHORT_WORD and part.casefold() not in VERBS]
    return words.mentions(tool.name) or any(words.mentions(part) for part in telling)


def _build_call(tool: Tool, text: str, seed: str) -> ToolCall:
    subject = _find_subject(tool, text)
    if tool.custom:
        return ToolCall(tool.name, subject, custom=True)
    schema: JSON = tool.parameters or {"type": "object", "properties": {}}
    return ToolCall(tool.name, _generate_document(schema, subject, f"{seed}/{tool.name}", f"tools: {tool.name}"))


def _find_subject(tool: Tool, text: str) -> str:
    """Return what follows a tool's name in a text, or the whole text where nothing does."""
    end = _find_name_end(text, tool.name)
    return LEAD.sub("", text[end:]).strip(" \t\n.!?`'\"") or text if end is not None else text


def _generate_document(schema: JSON, text: str, seed: str, where: str) -> str:
    try:
        return dump(generate_instance(schema, text, seed)).decode()
    except NoInstanceFound as error:
        raise ApiError(400, f"Invalid schema for {where}: {error}", param=where, code="invalid_json_schema") from error
