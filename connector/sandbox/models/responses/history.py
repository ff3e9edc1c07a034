"""What precedes a response: earlier responses, or the conversation it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.model import JSON, is_document
from connector.sandbox.backend import Backend
from connector.sandbox.messages import ApiError
from connector.sandbox.models.responses.items import TOOL_OUTPUTS, count_item_tokens

__all__ = ["HISTORIES", "INPUT_ITEMS", "RESPONSES", "RESULTS", "History", "get_conversation_id", "store_response"]

RESPONSES, INPUT_ITEMS = "responses", "response input items"
RESULTS, HISTORIES = "response results", "response memories"
"""Not shown by the API: how a response in the background ends, and the history for those that follow."""
CONVERSATIONS, CONVERSATION_ITEMS = "conversations", "conversation items"
TOOL_CALLS = (
    "function_call",
    "custom_tool_call",
    "computer_call",
    "local_shell_call",
    "shell_call",
    "apply_patch_call",
)
MOST_CALLS = 1000
"""The number of earlier calls that are remembered."""


@dataclass(frozen=True, slots=True)
class History:
    """The tokens and the tool calls of what precedes a response."""

    tokens: int = 0
    calls: tuple[str, ...] = ()

    @classmethod
    def load(cls, payload: Mapping[str, JSON], backend: Backend) -> History:
        """Return the history of a request; raise ApiError for an earlier response that does not exist."""
        conversation, previous = get_conversation_id(payload), payload.get("previous_response_id")
        if conversation and previous and not backend.options.lenient:
            message = "'previous_response_id' and 'conversation' cannot both be given: give one of them."
            raise ApiError(400, message, param="previous_response_id", code="mutually_exclusive_parameters")
        if conversation:
            backend.require_object(CONVERSATIONS, conversation)
            return cls().extend(list(backend.objects.all(CONVERSATION_ITEMS, conversation)))
        return cls._load_response(previous, backend) if previous else cls()

    @classmethod
    def _load_response(cls, response: str, backend: Backend) -> History:
        stored = backend.objects.get(HISTORIES, response)
        if stored is None and not backend.options.lenient:
            message = f"Previous response with id '{response}' not found."
            raise ApiError(400, message, param="previous_response_id", code="previous_response_not_found")
        return cls(stored["tokens"], tuple(stored["calls"])) if stored else cls()

    def extend(self, items: Sequence[Mapping[str, JSON]]) -> History:
        """Return the history with more items in it."""
        calls = [item["call_id"] for item in items if item["type"] in TOOL_CALLS and item.get("call_id")]
        return History(
            self.tokens + sum(count_item_tokens(item) for item in items), (*self.calls, *calls)[-MOST_CALLS:]
        )

    def check_tool_outputs(self, items: Sequence[Mapping[str, JSON]]) -> None:
        """Raise ApiError for a tool output without a tool call."""
        known = {*self.calls, *(item.get("call_id") for item in items if item["type"] in TOOL_CALLS)}
        for item in items:
            if item["type"] in TOOL_OUTPUTS and item.get("call_id") not in known:
                call = item["type"].replace("_output", "").replace("_", " ")
                message = f"No tool call found for {call} output with call_id {item.get('call_id')}."
                raise ApiError(400, message, param="input")


def get_conversation_id(payload: Mapping[str, JSON]) -> str | None:
    """Return the id of the conversation of a request."""
    given = payload.get("conversation")
    return str(given["id"]) if is_document(given) else given


def store_response(
    response: Mapping[str, JSON], items: Sequence[dict[str, JSON]], history: History, backend: Backend
) -> None:
    """Store a response with its input and history, and add its items to its conversation."""
    output: Sequence[dict[str, JSON]] = response["output"]
    conversation = get_conversation_id(response)
    if conversation:
        for item in (*items, *output):
            backend.objects.put(CONVERSATION_ITEMS, item, conversation)
    if response["store"]:
        backend.objects.put(RESPONSES, response)
        after = history.extend([*items, *output])
        backend.objects.put(HISTORIES, {"id": response["id"], "tokens": after.tokens, "calls": after.calls})
        for item in items:
            backend.objects.put(INPUT_ITEMS, item, response["id"])
