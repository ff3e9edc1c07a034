"""A response is made: at once, in a stream, or in the background."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass

from connector.model import JSON
from connector.sandbox.answers.models import is_reasoning, reasoning_tokens
from connector.sandbox.answers.moderating import moderation_of
from connector.sandbox.answers.reply import Reply, reply_to
from connector.sandbox.answers.responses.asking import ask_of, hosted_tool
from connector.sandbox.answers.responses.building import response_of, unfinished, usage_of
from connector.sandbox.answers.responses.events import events_of
from connector.sandbox.answers.responses.hosted import Run, citations, hosted_call
from connector.sandbox.answers.responses.items import item_tokens, items_of
from connector.sandbox.answers.responses.memory import RESPONSES, RESULTS, Memory, remember
from connector.sandbox.answers.responses.output import Output, output_of, thought_item
from connector.sandbox.answers.tokens import count
from connector.sandbox.call import Answer, Call, World
from connector.shapes import members

__all__ = ["create"]

Found = Sequence[Mapping[str, JSON]]


def create(call: Call, world: World, scripted: Reply | None) -> Answer | Awaitable[Answer]:
    """What the model says, by the script or by the request."""
    tool = hosted_tool(call.payload) if call.payload.get("tools") else None
    if tool is not None and tool["type"] == "file_search":
        return _after_search(call.payload, world, scripted, tool)
    return _answered(_Turn.of(call.payload, world), scripted, tool)


async def _after_search(
    payload: Mapping[str, JSON], world: World, scripted: Reply | None, tool: Mapping[str, JSON]
) -> Answer:
    """The answer once the stores that the tool names were searched."""
    turn, found = _Turn.of(payload, world), list[Mapping[str, JSON]]()
    for store in tool["vector_store_ids"]:
        answer = await world.call("POST", f"/vector_stores/{store}/search", {"query": turn.said})
        found += answer.body["data"] if answer.status == 200 else []
    found.sort(key=_score)
    return _answered(turn, scripted, tool, found)


def _score(found: Mapping[str, JSON]) -> float:
    return -float(found["score"])


@dataclass(frozen=True, slots=True)
class _Turn:
    """One request with what came before it."""

    payload: Mapping[str, JSON]
    world: World
    items: list[dict[str, JSON]]
    memory: Memory
    said: str

    @classmethod
    def of(cls, payload: Mapping[str, JSON], world: World) -> _Turn:
        memory = Memory.before(payload, world)
        items = items_of(payload.get("input"), world)
        if not world.options.lenient:
            memory.check(items)
        return cls(payload, world, items, memory, ask_of(payload, items).said)

    @property
    def heard(self) -> int:
        """How many tokens the model has to read."""
        said = sum(item_tokens(item) for item in self.items)
        return self.memory.tokens + said + count(str(self.payload.get("instructions") or ""))


def _answered(turn: _Turn, scripted: Reply | None, tool: Mapping[str, JSON] | None, found: Found = ()) -> Answer:
    payload, world = turn.payload, turn.world
    reply = scripted or _reply(turn, found)
    response = _response(turn, reply, tool, found)
    if payload.get("moderation"):
        moderated = moderation_of(payload["moderation"], turn.said, reply.text)
        response["moderation"] = {side: results["results"][0] for side, results in moderated.items()}
    remember(response, turn.items, turn.memory, world)
    if payload.get("stream"):
        return Answer(body=response, events=events_of(response))
    return Answer(body=_put_off(response, world) if payload.get("background") else response)


def _reply(turn: _Turn, found: Found) -> Reply:
    """What is found in files is said where nothing else was asked for."""
    reply = reply_to(ask_of(turn.payload, turn.items), f"{turn.world.options.seed}")
    if found and reply == Reply(turn.said):
        return Reply("\n".join(part["text"] for part in found[0]["content"]))
    return reply


def _response(turn: _Turn, reply: Reply, tool: Mapping[str, JSON] | None, found: Found) -> dict[str, JSON]:
    payload, world, most = turn.payload, turn.world, turn.payload.get("max_output_tokens")
    model, effort = str(payload.get("model") or ""), members(payload.get("reasoning")).get("effort")
    thought = reasoning_tokens(model, effort, most)
    room = None if most is None else most - thought
    output = output_of(payload, reply, world, room, citations(found, reply.text))
    first = [thought_item(payload, turn.said, world)] if is_reasoning(model) and thought else []
    if tool is not None:
        first.append(hosted_call(Run(tool, turn.said, world, found)))
    usage = usage_of(turn.heard, output.tokens, thought)
    return response_of(payload, Output([*first, *output.items], output.tokens, output.ran_out), usage, world)


def _put_off(response: dict[str, JSON], world: World) -> dict[str, JSON]:
    """Has the response end later: it waits, and how it will end is kept."""
    waiting = unfinished(response, "queued")
    world.objects.put(RESPONSES, waiting)
    world.objects.put(RESULTS, response)
    world.processes.open(RESPONSES, response["id"], world.now() + world.options.pace)
    return waiting
