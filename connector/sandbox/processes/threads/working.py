"""The turn of a run: the model is asked, and the thread grows or tools are to be called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.processes.threads.active import release
from connector.sandbox.processes.threads.asking import ask, found_in_stores
from connector.sandbox.processes.threads.messages import THREADS, keep_message
from connector.sandbox.processes.threads.steps import end_step, message_step, tool_step
from connector.shapes import items, members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import World

__all__ = ["RUNS", "begin", "end", "keep", "work"]

RUNS = "thread runs"
Run = dict[str, Any]


def keep(world: World, run: Mapping[str, Any]) -> None:
    world.objects.put(RUNS, run, run["thread_id"])


def begin(world: World, run: Run) -> None:
    """The run is at work."""
    run |= {"status": "in_progress", "started_at": run["started_at"] or int(world.now())}
    keep(world, run)


def end(world: World, run: Run, status: str, **known: JSON) -> None:
    """The run is over, and its thread is free."""
    moments = {"completed": "completed_at", "failed": "failed_at", "cancelled": "cancelled_at"}
    run |= {"status": status, "required_action": None, **known}
    run |= {moments[status]: int(world.now())} if status in moments else {}
    run["usage"] = run["usage"] or {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    run["expires_at"] = None if status == "completed" else run["expires_at"]
    keep(world, run)
    release(world, run["thread_id"])


async def work(world: World, run: Run) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """What the model says becomes steps, and a message or a required action; gives both."""
    found = await found_in_stores(world, run, _stores(world, run))
    answer = await ask(world, run, found)
    if answer.status != 200:
        error = members(members(answer.body).get("error"))
        code = "rate_limit_exceeded" if answer.status == 429 else "server_error"
        end(world, run, "failed", last_error={"code": code, "message": str(error.get("message", answer.status))})
        return [], None
    usage = _usage(answer.body)
    run["usage"] = {name: number + members(run["usage"]).get(name, 0) for name, number in usage.items()}
    choice = answer.body["choices"][0]
    if calls := items(choice["message"].get("tool_calls")):
        return [_require(world, run, calls)], None
    steps = [_search_step(world, run, found)] if found else []
    content = _content(choice["message"].get("content") or choice["message"].get("refusal") or "", found)
    known = {"assistant_id": run["assistant_id"], "run_id": run["id"]}
    message = keep_message(world, run["thread_id"], {"role": "assistant", "content": content}, **known)
    steps.append(message_step(world, run, message["id"]))
    end_step(world, steps[-1], "completed", usage)
    if choice["finish_reason"] == "length":
        end(world, run, "incomplete", incomplete_details={"reason": "max_completion_tokens"})
    else:
        end(world, run, "completed")
    return steps, message


def _require(world: World, run: Run, calls: list[Any]) -> dict[str, Any]:
    """The run waits for what the tools give."""
    asked = [{"id": call["id"], "type": "function", "function": call["function"]} for call in calls]
    step = tool_step(
        world, run, [{**call, "function": {**members(call["function"]), "output": None}} for call in asked]
    )
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": asked}}
    run |= {"status": "requires_action", "required_action": action}
    keep(world, run)
    return step


def _search_step(world: World, run: Run, found: list[Mapping[str, Any]]) -> dict[str, Any]:
    results = [{"file_id": one["file_id"], "file_name": one["filename"], "score": one["score"]} for one in found]
    ranking = {"ranker": "default_2024_08_21", "score_threshold": 0.0}
    search = {"ranking_options": ranking, "results": results}
    step = tool_step(world, run, [{"id": world.new_id("call_"), "type": "file_search", "file_search": search}])
    end_step(world, step, "completed")
    return step


def _content(text: str, found: list[Mapping[str, Any]]) -> list[JSON]:
    """The text, with a citation of the file that says most about it."""
    if not found:
        return [{"type": "text", "text": {"value": text, "annotations": []}}]
    mark = f"【4:0†{found[0]['filename']}】"
    citation: dict[str, JSON] = {"type": "file_citation", "text": mark, "start_index": len(text)}
    citation |= {"end_index": len(text) + len(mark), "file_citation": {"file_id": found[0]["file_id"]}}
    return [{"type": "text", "text": {"value": text + mark, "annotations": [citation]}}]


def _stores(world: World, run: Mapping[str, Any]) -> list[str]:
    """The vector stores of the assistant and the thread."""
    owners = [world.objects.get("assistants", run["assistant_id"]), world.objects.get(THREADS, run["thread_id"])]
    given = [members(members(owner).get("tool_resources")).get("file_search") for owner in owners]
    return [store for search in given for store in items(members(search).get("vector_store_ids"))]


def _usage(body: Mapping[str, Any]) -> dict[str, int]:
    usage = members(body.get("usage"))
    return {name: usage.get(name, 0) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
