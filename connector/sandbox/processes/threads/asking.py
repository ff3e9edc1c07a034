"""What a run asks of its model, and what the model says to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.documents import dump
from connector.model import JSON
from connector.sandbox.processes.threads.messages import MESSAGES, text_of
from connector.sandbox.processes.threads.steps import STEPS
from connector.shapes import items, members

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connector.sandbox.call import Answer, World

__all__ = ["ask", "found_in_stores"]

PASSED_ON = ("temperature", "top_p", "max_completion_tokens", "reasoning_effort")
FOUND = 5


async def ask(world: World, run: Mapping[str, Any], found: list[Mapping[str, Any]]) -> Answer:
    """The chat completion that a run comes to; scripts see it like any other."""
    payload: dict[str, JSON] = {"model": run["model"], "messages": list(_messages(world, run, found))}
    payload |= {name: run[name] for name in PASSED_ON if run.get(name) is not None}
    if tools := [tool for tool in run["tools"] if tool["type"] == "function"]:
        payload |= {"tools": tools, "parallel_tool_calls": run["parallel_tool_calls"]}
        choice = run["tool_choice"]
        if choice in ("auto", "none", "required") or members(choice).get("type") == "function":
            payload["tool_choice"] = choice if not _answered(world, run) else "auto"
    if run["response_format"] not in (None, "auto"):
        payload["response_format"] = run["response_format"]
    return await world.call("POST", "/v1/chat/completions", payload)


async def found_in_stores(world: World, run: Mapping[str, Any], stores: list[str]) -> list[Mapping[str, Any]]:
    """What the vector stores hold on the last thing that the user said."""
    said = [text_of(message) for message in _latest(world, run) if message["role"] == "user"][-1:]
    if not said or not said[0].strip() or not any(tool["type"] == "file_search" for tool in run["tools"]):
        return []
    found: list[Mapping[str, Any]] = []
    for store in stores:
        answer = await world.call("POST", f"/v1/vector_stores/{store}/search", {"query": said[0]})
        found += items(members(answer.body).get("data"))
    return sorted((one for one in found if one["score"] > 0), key=lambda one: -float(one["score"]))[:FOUND]


def _messages(world: World, run: Mapping[str, Any], found: list[Mapping[str, Any]]) -> Iterator[JSON]:
    if run["instructions"]:
        yield {"role": "system", "content": run["instructions"]}
    for one in found:
        yield {"role": "system", "content": f"{one['filename']}: {one['content'][0]['text']}"}
    for message in _latest(world, run):
        yield {"role": message["role"], "content": text_of(message) or "(a picture)"}
    yield from _tool_messages(world, run)


def _latest(world: World, run: Mapping[str, Any]) -> list[dict[str, Any]]:
    messages = list(world.objects.all(MESSAGES, run["thread_id"]))
    most = members(run["truncation_strategy"]).get("last_messages")
    return messages[-most:] if most else messages


def _tool_messages(world: World, run: Mapping[str, Any]) -> Iterator[JSON]:
    for step in world.objects.all(STEPS, f"{run['thread_id']}/{run['id']}"):
        calls = [call for call in items(step["step_details"].get("tool_calls")) if call["type"] == "function"]
        if step["status"] == "completed" and calls:
            yield {"role": "assistant", "content": None, "tool_calls": [_asked(call) for call in calls]}
            for call in calls:
                output = call["function"]["output"]
                text = output if isinstance(output, str) else dump(output).decode()
                yield {"role": "tool", "tool_call_id": call["id"], "content": text}


def _asked(call: Mapping[str, Any]) -> dict[str, JSON]:
    function = {name: call["function"][name] for name in ("name", "arguments")}
    return {"id": call["id"], "type": "function", "function": function}


def _answered(world: World, run: Mapping[str, Any]) -> bool:
    """Whether tools were called before: a choice that must call one has then been kept."""
    return any(True for _ in _tool_messages(world, run))
