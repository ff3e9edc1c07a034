"""What came before a response: the responses it follows, or the conversation it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.model import JSON, is_document
from connector.sandbox.answers.responses.items import ANSWERS, item_tokens
from connector.sandbox.call import Refused, World

__all__ = [
    "CONVERSATION_ITEMS",
    "INPUT_ITEMS",
    "MEMORIES",
    "RESPONSES",
    "RESULTS",
    "Memory",
    "conversation_of",
    "remember",
]

RESPONSES, INPUT_ITEMS = "responses", "response input items"
RESULTS, MEMORIES = "response results", "response memories"
"""What the API does not show: how a response in the background will end, and what it leaves to the ones that follow."""
CONVERSATIONS, CONVERSATION_ITEMS = "conversations", "conversation items"
CALLS = ("function_call", "custom_tool_call", "computer_call", "local_shell_call", "shell_call", "apply_patch_call")
MOST_CALLS = 1000
"""Earlier calls than these last ones need not be known any more."""


@dataclass(frozen=True, slots=True)
class Memory:
    """How much was said before, and which tools were called."""

    tokens: int = 0
    calls: tuple[str, ...] = ()

    @classmethod
    def before(cls, payload: Mapping[str, JSON], world: World) -> Memory:
        """What a request builds on; an earlier response or conversation that is not there is refused."""
        conversation, previous = conversation_of(payload), payload.get("previous_response_id")
        if conversation and previous and not world.options.lenient:
            message = "'previous_response_id' and 'conversation' cannot both be given: give one of them."
            raise Refused(400, message, param="previous_response_id", code="mutually_exclusive_parameters")
        if conversation:
            world.found(CONVERSATIONS, conversation)
            return cls().after(list(world.objects.all(CONVERSATION_ITEMS, conversation)))
        return cls._of(previous, world) if previous else cls()

    @classmethod
    def _of(cls, response: str, world: World) -> Memory:
        kept = world.objects.get(MEMORIES, response)
        if kept is None and not world.options.lenient:
            message = f"Previous response with id '{response}' not found."
            raise Refused(400, message, param="previous_response_id", code="previous_response_not_found")
        return cls(kept["tokens"], tuple(kept["calls"])) if kept else cls()

    def after(self, items: Sequence[Mapping[str, JSON]]) -> Memory:
        """The memory with more items in it."""
        calls = [item["call_id"] for item in items if item["type"] in CALLS and item.get("call_id")]
        return Memory(self.tokens + sum(item_tokens(item) for item in items), (*self.calls, *calls)[-MOST_CALLS:])

    def check(self, items: Sequence[Mapping[str, JSON]]) -> None:
        """Refuses a tool's result that no tool was called for."""
        known = {*self.calls, *(item.get("call_id") for item in items if item["type"] in CALLS)}
        for item in items:
            if item["type"] in ANSWERS and item.get("call_id") not in known:
                call = item["type"].replace("_output", "").replace("_", " ")
                message = f"No tool call found for {call} output with call_id {item.get('call_id')}."
                raise Refused(400, message, param="input")


def conversation_of(payload: Mapping[str, JSON]) -> str | None:
    """The id of the conversation that a request belongs to."""
    given = payload.get("conversation")
    return str(given["id"]) if is_document(given) else given


def remember(response: Mapping[str, JSON], items: Sequence[dict[str, JSON]], memory: Memory, world: World) -> None:
    """Keeps a response for those who ask for it or follow it; a conversation grows by it."""
    output: Sequence[dict[str, JSON]] = response["output"]
    conversation = conversation_of(response)
    if conversation:
        for item in (*items, *output):
            world.objects.put(CONVERSATION_ITEMS, item, conversation)
    if response["store"]:
        world.objects.put(RESPONSES, response)
        after = memory.after([*items, *output])
        world.objects.put(MEMORIES, {"id": response["id"], "tokens": after.tokens, "calls": after.calls})
        for item in items:
            world.objects.put(INPUT_ITEMS, item, response["id"])
