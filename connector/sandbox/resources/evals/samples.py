"""The rows of an eval run's data source, and the sample of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON, is_list, is_object, items, members
from connector.sandbox.backend import Backend
from connector.sandbox.resources.crud import bad_request
from connector.sandbox.resources.graders.prompts import ModelAnswer, UnknownVariable, ask_model, fill_messages

__all__ = ["load_rows", "sample_row"]

MOST_ROWS = 10_000
STORED_KINDS: Mapping[str, str] = {"stored_completions": "chat completions", "responses": "responses"}
SETTINGS = ("temperature", "top_p", "seed", "max_completion_tokens", "response_format", "tools", "reasoning_effort")


def load_rows(backend: Backend, source: Mapping[str, Any]) -> list[dict[str, JSON]]:
    """Return the rows of a source, each with its `item` and, where it has one, its `sample`."""
    if source["type"] == "file_content":
        return [dict(row) for row in source["content"]]
    if source["type"] == "file_id":
        return list(_parse_lines(backend.read_content(source["id"])))
    kind = STORED_KINDS[source["type"]]
    page = backend.objects.page(
        kind, limit=min(source.get("limit") or MOST_ROWS, MOST_ROWS), where=lambda one: _matches(one, source)
    )
    return [_build_row(one) for one in page.items]


def _parse_lines(data: bytes) -> Iterator[dict[str, JSON]]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = parse(line)
        except InvalidDocument:
            row = None
        if not is_object(row) or not is_object(row.get("item")):
            raise bad_request(
                f"Line {number} of the file is not a JSON object with an 'item'.", "data_source.source.id"
            )
        yield dict(row)


def _matches(stored: Mapping[str, JSON], source: Mapping[str, JSON]) -> bool:
    made = stored.get("created", stored.get("created_at", 0))
    wanted = members(source.get("metadata"))
    return (
        source.get("model") in (None, stored.get("model"))
        and (source.get("created_after") or 0) <= made <= (source.get("created_before") or made)
        and all(members(stored.get("metadata")).get(name) == value for name, value in wanted.items())
    )


def _build_row(stored: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the row of a stored answer: its input and its output."""
    choices = items(stored.get("choices"))
    if choices:
        text = members(choices[0].get("message")).get("content") or ""
    else:
        parts = [part for item in items(stored.get("output")) for part in items(members(item).get("content"))]
        text = "".join(part.get("text", "") for part in map(members, parts))
    item: dict[str, JSON] = {
        "input": stored.get("messages") or stored.get("input") or [],
        "output": text,
        "id": stored["id"],
    }
    return {"item": item, "sample": {"output_text": text, "model": stored.get("model")}}


async def sample_row(backend: Backend, source: Mapping[str, Any], row: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the sample of a row in the form of an output item."""
    model = source.get("model")
    known = members(row.get("sample"))
    if model is None:
        text = known.get("output_text", "")
        return _build_sample([], ModelAnswer(text, {}), known.get("model") or "", {})
    settings = {name: value for name, value in members(source.get("sampling_params")).items() if name in SETTINGS}
    try:
        messages = _build_messages(source.get("input_messages"), row["item"])
        answer = await ask_model(backend, model, messages, settings)
    except UnknownVariable as reason:
        messages, answer = [], ModelAnswer("", {}, error=str(reason))
    return _build_sample(messages, answer, model, settings)


def _build_messages(wanted: JSON, item: JSON) -> list[dict[str, JSON]]:
    """Return the messages of a template, or those that a reference into the item names."""
    body = members(wanted)
    if body.get("type") == "template":
        return fill_messages(body["template"], {"item": item})
    value: JSON = {"item": item}
    for key in str(body.get("item_reference") or "item.input").split("."):
        value = members(value).get(key)
    if is_list(value):
        return fill_messages(value, {})
    if value is None:
        raise UnknownVariable(f"the item has nothing at '{body.get('item_reference')}'")
    return [{"role": "user", "content": str(value)}]


def _build_sample(
    messages: list[dict[str, JSON]], answer: ModelAnswer, model: str, settings: Mapping[str, JSON]
) -> dict[str, JSON]:
    usage = {name: answer.usage.get(name, 0) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    sample: dict[str, JSON] = {"input": messages, "output": [{"role": "assistant", "content": answer.text}]}
    sample |= {"finish_reason": answer.finish_reason, "model": model, "usage": {**usage, "cached_tokens": 0}}
    sample |= {"error": {"code": "server_error" if answer.error else "", "message": answer.error}}
    sample |= {"temperature": settings.get("temperature", 1), "top_p": settings.get("top_p", 1)}
    limit = settings.get("max_completion_tokens", 2048)
    return {**sample, "seed": settings.get("seed", 42), "max_completion_tokens": limit}
