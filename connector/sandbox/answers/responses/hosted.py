"""Tools that run on the API's side: the item each leaves in the output."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence

from connector.documents import dump
from connector.model import JSON, is_list
from connector.sandbox.answers.pictures import picture
from connector.sandbox.call import World

__all__ = ["citations", "hosted_call"]

FOUND = 3
"""As many of the found pieces are told."""


def hosted_call(tool: Mapping[str, JSON], said: str, world: World, found: Sequence[Mapping[str, JSON]]) -> JSON:
    """The item of a tool that ran; what a search of files found is given."""
    kind = next(kind for kind in CALLS if tool["type"].startswith(kind))
    prefix, made = CALLS[kind](tool, said, world, found)
    return {"id": world.new_id(prefix), "type": CALL_TYPES.get(kind, f"{kind}_call"), "status": "completed", **made}


def citations(found: Sequence[Mapping[str, JSON]], text: str) -> list[dict[str, JSON]]:
    """Where the answer was found, at its end."""
    names = [{"file_id": one["file_id"], "filename": one["filename"]} for one in found[:1]]
    return [{"type": "file_citation", "index": len(text), **name} for name in names]


Made = tuple[str, dict[str, JSON]]


def _web_search(_: Mapping[str, JSON], said: str, __: World, ___: Sequence[Mapping[str, JSON]]) -> Made:
    return "ws_", {"action": {"type": "search", "query": said, "queries": [said]}}


def _file_search(_: Mapping[str, JSON], said: str, __: World, found: Sequence[Mapping[str, JSON]]) -> Made:
    return "fs_", {"queries": [said], "results": [_result(one) for one in found[:FOUND]] or None}


def _code(tool: Mapping[str, JSON], said: str, world: World, _: Sequence[Mapping[str, JSON]]) -> Made:
    container = tool.get("container")
    name = container if isinstance(container, str) else world.new_id("cntr_")
    logs = {"type": "logs", "logs": f"{said}\n"}
    return "ci_", {"code": f"print({said!r})", "container_id": name, "outputs": [logs]}


def _image(tool: Mapping[str, JSON], said: str, _: World, __: Sequence[Mapping[str, JSON]]) -> Made:
    size = str(tool.get("size") or "auto")
    width, height = (int(side) for side in ("1024x1024" if size == "auto" else size).split("x"))
    form = str(tool.get("output_format") or "png")
    return "ig_", {"result": base64.b64encode(picture(said, width, height, form)).decode()}


def _mcp(tool: Mapping[str, JSON], said: str, _: World, __: Sequence[Mapping[str, JSON]]) -> Made:
    allowed = tool.get("allowed_tools")
    name = str(allowed[0]) if is_list(allowed) and allowed else "search"
    arguments = dump({"query": said}).decode()
    return "mcp_", {"server_label": tool["server_label"], "name": name, "arguments": arguments, "output": said}


def _result(found: Mapping[str, JSON]) -> dict[str, JSON]:
    text = "\n".join(part["text"] for part in found["content"])
    head = {"file_id": found["file_id"], "filename": found["filename"], "score": found["score"]}
    return {**head, "attributes": found.get("attributes") or {}, "text": text}


CALLS: Mapping[str, Callable[[Mapping[str, JSON], str, World, Sequence[Mapping[str, JSON]]], Made]] = {
    "web_search": _web_search,
    "file_search": _file_search,
    "code_interpreter": _code,
    "image_generation": _image,
    "mcp": _mcp,
}
CALL_TYPES = {"mcp": "mcp_call"}
