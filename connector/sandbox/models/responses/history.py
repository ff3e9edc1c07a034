"""What precedes a response: earlier responses, or its conversation, as input items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.model import JSON, is_document, is_list
from connector.sandbox.backend import Backend
from connector.sandbox.messages import ApiError
from connector.sandbox.models.tokens import count_content_tokens, count_tokens, get_content_text

__all__ = [
    "HISTORIES",
    "INPUT_ITEMS",
    "RESPONSES",
    "RESULTS",
    "TOOL_OUTPUTS",
    "History",
    "count_item_tokens",
    "find_last_input",
    "get_conversation_id",
    "read_items",
    "store_response",
]

ID_PREFIXES = {
    "message": "msg_", "function_call": "fc_", "function_call_output": "fco_", "reasoning": "rs_", "compaction": "cmp_",
    "custom_tool_call": "ctc_", "custom_tool_call_output": "ctco_",
}  # fmt: skip
TOOL_OUTPUTS = ("function_call_output", "custom_tool_call_output", "computer_call_output", "local_shell_call_output",
           "shell_call_output", "apply_patch_call_output")  # fmt: skip
"""Items that a caller sends after a tool call."""
WITH_STATUS = (*TOOL_OUTPUTS, "function_call", "computer_call", "web_search_call", "file_search_call")
"""Items that have a status."""


def read_items(given: JSON, backend: Backend) -> list[dict[str, JSON]]:
    """Return the input as a list of items without references to earlier ones."""
    if given is None:
        return []
    if isinstance(given, str):
        return [_read_message({"role": "user", "content": given}, backend)]
    return [_read_item(item, backend) for item in given if item.get("type") != "item_reference"]


def find_last_input(items: Sequence[Mapping[str, JSON]]) -> tuple[str, bool]:
    """Return the last text for the model, and whether it is a tool's output."""
    for item in reversed(items):
        if item["type"] == "message" and item["role"] == "user":
            return get_content_text(item["content"]), False
        if item["type"] in TOOL_OUTPUTS:
            return get_content_text(item.get("output")), True
    return (get_content_text(items[-1].get("content")) if items else ""), False


def count_item_tokens(item: Mapping[str, JSON]) -> int:
    """Return the number of tokens of an item."""
    texts = (item.get(name) for name in ("arguments", "input", "output", "encrypted_content"))
    return count_content_tokens(item.get("content")) + sum(
        count_tokens(text) if isinstance(text, str) else count_content_tokens(text) for text in texts
    )


def _read_item(item: Mapping[str, JSON], backend: Backend) -> dict[str, JSON]:
    kind = item.get("type") or "message"
    if kind == "message":
        return _read_message(item, backend)
    made = {"id": item.get("id") or backend.new_id(ID_PREFIXES.get(kind, "item_"))}
    status = {"status": item.get("status") or "completed"} if kind in WITH_STATUS else {}
    return {**item, **made, **status}


def _read_message(item: Mapping[str, JSON], backend: Backend) -> dict[str, JSON]:
    role, content = item["role"], item.get("content")
    parts: Sequence[Mapping[str, JSON]] = (
        content
        if is_list(content)
        else [{"type": "output_text" if role == "assistant" else "input_text", "text": content}]
    )
    head = {"id": item.get("id") or backend.new_id("msg_"), "type": "message", "status": "completed", "role": role}
    return {**head, "content": [_read_part(part) for part in parts]}


def _read_part(part: Mapping[str, JSON]) -> dict[str, JSON]:
    kind = part.get("type")
    if kind == "output_text":
        return {"annotations": [], "logprobs": [], **part}
    return {"detail": "auto", **part} if kind == "input_image" else {**part}


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
