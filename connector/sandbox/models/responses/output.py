"""The output items of a response: messages, tool calls, reasoning, runs of hosted tools."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connector.documents import dump
from connector.model import JSON, is_list, members
from connector.sandbox.backend import Backend
from connector.sandbox.messages import Reply, ToolCall
from connector.sandbox.models.media.pictures import draw_picture, parse_size
from connector.sandbox.models.tokens import build_logprobs, count_tokens, truncate

__all__ = ["HostedRun", "Output", "build_citations", "build_hosted_call", "build_output", "build_reasoning_item"]

MOST_RESULTS = 3
"""Search results in an item."""


@dataclass(frozen=True, slots=True)
class HostedRun:
    """One run of a hosted tool, and what a file search found for it."""

    tool: Mapping[str, JSON]
    text: str
    backend: Backend
    found: Sequence[Mapping[str, JSON]] = ()


def build_hosted_call(run: HostedRun) -> dict[str, JSON]:
    """Return the output item of a run."""
    kind = next(kind for kind in HOSTED_CALLS if run.tool["type"].startswith(kind))
    prefix, describe = HOSTED_CALLS[kind]
    return {"id": run.backend.new_id(prefix), "type": f"{kind}_call", "status": "completed", **describe(run)}


def build_citations(found: Sequence[Mapping[str, JSON]], text: str) -> list[dict[str, JSON]]:
    """Return the citation of the best hit at the end of a text."""
    names = [{"file_id": one["file_id"], "filename": one["filename"]} for one in found[:1]]
    return [{"type": "file_citation", "index": len(text), **name} for name in names]


def _web_search(run: HostedRun) -> dict[str, JSON]:
    return {"action": {"type": "search", "query": run.text, "queries": [run.text]}}


def _file_search(run: HostedRun) -> dict[str, JSON]:
    return {"queries": [run.text], "results": [_build_result(one) for one in run.found[:MOST_RESULTS]] or None}


def _code(run: HostedRun) -> dict[str, JSON]:
    container = run.tool.get("container")
    name = container if isinstance(container, str) else run.backend.new_id("cntr_")
    logs = {"type": "logs", "logs": f"{run.text}\n"}
    return {"code": f"print({run.text!r})", "container_id": name, "outputs": [logs]}


def _image(run: HostedRun) -> dict[str, JSON]:
    form = str(run.tool.get("output_format") or "png")
    made = draw_picture(run.text, *parse_size(run.tool.get("size")), form)
    return {"result": base64.b64encode(made).decode()}


def _mcp(run: HostedRun) -> dict[str, JSON]:
    allowed = run.tool.get("allowed_tools")
    name = str(allowed[0]) if is_list(allowed) and allowed else "search"
    called = {"server_label": run.tool["server_label"], "name": name}
    return {**called, "arguments": dump({"query": run.text}).decode(), "output": run.text}


def _build_result(found: Mapping[str, JSON]) -> dict[str, JSON]:
    text = "\n".join(part["text"] for part in found["content"])
    head = {"file_id": found["file_id"], "filename": found["filename"], "score": found["score"]}
    return {**head, "attributes": found.get("attributes") or {}, "text": text}


HOSTED_CALLS: Mapping[str, tuple[str, Callable[[HostedRun], dict[str, JSON]]]] = {
    "web_search": ("ws_", _web_search),
    "file_search": ("fs_", _file_search),
    "code_interpreter": ("ci_", _code),
    "image_generation": ("ig_", _image),
    "mcp": ("mcp_", _mcp),
}
"""By the start of a tool's type: the prefix of its ids, and the fields of its item."""


@dataclass(frozen=True, slots=True)
class Output:
    """Output items, their number of tokens, and whether the limit was reached."""

    items: list[dict[str, JSON]]
    tokens: int
    ran_out: bool = False


def build_output(
    payload: Mapping[str, JSON], reply: Reply, backend: Backend, limit: int | None, annotations: Sequence[JSON] = ()
) -> Output:
    """Return the output items of a reply, cut off at the request's limit."""
    if reply.calls:
        return _build_tool_calls(reply.calls, backend, limit)
    if reply.refusal is not None:
        refused = {"type": "refusal", "refusal": reply.refusal}
        return Output([_build_message(refused, backend)], count_tokens(reply.refusal))
    text, tokens, ran_out = truncate(reply.text, (), limit)
    shown: Sequence[JSON] = () if ran_out else annotations
    part: dict[str, JSON] = {"type": "output_text", "text": text, "annotations": list(shown), "logprobs": []}
    if "message.output_text.logprobs" in (payload.get("include") or ()) or payload.get("top_logprobs"):
        part["logprobs"] = build_logprobs(text, payload.get("top_logprobs") or 0)
    return Output([_build_message(part, backend, "incomplete" if ran_out else "completed")], tokens, ran_out)


def build_reasoning_item(payload: Mapping[str, JSON], text: str, backend: Backend) -> dict[str, JSON]:
    """Return the item of a model's reasoning, with a summary where one is asked for."""
    reasoning: Mapping[str, JSON] = members(payload.get("reasoning"))
    wanted = reasoning.get("summary") or reasoning.get("generate_summary")
    summary = [{"type": "summary_text", "text": f"The request says: {text[:200]}"}] if wanted else []
    item: dict[str, JSON] = {"id": backend.new_id("rs_"), "type": "reasoning", "summary": summary}
    if "reasoning.encrypted_content" in (payload.get("include") or ()):
        item["encrypted_content"] = base64.b64encode(text[:200].encode()).decode()
    return item


def _build_message(part: Mapping[str, JSON], backend: Backend, status: str = "completed") -> dict[str, JSON]:
    head = {"id": backend.new_id("msg_"), "type": "message", "status": status, "role": "assistant"}
    return {**head, "content": [part]}


def _build_tool_calls(calls: Sequence[ToolCall], backend: Backend, limit: int | None) -> Output:
    ended = [truncate(call.arguments, (), limit) for call in calls]
    ran_out = any(end[2] for end in ended)
    items = [_build_tool_call(call, end[0], backend) for call, end in zip(calls, ended, strict=True)]
    return Output(items, sum(end[1] for end in ended), ran_out)


def _build_tool_call(call: ToolCall, arguments: str, backend: Backend) -> dict[str, JSON]:
    called: dict[str, JSON] = {"call_id": backend.new_id("call_"), "name": call.name}
    if call.custom:
        return {"id": backend.new_id("ctc_"), "type": "custom_tool_call", **called, "input": arguments}
    head = {"id": backend.new_id("fc_"), "type": "function_call", "status": "completed"}
    return {**head, **called, "arguments": arguments}
