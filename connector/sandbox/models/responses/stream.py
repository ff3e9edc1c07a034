"""A response as the typed events of a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from connector.model import JSON
from connector.sandbox.messages import Event
from connector.sandbox.models.responses.resource import build_unfinished
from connector.sandbox.models.tokens import split_tokens

__all__ = ["stream_events"]

Typed = tuple[str, dict[str, JSON]]
Item = Mapping[str, JSON]


def stream_events(response: Mapping[str, JSON], starting_after: int = -1) -> Iterator[Event]:
    """Yield the events of a finished response after a sequence number."""
    for number, (kind, data) in enumerate(_typed_events(response)):
        if number > starting_after:
            yield Event({"type": kind, "sequence_number": number, **data}, kind)


def _typed_events(response: Mapping[str, JSON]) -> Iterator[Typed]:
    begun = build_unfinished(response, "in_progress")
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}
    for index, item in enumerate(response["output"]):
        empty, grow = ITEM_EVENTS.get(item["type"], (_copy, _no_events))
        yield "response.output_item.added", {"output_index": index, "item": empty(item)}
        place: dict[str, JSON] = {"item_id": item["id"], "output_index": index}
        for kind, data in grow(item):
            yield f"response.{kind}", {**place, **data}
        yield "response.output_item.done", {"output_index": index, "item": item}
    yield f"response.{response['status']}", {"response": response}


def _copy(item: Item) -> dict[str, JSON]:
    return {**item}


def _no_events(_: Item) -> Iterator[Typed]:
    return iter(())


def _without_content(**fields: JSON) -> Callable[[Item], dict[str, JSON]]:
    """Return a function that empties the fields of an item."""
    return lambda item: {**item, **fields}


def _message_events(item: Item) -> Iterator[Typed]:
    for index, part in enumerate(item["content"]):
        field = "refusal" if part["type"] == "refusal" else "text"
        place = {"content_index": index}
        yield "content_part.added", {**place, "part": _empty_part(part, field)}
        yield from _refusal_events(part, place) if field == "refusal" else _text_events(part, place)
        yield "content_part.done", {**place, "part": part}


def _empty_part(part: Item, field: str) -> dict[str, JSON]:
    return {**part, field: "", **({} if field == "refusal" else {"annotations": [], "logprobs": []})}


def _text_events(part: Item, place: Item) -> Iterator[Typed]:
    entries: list[JSON] = [_brief_logprob(entry) for entry in part.get("logprobs") or ()]
    for index, piece in enumerate(split_tokens(part["text"])):
        logprobs = [entries[index]] if entries else []
        yield "output_text.delta", {**place, "delta": piece, "logprobs": logprobs}
    for index, annotation in enumerate(part["annotations"]):
        yield "output_text.annotation.added", {**place, "annotation_index": index, "annotation": annotation}
    yield "output_text.done", {**place, "text": part["text"], "logprobs": entries}


def _brief_logprob(entry: Item) -> dict[str, JSON]:
    """Return a log probability in the form of events."""
    top = [{"token": one["token"], "logprob": one["logprob"]} for one in entry["top_logprobs"]]
    return {"token": entry["token"], "logprob": entry["logprob"], "top_logprobs": top}


def _refusal_events(part: Item, place: Item) -> Iterator[Typed]:
    for piece in split_tokens(part["refusal"]):
        yield "refusal.delta", {**place, "delta": piece}
    yield "refusal.done", {**place, "refusal": part["refusal"]}


def _function_events(item: Item) -> Iterator[Typed]:
    for piece in split_tokens(item["arguments"]):
        yield "function_call_arguments.delta", {"delta": piece}
    yield "function_call_arguments.done", {"name": item["name"], "arguments": item["arguments"]}


def _custom_tool_events(item: Item) -> Iterator[Typed]:
    for piece in split_tokens(item["input"]):
        yield "custom_tool_call_input.delta", {"delta": piece}
    yield "custom_tool_call_input.done", {"input": item["input"]}


def _reasoning_events(item: Item) -> Iterator[Typed]:
    for index, part in enumerate(item["summary"]):
        place = {"summary_index": index}
        yield "reasoning_summary_part.added", {**place, "part": {**part, "text": ""}}
        for piece in split_tokens(part["text"]):
            yield "reasoning_summary_text.delta", {**place, "delta": piece}
        yield "reasoning_summary_text.done", {**place, "text": part["text"]}
        yield "reasoning_summary_part.done", {**place, "part": part}


def _search_events(kind: str) -> Callable[[Item], Iterator[Typed]]:
    states = ("in_progress", "searching", "completed")
    return lambda _: ((f"{kind}.{state}", {}) for state in states)


def _code_events(item: Item) -> Iterator[Typed]:
    yield "code_interpreter_call.in_progress", {}
    for piece in split_tokens(item["code"]):
        yield "code_interpreter_call_code.delta", {"delta": piece}
    yield "code_interpreter_call_code.done", {"code": item["code"]}
    yield "code_interpreter_call.interpreting", {}
    yield "code_interpreter_call.completed", {}


def _image_events(item: Item) -> Iterator[Typed]:
    yield "image_generation_call.in_progress", {}
    yield "image_generation_call.generating", {}
    yield "image_generation_call.partial_image", {"partial_image_index": 0, "partial_image_b64": item["result"]}
    yield "image_generation_call.completed", {}


def _mcp_events(item: Item) -> Iterator[Typed]:
    yield "mcp_call.in_progress", {}
    for piece in split_tokens(item["arguments"]):
        yield "mcp_call_arguments.delta", {"delta": piece}
    yield "mcp_call_arguments.done", {"arguments": item["arguments"]}
    yield "mcp_call.completed", {}


IN_PROGRESS = "in_progress"
ITEM_EVENTS: Mapping[str, tuple[Callable[[Item], dict[str, JSON]], Callable[[Item], Iterator[Typed]]]] = {
    "message": (_without_content(status=IN_PROGRESS, content=[]), _message_events),
    "function_call": (_without_content(status=IN_PROGRESS, arguments=""), _function_events),
    "custom_tool_call": (_without_content(input=""), _custom_tool_events),
    "reasoning": (_without_content(summary=[]), _reasoning_events),
    "web_search_call": (_without_content(status=IN_PROGRESS), _search_events("web_search_call")),
    "file_search_call": (_without_content(status=IN_PROGRESS, results=None), _search_events("file_search_call")),
    "code_interpreter_call": (_without_content(status=IN_PROGRESS, code="", outputs=None), _code_events),
    "image_generation_call": (_without_content(status=IN_PROGRESS, result=None), _image_events),
    "mcp_call": (_without_content(status=IN_PROGRESS, arguments="", output=None), _mcp_events),
}
"""How an item looks when it is added, and the events that complete it."""
