"""The events of a run, in the order in which the API sends them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connector.model import JSON
from connector.sandbox.answers.tokens import pieces
from connector.sandbox.call import Event

__all__ = ["events_of"]

Run = Mapping[str, Any]


def events_of(
    before: Sequence[tuple[str, Run]], steps: Sequence[Run], message: Run | None, run: Run
) -> Iterator[Event]:
    """What happened before the turn, the turn's steps with its message, and how the run stands now."""
    for name, known in before:
        yield Event(known, name)
    for step in steps:
        yield from _begun(step)
        if step["type"] == "message_creation" and message is not None:
            yield from _written(message)
        else:
            calls = [{"index": place, **call} for place, call in enumerate(step["step_details"]["tool_calls"])]
            yield _delta("thread.run.step", step, {"step_details": {"type": "tool_calls", "tool_calls": calls}})
        if step["status"] == "completed":
            yield Event(step, "thread.run.step.completed")
    yield Event(run, f"thread.run.{run['status']}")
    yield Event("[DONE]", "done")


def _begun(step: Run) -> Iterator[Event]:
    details = step["step_details"]
    empty: dict[str, JSON] = {**details, "tool_calls": []} if details["type"] == "tool_calls" else details
    begun: dict[str, JSON] = {
        **step,
        "status": "in_progress",
        "completed_at": None,
        "usage": None,
        "step_details": empty,
    }
    yield Event(begun, "thread.run.step.created")
    yield Event(begun, "thread.run.step.in_progress")


def _written(message: Run) -> Iterator[Event]:
    begun: dict[str, JSON] = {**message, "status": "in_progress", "completed_at": None, "content": []}
    yield Event(begun, "thread.message.created")
    yield Event(begun, "thread.message.in_progress")
    for place, part in enumerate(message["content"]):
        for piece in pieces(part["text"]["value"]):
            yield _text_delta(message, place, {"value": piece})
        if part["text"]["annotations"]:
            noted = [{"index": number, **one} for number, one in enumerate(part["text"]["annotations"])]
            yield _text_delta(message, place, {"annotations": noted})
    yield Event(message, "thread.message.completed")


def _text_delta(message: Run, place: int, text: Mapping[str, JSON]) -> Event:
    return _delta("thread.message", message, {"content": [{"index": place, "type": "text", "text": dict(text)}]})


def _delta(name: str, of: Run, delta: Mapping[str, JSON]) -> Event:
    return Event({"id": of["id"], "object": f"{name}.delta", "delta": dict(delta)}, f"{name}.delta")
