"""Runs: created, read, cancelled, given what their tools came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.call import Answer, Refused
from connector.sandbox.processes.kept import body_of, lists, retrieves, wrong
from connector.sandbox.processes.threads.active import check_idle, occupy
from connector.sandbox.processes.threads.assistants import ASSISTANTS
from connector.sandbox.processes.threads.messages import THREADS, keep_message
from connector.sandbox.processes.threads.steps import STEPS, end_step
from connector.sandbox.processes.threads.streaming import events_of
from connector.sandbox.processes.threads.threads import make
from connector.sandbox.processes.threads.working import RUNS, begin, keep, work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World

__all__ = ["HANDLERS"]

TEN_MINUTES = 600
OWN = ("max_prompt_tokens", "max_completion_tokens", "metadata", "reasoning_effort")
OPEN = ("queued", "in_progress", "requires_action")
Before = list[tuple[str, "Mapping[str, Any]"]]


async def create(call: Call, world: World) -> Answer:
    asked, thread_id = body_of(call), call.path["thread_id"]
    world.found(THREADS, thread_id)
    check_idle(world, thread_id, "create a run on")
    assistant = _assistant(world, asked)
    for message in asked.get("additional_messages", []):
        keep_message(world, thread_id, message)
    return await _started(world, _run(world, thread_id, assistant, asked), asked, [])


async def create_with_thread(call: Call, world: World) -> Answer:
    asked = body_of(call)
    assistant = _assistant(world, asked)
    wanted: dict[str, JSON] = dict(asked.get("thread") or {})
    if "tool_resources" in asked and "tool_resources" not in wanted:
        wanted["tool_resources"] = asked["tool_resources"]
    thread = await make(world, wanted)
    return await _started(world, _run(world, thread["id"], assistant, asked), asked, [("thread.created", thread)])


def update(call: Call, world: World) -> Answer:
    run = world.found(RUNS, call.path["run_id"], call.path["thread_id"])
    run["metadata"] = body_of(call).get("metadata", {})
    world.objects.put(RUNS, run, call.path["thread_id"])
    return Answer(run)


def cancel(call: Call, world: World) -> Answer:
    run = world.found(RUNS, call.path["run_id"], call.path["thread_id"])
    if run["status"] in OPEN:
        run |= {"status": "cancelling", "required_action": None}
        keep(world, run)
        world.processes.open(RUNS, run["id"], parent=run["thread_id"])
    elif not world.options.lenient:
        raise wrong(f"Cannot cancel run with status '{run['status']}'.")
    return Answer(run)


async def submit(call: Call, world: World) -> Answer:
    run, asked = world.found(RUNS, call.path["run_id"], call.path["thread_id"]), body_of(call)
    if run["status"] != "requires_action" and not world.options.lenient:
        raise wrong(f'Runs in status "{run["status"]}" do not accept tool outputs.')
    step = _finish_step(world, run, {one.get("tool_call_id"): one.get("output", "") for one in asked["tool_outputs"]})
    run |= {"status": "queued", "required_action": None}
    if asked.get("stream"):
        begin(world, run)
        done: Before = [("thread.run.step.completed", step)] if step else []
        return await _streamed(world, run, [*done, ("thread.run.in_progress", dict(run))])
    keep(world, run)
    world.processes.open(RUNS, run["id"], parent=run["thread_id"])
    return Answer(run)


async def _started(world: World, run: dict[str, Any], asked: Mapping[str, Any], before: Before) -> Answer:
    keep(world, run)
    occupy(world, run["thread_id"], run["id"])
    if not asked.get("stream"):
        world.processes.open(RUNS, run["id"], parent=run["thread_id"])
        return Answer(run)
    queued = dict(run)
    begin(world, run)
    known = [("thread.run.created", queued), ("thread.run.queued", queued), ("thread.run.in_progress", dict(run))]
    return await _streamed(world, run, [*before, *known])


async def _streamed(world: World, run: dict[str, Any], before: Before) -> Answer:
    steps, message = await work(world, run)
    if run["status"] == "requires_action":
        world.processes.open(RUNS, run["id"], run["expires_at"], run["thread_id"])
    return Answer(events=events_of(before, steps, message, run), content_type="text/event-stream")


def _assistant(world: World, asked: Mapping[str, Any]) -> dict[str, Any]:
    assistant = world.objects.get(ASSISTANTS, asked["assistant_id"])
    if assistant is None and not world.options.lenient:
        raise Refused(404, f"No assistant found with id '{asked['assistant_id']}'.", param="assistant_id")
    return assistant or {"id": asked["assistant_id"], "model": "gpt-4.1", "instructions": "", "tools": []}


def _run(world: World, thread_id: str, assistant: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """A run as it begins: what the request says goes before what the assistant says."""
    now = int(world.now())
    said = (asked.get("instructions", assistant["instructions"]), asked.get("additional_instructions"))
    run: dict[str, JSON] = {"id": world.new_id("run_"), "object": "thread.run", "created_at": now}
    run |= {"thread_id": thread_id, "assistant_id": assistant["id"], "status": "queued"}
    run |= {"model": asked.get("model", assistant["model"]), "tools": asked.get("tools", assistant["tools"])}
    run |= {"instructions": "\n".join(filter(None, said)), "tool_choice": asked.get("tool_choice", "auto")}
    run |= {name: asked.get(name, assistant.get(name, 1.0)) for name in ("temperature", "top_p")}
    run |= {"response_format": asked.get("response_format", assistant.get("response_format", "auto"))}
    run |= {"truncation_strategy": asked.get("truncation_strategy", {"type": "auto", "last_messages": None})}
    run |= {"parallel_tool_calls": asked.get("parallel_tool_calls", True), "expires_at": now + TEN_MINUTES}
    run |= dict.fromkeys(("started_at", "cancelled_at", "completed_at", "failed_at", "last_error", "usage"))
    run |= {"incomplete_details": None, "required_action": None, **{name: asked.get(name) for name in OWN}}
    return {**run, "metadata": asked.get("metadata", {})}


def _finish_step(world: World, run: Mapping[str, Any], outputs: Mapping[str, str]) -> dict[str, Any] | None:
    """The tools' outputs are kept in the step that asked for them; each call must have one."""
    parent = f"{run['thread_id']}/{run['id']}"
    step = next((one for one in world.objects.all(STEPS, parent) if one["status"] == "in_progress"), None)
    if step is None:
        return None
    calls = step["step_details"]["tool_calls"]
    expected, given = {call["id"] for call in calls}, set(outputs)
    if expected != given:
        message = f"Expected tool outputs for call_ids {sorted(expected)}, got {sorted(map(str, given))}."
        raise wrong(message, "tool_outputs")
    for call in calls:
        call["function"]["output"] = outputs[call["id"]]
    end_step(world, step, "completed")
    return step


RUN = "/threads/{thread_id}/runs/{run_id}"
HANDLERS: Mapping[str, Handler] = {
    "GET /threads/{thread_id}/runs": lists(RUNS, (THREADS, "thread_id")),
    "POST /threads/{thread_id}/runs": create,
    "POST /threads/runs": create_with_thread,
    f"GET {RUN}": retrieves(RUNS, "run_id", "thread_id"),
    f"POST {RUN}": update,
    f"POST {RUN}/cancel": cancel,
    f"POST {RUN}/submit_tool_outputs": submit,
    f"GET {RUN}/steps": lists(STEPS, (THREADS, "thread_id"), (RUNS, "run_id")),
    f"GET {RUN}/steps/{{step_id}}": retrieves(STEPS, "step_id", "thread_id", "run_id"),
}
