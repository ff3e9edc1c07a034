"""The steps of a run, and a run as the events of a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connector.model import JSON
from connector.sandbox.backend import Backend
from connector.sandbox.messages import Event
from connector.sandbox.models.tokens import split_tokens

__all__ = ["STEPS", "add_message_step", "add_tool_step", "end_step", "stream_events"]

STEPS = "thread run steps"
Resource = Mapping[str, Any]


def add_message_step(backend: Backend, run: Mapping[str, JSON], message_id: str) -> dict[str, Any]:
    """Add the step of a message."""
    details = {"type": "message_creation", "message_creation": {"message_id": message_id}}
    return _add_step(backend, run, "message_creation", details)


def add_tool_step(backend: Backend, run: Mapping[str, JSON], calls: Sequence[JSON]) -> dict[str, Any]:
    """Add the step of tool calls."""
    return _add_step(backend, run, "tool_calls", {"type": "tool_calls", "tool_calls": list(calls)})


def end_step(backend: Backend, step: dict[str, Any], status: str, usage: JSON = None) -> None:
    """Set the last state of a step."""
    moment = {"completed": "completed_at", "cancelled": "cancelled_at", "expired": "expired_at", "failed": "failed_at"}
    step |= {"status": status, moment[status]: int(backend.now()), "usage": usage}
    save_step(backend, step)


def save_step(backend: Backend, step: Mapping[str, Any]) -> None:
    backend.objects.put(STEPS, step, f"{step['thread_id']}/{step['run_id']}")


def _add_step(backend: Backend, run: Mapping[str, JSON], kind: str, details: Mapping[str, JSON]) -> dict[str, Any]:
    made: dict[str, JSON] = {"id": backend.new_id("step_"), "object": "thread.run.step", "run_id": run["id"]}
    made |= {"created_at": int(backend.now()), "assistant_id": run["assistant_id"], "thread_id": run["thread_id"]}
    made |= {"type": kind, "status": "in_progress", "step_details": dict(details), "metadata": {}, "usage": None}
    made |= {"cancelled_at": None, "completed_at": None, "expired_at": None, "failed_at": None, "last_error": None}
    save_step(backend, made)
    return made


def stream_events(
    before: Sequence[tuple[str, Resource]], steps: Sequence[Resource], message: Resource | None, run: Resource
) -> Iterator[Event]:
    """Yield the earlier events, the steps of the turn with their message, and the state of the run."""
    for name, known in before:
        yield Event(known, name)
    for step in steps:
        yield from _step_events(step)
        if step["type"] == "message_creation" and message is not None:
            yield from _message_events(message)
        else:
            calls = [{"index": index, **call} for index, call in enumerate(step["step_details"]["tool_calls"])]
            yield _build_delta("thread.run.step", step, {"step_details": {"type": "tool_calls", "tool_calls": calls}})
        if step["status"] == "completed":
            yield Event(step, "thread.run.step.completed")
    yield Event(run, f"thread.run.{run['status']}")
    yield Event("[DONE]", "done")


def _step_events(step: Resource) -> Iterator[Event]:
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


def _message_events(message: Resource) -> Iterator[Event]:
    begun: dict[str, JSON] = {**message, "status": "in_progress", "completed_at": None, "content": []}
    yield Event(begun, "thread.message.created")
    yield Event(begun, "thread.message.in_progress")
    for index, part in enumerate(message["content"]):
        for piece in split_tokens(part["text"]["value"]):
            yield _text_delta(message, index, {"value": piece})
        if part["text"]["annotations"]:
            noted = [{"index": number, **one} for number, one in enumerate(part["text"]["annotations"])]
            yield _text_delta(message, index, {"annotations": noted})
    yield Event(message, "thread.message.completed")


def _text_delta(message: Resource, index: int, text: Mapping[str, JSON]) -> Event:
    return _build_delta("thread.message", message, {"content": [{"index": index, "type": "text", "text": dict(text)}]})


def _build_delta(name: str, of: Resource, delta: Mapping[str, JSON]) -> Event:
    return Event({"id": of["id"], "object": f"{name}.delta", "delta": dict(delta)}, f"{name}.delta")
