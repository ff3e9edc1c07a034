"""Runs: created, streamed, cancelled, given tool outputs, advanced with time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.model import JSON
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, ApiError, Request
from connector.sandbox.resources.crud import bad_request, build_list_handler, build_retrieve_handler, get_body
from connector.sandbox.resources.threads.assistants import ASSISTANTS
from connector.sandbox.resources.threads.threads import THREADS, add_message, check_idle, lock_thread, make_thread
from connector.sandbox.resources.threads.turn import (
    RUNS,
    STEPS,
    begin_run,
    end_run,
    end_step,
    run_turn,
    save_run,
    stream_events,
)
from connector.sandbox.timers import Timer

__all__ = ["HANDLERS", "advance_run"]

RUN_LIFE = 600
RUN_SETTINGS = ("max_prompt_tokens", "max_completion_tokens", "metadata", "reasoning_effort")
CANCELLABLE = ("queued", "in_progress", "requires_action")
Earlier = list[tuple[str, "Mapping[str, Any]"]]


async def advance_run(backend: Backend, timer: Timer) -> float | None:
    """Advance a run to its next state; one that waits for tool outputs expires in the end."""
    run = backend.objects.get(RUNS, timer.id, timer.parent)
    if run is None:
        return None
    if run["status"] == "queued":
        begin_run(backend, run)
        return timer.due + backend.options.pace
    if run["status"] == "in_progress":
        await run_turn(backend, run)
    elif run["status"] == "cancelling":
        _end_open_steps(backend, run, "cancelled")
        end_run(backend, run, "cancelled")
    elif run["status"] == "requires_action":
        _end_open_steps(backend, run, "expired")
        end_run(backend, run, "expired")
    return float(run["expires_at"]) if run["status"] == "requires_action" else None


def _end_open_steps(backend: Backend, run: Mapping[str, JSON], status: str) -> None:
    """Set the last state of the steps that are in progress."""
    for step in backend.objects.all(STEPS, f"{run['thread_id']}/{run['id']}"):
        if step["status"] == "in_progress":
            end_step(backend, step, status)


async def create_run(request: Request, backend: Backend) -> Answer:
    body, thread_id = get_body(request), request.path["thread_id"]
    backend.require_object(THREADS, thread_id)
    check_idle(backend, thread_id, "create a run on")
    assistant = _find_assistant(backend, body)
    for message in body.get("additional_messages", []):
        add_message(backend, thread_id, message)
    return await _start_run(backend, _build_run(backend, thread_id, assistant, body), body, [])


async def create_thread_and_run(request: Request, backend: Backend) -> Answer:
    body = get_body(request)
    assistant = _find_assistant(backend, body)
    wanted: dict[str, JSON] = dict(body.get("thread") or {})
    if "tool_resources" in body and "tool_resources" not in wanted:
        wanted["tool_resources"] = body["tool_resources"]
    thread = await make_thread(backend, wanted)
    return await _start_run(
        backend, _build_run(backend, thread["id"], assistant, body), body, [("thread.created", thread)]
    )


def update_run(request: Request, backend: Backend) -> Answer:
    run = backend.require_object(RUNS, request.path["run_id"], request.path["thread_id"])
    run["metadata"] = get_body(request).get("metadata", {})
    backend.objects.put(RUNS, run, request.path["thread_id"])
    return Answer(run)


def cancel_run(request: Request, backend: Backend) -> Answer:
    run = backend.require_object(RUNS, request.path["run_id"], request.path["thread_id"])
    if run["status"] in CANCELLABLE:
        run |= {"status": "cancelling", "required_action": None}
        save_run(backend, run)
        backend.scheduler.schedule(RUNS, run["id"], parent=run["thread_id"])
    elif not backend.options.lenient:
        raise bad_request(f"Cannot cancel run with status '{run['status']}'.")
    return Answer(run)


async def submit_tool_outputs(request: Request, backend: Backend) -> Answer:
    run, body = backend.require_object(RUNS, request.path["run_id"], request.path["thread_id"]), get_body(request)
    if run["status"] != "requires_action" and not backend.options.lenient:
        raise bad_request(f'Runs in status "{run["status"]}" do not accept tool outputs.')
    step = _finish_step(backend, run, {one.get("tool_call_id"): one.get("output", "") for one in body["tool_outputs"]})
    run |= {"status": "queued", "required_action": None}
    if body.get("stream"):
        begin_run(backend, run)
        done: Earlier = [("thread.run.step.completed", step)] if step else []
        return await _stream_run(backend, run, [*done, ("thread.run.in_progress", dict(run))])
    save_run(backend, run)
    backend.scheduler.schedule(RUNS, run["id"], parent=run["thread_id"])
    return Answer(run)


async def _start_run(backend: Backend, run: dict[str, Any], body: Mapping[str, Any], before: Earlier) -> Answer:
    save_run(backend, run)
    lock_thread(backend, run["thread_id"], run["id"])
    if not body.get("stream"):
        backend.scheduler.schedule(RUNS, run["id"], parent=run["thread_id"])
        return Answer(run)
    queued = dict(run)
    begin_run(backend, run)
    known = [("thread.run.created", queued), ("thread.run.queued", queued), ("thread.run.in_progress", dict(run))]
    return await _stream_run(backend, run, [*before, *known])


async def _stream_run(backend: Backend, run: dict[str, Any], before: Earlier) -> Answer:
    steps, message = await run_turn(backend, run)
    if run["status"] == "requires_action":
        backend.scheduler.schedule(RUNS, run["id"], run["expires_at"], run["thread_id"])
    return Answer(events=stream_events(before, steps, message, run), content_type="text/event-stream")


def _find_assistant(backend: Backend, body: Mapping[str, Any]) -> dict[str, Any]:
    assistant = backend.objects.get(ASSISTANTS, body["assistant_id"])
    if assistant is None and not backend.options.lenient:
        raise ApiError(404, f"No assistant found with id '{body['assistant_id']}'.", param="assistant_id")
    return assistant or {"id": body["assistant_id"], "model": "gpt-4.1", "instructions": "", "tools": []}


def _build_run(
    backend: Backend, thread_id: str, assistant: Mapping[str, Any], body: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a new run; the request's settings override the assistant's."""
    now = int(backend.now())
    instructions = (body.get("instructions", assistant["instructions"]), body.get("additional_instructions"))
    run: dict[str, JSON] = {"id": backend.new_id("run_"), "object": "thread.run", "created_at": now}
    run |= {"thread_id": thread_id, "assistant_id": assistant["id"], "status": "queued"}
    run |= {"model": body.get("model", assistant["model"]), "tools": body.get("tools", assistant["tools"])}
    run |= {"instructions": "\n".join(filter(None, instructions)), "tool_choice": body.get("tool_choice", "auto")}
    run |= {name: body.get(name, assistant.get(name, 1.0)) for name in ("temperature", "top_p")}
    run |= {"response_format": body.get("response_format", assistant.get("response_format", "auto"))}
    run |= {"truncation_strategy": body.get("truncation_strategy", {"type": "auto", "last_messages": None})}
    run |= {"parallel_tool_calls": body.get("parallel_tool_calls", True), "expires_at": now + RUN_LIFE}
    run |= dict.fromkeys(("started_at", "cancelled_at", "completed_at", "failed_at", "last_error", "usage"))
    run |= {"incomplete_details": None, "required_action": None, **{name: body.get(name) for name in RUN_SETTINGS}}
    return {**run, "metadata": body.get("metadata", {})}


def _finish_step(backend: Backend, run: Mapping[str, Any], outputs: Mapping[str, str]) -> dict[str, Any] | None:
    """Save the tool outputs in the step that asked for them; each call must have one."""
    parent = f"{run['thread_id']}/{run['id']}"
    step = next((one for one in backend.objects.all(STEPS, parent) if one["status"] == "in_progress"), None)
    if step is None:
        return None
    calls = step["step_details"]["tool_calls"]
    expected, given = {call["id"] for call in calls}, set(outputs)
    if expected != given:
        message = f"Expected tool outputs for call_ids {sorted(expected)}, got {sorted(map(str, given))}."
        raise bad_request(message, "tool_outputs")
    for call in calls:
        call["function"]["output"] = outputs[call["id"]]
    end_step(backend, step, "completed")
    return step


RUN = "/threads/{thread_id}/runs/{run_id}"
HANDLERS: Mapping[str, Handler] = {
    "GET /threads/{thread_id}/runs": build_list_handler(RUNS, (THREADS, "thread_id")),
    "POST /threads/{thread_id}/runs": create_run,
    "POST /threads/runs": create_thread_and_run,
    f"GET {RUN}": build_retrieve_handler(RUNS, "run_id", "thread_id"),
    f"POST {RUN}": update_run,
    f"POST {RUN}/cancel": cancel_run,
    f"POST {RUN}/submit_tool_outputs": submit_tool_outputs,
    f"GET {RUN}/steps": build_list_handler(STEPS, (THREADS, "thread_id"), (RUNS, "run_id")),
    f"GET {RUN}/steps/{{step_id}}": build_retrieve_handler(STEPS, "step_id", "thread_id", "run_id"),
}
