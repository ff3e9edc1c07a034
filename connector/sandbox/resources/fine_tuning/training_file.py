"""The examples of a training file, and everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON, is_list, is_object, items

__all__ = ["InvalidTrainingFile", "read_examples"]

FEWEST_EXAMPLES = 10
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
MOST_SHOWN = 5
"""Faults in a message."""


class InvalidTrainingFile(Exception):
    """A training file that cannot be used."""


class Examples(NamedTuple):
    """The number of examples and tokens in a training file."""

    number: int
    tokens: int


def read_examples(data: bytes, method: str) -> Examples:
    """Return the size of a training file; raise InvalidTrainingFile with what is wrong with it."""
    lines = [line for line in data.split(b"\n") if line.strip()]
    faults = [f"line {number}: {fault}" for number, line in enumerate(lines, 1) if (fault := _check_line(line, method))]
    if faults:
        more = f" and {len(faults) - MOST_SHOWN} more" if len(faults) > MOST_SHOWN else ""
        raise InvalidTrainingFile(f"The training file has invalid examples: {'; '.join(faults[:MOST_SHOWN])}{more}")
    if len(lines) < FEWEST_EXAMPLES:
        message = f"training file has {len(lines)} example(s), but must have at least {FEWEST_EXAMPLES} examples"
        raise InvalidTrainingFile(f"Invalid file format. {message}")
    return Examples(len(lines), sum(len(line) for line in lines) // 4)


def _check_line(line: bytes, method: str) -> str:
    try:
        example = parse(line)
    except InvalidDocument:
        return "not valid JSON"
    if not is_object(example):
        return "not a JSON object"
    return CHECKS[method](example)


def _check_supervised(example: Mapping[str, JSON]) -> str:
    if "prompt" in example and isinstance(example.get("completion"), str):
        return ""
    fault = _check_messages(example.get("messages"), "messages")
    last = items(example.get("messages"))[-1:]
    return fault or ("" if last[0].get("role") == "assistant" else "the last message is not from the assistant")


def _check_preference(example: Mapping[str, JSON]) -> str:
    given = example.get("input")
    faults = [_check_messages(given.get("messages"), "input.messages") if is_object(given) else "'input' is missing"]
    faults += [_check_messages(example.get(name), name) for name in ("preferred_output", "non_preferred_output")]
    return next(filter(None, faults), "")


def _check_reinforcement(example: Mapping[str, JSON]) -> str:
    fault = _check_messages(example.get("messages"), "messages")
    last = items(example.get("messages"))[-1:]
    return fault or ("" if last[0].get("role") == "user" else "the last message is not from the user")


CHECKS: Mapping[str, Callable[[Mapping[str, JSON]], str]] = {
    "supervised": _check_supervised,
    "dpo": _check_preference,
    "reinforcement": _check_reinforcement,
}


def _check_messages(messages: JSON, name: str) -> str:
    if not is_list(messages) or not messages:
        return f"'{name}' is missing or empty"
    for message in messages:
        if not is_object(message) or message.get("role") not in ROLES:
            return f"a message in '{name}' has no role out of {', '.join(ROLES)}"
        if message.get("content") is None and not message.get("tool_calls") and not message.get("function_call"):
            return f"a message in '{name}' has neither content nor tool calls"
    return ""
