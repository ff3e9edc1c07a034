"""The stream switch of an operation, and the kind of answer that a request asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connector.catalogue.operation import Operation
from connector.model import JSON, Fault, Request, members
from connector.request.check import Findings
from connector.request.query import scalar

__all__ = ["answer_kind", "plain_kind", "stream_origin", "streams", "switched"]

PLAIN_TEXT = ("text", "srt", "vtt")


def switched(operation: Operation, asked: Request, findings: Findings, *, on: bool) -> Request:
    """The request with its stream switched on or off."""
    if "events" in operation.answer and len(operation.answer) == 1:
        return asked
    if operation.stream is None:
        if on:
            findings.faults.append(Fault("stream", f"{operation.name} cannot stream", "call it without the stream"))
        return asked
    section = _section(operation, asked)
    switch = dict(operation.stream_on) or {"stream": True}
    if on:
        section = {**section, **switch}
    elif streams(operation, asked):
        section = {name: value for name, value in section.items() if name not in switch}
    return replace(asked, query=section) if operation.stream == "query" else replace(asked, payload=section or None)


def stream_origin(operation: Operation) -> dict[str, str]:
    """Says of the stream's switch that the call set it, and not its request."""
    section = operation.stream or "payload"
    return {f"{section}.{name}": "the call's stream" for name in operation.stream_on or ("stream",)}


def streams(operation: Operation, asked: Request) -> bool:
    """Whether the request asks for events."""
    if operation.stream is None:
        return False
    section, switch = _section(operation, asked), operation.stream_on or {"stream": True}
    return all(section.get(name) == value or section.get(name) == scalar(value) for name, value in switch.items())


def answer_kind(operation: Operation, asked: Request) -> str:
    """The kind of answer that is due."""
    kinds = operation.answer
    if len(kinds) > 1 or operation.stream:
        if "events" in kinds and streams(operation, asked):
            return "events"
        if "text" in kinds and members(asked.payload).get("response_format") in PLAIN_TEXT:
            return "text"
    return plain_kind(operation)


def plain_kind(operation: Operation) -> str:
    """The kind of answer that comes when nothing asks for another."""
    kinds = operation.answer
    return next((kind for kind in kinds if kind != "events"), next(iter(kinds), "json"))


def _section(operation: Operation, asked: Request) -> Mapping[str, JSON]:
    return asked.query if operation.stream == "query" else members(asked.payload)
