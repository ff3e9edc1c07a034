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
    schema: JSON = None
    """The JSON Schema that the text has to satisfy, where one was given."""
    is_json: bool = False
    """Whether the text has to be some JSON object."""


def reply_to(ask: Ask, seed: str) -> Reply:
    """The deterministic reply of a sandbox."""
    called = _called(ask)
    if called is not None:
        return Reply(calls=(_call_of(called, ask.said, seed),))
    if ask.schema is not None:
        return Reply(_document(ask.schema, ask.said, seed, "response_format"))
    return Reply(dump({"answer": ask.said}).decode()) if ask.is_json else Reply(ask.said)


def _called(ask: Ask) -> Tool | None:
    """The tool to call: one that was spoken of; else, where one must be called, the first."""
    if not ask.tools or (ask.answers_tool and not ask.must):
        return None
    words = Words(ask.said)
    spoken = next((tool for tool in ask.tools if _is_spoken_of(tool, words)), None)
    return spoken or (ask.tools[0] if ask.must else None)


def _is_spoken_of(tool: Tool, words: Words) -> bool:
    parts = NAME_PART.findall(tool.name)
    telling = [part for part in parts if len(part) > SHORT and part.casefold() not in VERBS]
    return words.mentions(tool.name) or any(words.mentions(part) for part in telling)


def _call_of(tool: Tool, said: str, seed: str) -> ToolCall:
    if tool.custom:
        return ToolCall(tool.name, said, custom=True)
    schema: JSON = tool.parameters or {"type": "object", "properties": {}}
    return ToolCall(tool.name, _document(schema, said, f"{seed}/{tool.name}", f"tools: {tool.name}"))


def _document(schema: JSON, said: str, seed: str, where: str) -> str:
    try:
        return dump(instance_of(schema, said, seed)).decode()
    except Unsatisfied as error:
        raise Refused(400, f"Invalid schema for {where}: {error}", param=where, code="invalid_json_schema") from error
