"""One turn of a run: the model answers with a message or calls tools; its steps, and the events of a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connector.documents import dump
from connector.model import JSON, items, members
from connector.sandbox.backend import Backend
from connector.sandbox.messages import Answer, Event
from connector.sandbox.models.tokens import split_tokens
from connector.sandbox.resources.threads.threads import MESSAGES, THREADS, add_message, get_message_text, unlock_thread

__all__ = [
    "RUNS",
    "STEPS",
    "add_message_step",
    "add_tool_step",
    "begin_run",
    "end_run",
    "end_step",
    "run_turn",
    "save_run",
    "stream_events",
]

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


MODEL_SETTINGS = ("temperature", "top_p", "max_completion_tokens", "reasoning_effort")
MOST_HITS = 5
RUNS = "thread runs"
Run = dict[str, Any]


async def ask_model(backend: Backend, run: Mapping[str, Any], found: list[Mapping[str, Any]]) -> Answer:
    """Return the chat completion of a run; scripts see it like any other."""
    payload: dict[str, JSON] = {"model": run["model"], "messages": list(_build_messages(backend, run, found))}
    payload |= {name: run[name] for name in MODEL_SETTINGS if run.get(name) is not None}
    if tools := [tool for tool in run["tools"] if tool["type"] == "function"]:
        payload |= {"tools": tools, "parallel_tool_calls": run["parallel_tool_calls"]}
        choice = run["tool_choice"]
        if choice in ("auto", "none", "required") or members(choice).get("type") == "function":
            payload["tool_choice"] = choice if not _has_tool_outputs(backend, run) else "auto"
    if run["response_format"] not in (None, "auto"):
        payload["response_format"] = run["response_format"]
    return await backend.call("POST", "/v1/chat/completions", payload)


async def search_stores(backend: Backend, run: Mapping[str, Any], stores: list[str]) -> list[Mapping[str, Any]]:
    """Return what the vector stores hold on the user's last message."""
    texts = [get_message_text(message) for message in _latest_messages(backend, run) if message["role"] == "user"][-1:]
    if not texts or not texts[0].strip() or not any(tool["type"] == "file_search" for tool in run["tools"]):
        return []
    found: list[Mapping[str, Any]] = []
    for store in stores:
        answer = await backend.call("POST", f"/v1/vector_stores/{store}/search", {"query": texts[0]})
        found += items(members(answer.body).get("data"))
    return sorted((one for one in found if one["score"] > 0), key=lambda one: -float(one["score"]))[:MOST_HITS]


def _build_messages(backend: Backend, run: Mapping[str, Any], found: list[Mapping[str, Any]]) -> Iterator[JSON]:
    if run["instructions"]:
        yield {"role": "system", "content": run["instructions"]}
    for one in found:
        yield {"role": "system", "content": f"{one['filename']}: {one['content'][0]['text']}"}
    for message in _latest_messages(backend, run):
        yield {"role": message["role"], "content": get_message_text(message) or "(a picture)"}
    yield from _tool_messages(backend, run)


def _latest_messages(backend: Backend, run: Mapping[str, Any]) -> list[dict[str, Any]]:
    messages = list(backend.objects.all(MESSAGES, run["thread_id"]))
    limit = members(run["truncation_strategy"]).get("last_messages")
    return messages[-limit:] if limit else messages


def _tool_messages(backend: Backend, run: Mapping[str, Any]) -> Iterator[JSON]:
    for step in backend.objects.all(STEPS, f"{run['thread_id']}/{run['id']}"):
        calls = [call for call in items(step["step_details"].get("tool_calls")) if call["type"] == "function"]
        if step["status"] == "completed" and calls:
            yield {"role": "assistant", "content": None, "tool_calls": [_build_tool_call(call) for call in calls]}
            for call in calls:
                output = call["function"]["output"]
                text = output if isinstance(output, str) else dump(output).decode()
                yield {"role": "tool", "tool_call_id": call["id"], "content": text}


def _build_tool_call(call: Mapping[str, Any]) -> dict[str, JSON]:
    function = {name: call["function"][name] for name in ("name", "arguments")}
    return {"id": call["id"], "type": "function", "function": function}


def _has_tool_outputs(backend: Backend, run: Mapping[str, Any]) -> bool:
    """Return whether tools were called before, so that a choice that must call one is satisfied."""
    return any(True for _ in _tool_messages(backend, run))


def save_run(backend: Backend, run: Mapping[str, Any]) -> None:
    backend.objects.put(RUNS, run, run["thread_id"])


def begin_run(backend: Backend, run: Run) -> None:
    """Set a run in progress."""
    run |= {"status": "in_progress", "started_at": run["started_at"] or int(backend.now())}
    save_run(backend, run)


def end_run(backend: Backend, run: Run, status: str, **known: JSON) -> None:
    """Set the last state of a run, and unlock its thread."""
    moments = {"completed": "completed_at", "failed": "failed_at", "cancelled": "cancelled_at"}
    run |= {"status": status, "required_action": None, **known}
    run |= {moments[status]: int(backend.now())} if status in moments else {}
    run["usage"] = run["usage"] or {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    run["expires_at"] = None if status == "completed" else run["expires_at"]
    save_run(backend, run)
    unlock_thread(backend, run["thread_id"])


async def run_turn(backend: Backend, run: Run) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Ask the model, and return the new steps and the message, or a step that requires action."""
    found = await search_stores(backend, run, _find_stores(backend, run))
    answer = await ask_model(backend, run, found)
    if answer.status != 200:
        error = members(members(answer.body).get("error"))
        code = "rate_limit_exceeded" if answer.status == 429 else "server_error"
        end_run(backend, run, "failed", last_error={"code": code, "message": str(error.get("message", answer.status))})
        return [], None
    usage = _read_usage(answer.body)
    run["usage"] = {name: number + members(run["usage"]).get(name, 0) for name, number in usage.items()}
    choice = answer.body["choices"][0]
    if calls := items(choice["message"].get("tool_calls")):
        return [_require_action(backend, run, calls)], None
    steps = [_add_search_step(backend, run, found)] if found else []
    content = _build_content(choice["message"].get("content") or choice["message"].get("refusal") or "", found)
    known = {"assistant_id": run["assistant_id"], "run_id": run["id"]}
    message = add_message(backend, run["thread_id"], {"role": "assistant", "content": content}, **known)
    steps.append(add_message_step(backend, run, message["id"]))
    end_step(backend, steps[-1], "completed", usage)
    if choice["finish_reason"] == "length":
        end_run(backend, run, "incomplete", incomplete_details={"reason": "max_completion_tokens"})
    else:
        end_run(backend, run, "completed")
    return steps, message


def _require_action(backend: Backend, run: Run, calls: list[Any]) -> dict[str, Any]:
    """Set a run to wait for tool outputs."""
    body = [{"id": call["id"], "type": "function", "function": call["function"]} for call in calls]
    step = add_tool_step(
        backend, run, [{**call, "function": {**members(call["function"]), "output": None}} for call in body]
    )
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": body}}
    run |= {"status": "requires_action", "required_action": action}
    save_run(backend, run)
    return step


def _add_search_step(backend: Backend, run: Run, found: list[Mapping[str, Any]]) -> dict[str, Any]:
    results = [{"file_id": one["file_id"], "file_name": one["filename"], "score": one["score"]} for one in found]
    ranking = {"ranker": "default_2024_08_21", "score_threshold": 0.0}
    search = {"ranking_options": ranking, "results": results}
    step = add_tool_step(backend, run, [{"id": backend.new_id("call_"), "type": "file_search", "file_search": search}])
    end_step(backend, step, "completed")
    return step


def _build_content(text: str, found: list[Mapping[str, Any]]) -> list[JSON]:
    """Return the text with a citation of the best hit."""
    if not found:
        return [{"type": "text", "text": {"value": text, "annotations": []}}]
    mark = f"【4:0†{found[0]['filename']}】"
    citation: dict[str, JSON] = {"type": "file_citation", "text": mark, "start_index": len(text)}
    citation |= {"end_index": len(text) + len(mark), "file_citation": {"file_id": found[0]["file_id"]}}
    return [{"type": "text", "text": {"value": text + mark, "annotations": [citation]}}]


def _find_stores(backend: Backend, run: Mapping[str, Any]) -> list[str]:
    """Return the vector stores of the assistant and the thread."""
    owners = [backend.objects.get("assistants", run["assistant_id"]), backend.objects.get(THREADS, run["thread_id"])]
    given = [members(members(owner).get("tool_resources")).get("file_search") for owner in owners]
    return [store for search in given for store in items(members(search).get("vector_store_ids"))]


def _read_usage(body: Mapping[str, Any]) -> dict[str, int]:
    usage = members(body.get("usage"))
    return {name: usage.get(name, 0) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
