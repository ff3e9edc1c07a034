"""What the model is made to say: a tool call, a document of the wanted shape, or what was said to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connector.documents import dump
from connector.model import JSON
from connector.sandbox.answers.instances import Unsatisfied, instance_of
from connector.sandbox.answers.instances.words import Words
from connector.sandbox.call import Refused

__all__ = ["Ask", "Reply", "Tool", "ToolCall", "reply_to"]

LEAD = re.compile(
    r"^\W*(?:(?:for|in|at|on|of|to|with|about|and|the|a|an|now|please|tool|function)\b\W*)+", re.IGNORECASE
)
"""What stands between a tool's name and its subject: `get_weather for Paris`."""
NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W_]+")
SHORT = 3
"""Words of a tool's name that are no longer, such as `get`, say nothing of its subject."""
VERBS = frozenset({"make", "create", "fetch", "find", "list", "call", "tool", "function", "lookup", "search", "update"})


@dataclass(frozen=True, slots=True)
class Tool:
    """A function or a custom tool that the model may call."""

    name: str
    parameters: JSON = None
    custom: bool = False


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool: its arguments as JSON text, or the input of a custom one."""

    name: str
    arguments: str
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said, whatever form it is sent in."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What a request asks of the model, whatever form it came in."""

    said: str
    answers_tool: bool = False
    """Whether what was said is a tool's result, after which the model speaks."""
    tools: Sequence[Tool] = ()
    must: bool = False
    """Whether one of the tools has to be called."""
    parallel: bool = True
    """Whether several tools may be called at once."""
    schema: JSON = None
    """The JSON Schema that the text has to satisfy, where one was given."""
    is_json: bool = False
    """Whether the text has to be some JSON object."""


def reply_to(ask: Ask, seed: str) -> Reply:
    """Return the deterministic reply of a sandbox."""
    called = _called(ask)
    if called:
        return Reply(calls=tuple(_call_of(tool, ask.said, seed) for tool in called))
    if ask.schema is not None:
        return Reply(_document(ask.schema, ask.said, seed, "response_format"))
    return Reply(dump({"answer": ask.said}).decode()) if ask.is_json else Reply(ask.said)


def _called(ask: Ask) -> Sequence[Tool]:
    """Return the tools to call: those that are named; else one that is spoken of, or the first where one must be."""
    if not ask.tools or (ask.answers_tool and not ask.must):
        return ()
    named = _named_in(ask.said, ask.tools)
    if named:
        return named if ask.parallel else named[:1]
    words = Words(ask.said)
    spoken = next((tool for tool in ask.tools if _is_spoken_of(tool, words)), None)
    return (spoken,) if spoken else ask.tools[:1] if ask.must else ()


def _named_in(said: str, tools: Sequence[Tool]) -> list[Tool]:
    """Return the tools whose names stand in a text, in the order in which they are named."""
    found = {tool.name: _after_name(said, tool.name) for tool in tools}
    return sorted((tool for tool in tools if found[tool.name] is not None), key=lambda tool: found[tool.name] or 0)


def _after_name(said: str, name: str) -> int | None:
    """Return where a text goes on after a name that stands in it by itself, whatever its capitals."""
    pattern = rf"(?<![\w-]){re.escape(name)}(?!\w|-\w)"
    match = re.search(pattern, said, re.IGNORECASE) if name else None
    return match.end() if match else None


def _is_spoken_of(tool: Tool, words: Words) -> bool:
    parts = NAME_PART.findall(tool.name)
    telling = [part for part in parts if len(part) > SHORT and part.casefold() not in VERBS]
    return words.mentions(tool.name) or any(words.mentions(part) for part in telling)


def _call_of(tool: Tool, said: str, seed: str) -> ToolCall:
    subject = _subject(tool, said)
    if tool.custom:
        return ToolCall(tool.name, subject, custom=True)
    schema: JSON = tool.parameters or {"type": "object", "properties": {}}
    return ToolCall(tool.name, _document(schema, subject, f"{seed}/{tool.name}", f"tools: {tool.name}"))


def _subject(tool: Tool, said: str) -> str:
    """Return what follows a tool's name in a text, or the whole text where nothing does."""
    end = _after_name(said, tool.name)
    return LEAD.sub("", said[end:]).strip(" \t\n.!?`'\"") or said if end is not None else said


def _document(schema: JSON, said: str, seed: str, where: str) -> str:
    try:
        return dump(instance_of(schema, said, seed)).decode()
    except Unsatisfied as error:
        raise Refused(400, f"Invalid schema for {where}: {error}", param=where, code="invalid_json_schema") from error
