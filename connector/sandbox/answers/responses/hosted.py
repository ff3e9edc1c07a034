"""Tools that run on the API's side: the item each leaves in the output."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connector.documents import dump
from connector.model import JSON, is_list
from connector.sandbox.answers.pictures import picture
from connector.sandbox.answers.sizes import sides_of
from connector.sandbox.call import World

__all__ = ["Run", "citations", "hosted_call"]

TOLD = 3
"""As many of the found pieces are told."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a tool: what it is for, and what a search of files found for it."""

    tool: Mapping[str, JSON]
    said: str
    world: World
    found: Sequence[Mapping[str, JSON]] = ()


def hosted_call(run: Run) -> dict[str, JSON]:
    """The item that the run leaves."""
    kind = next(kind for kind in CALLS if run.tool["type"].startswith(kind))
    prefix, told = CALLS[kind]
    return {"id": run.world.new_id(prefix), "type": f"{kind}_call", "status": "completed", **told(run)}


def citations(found: Sequence[Mapping[str, JSON]], text: str) -> list[dict[str, JSON]]:
    """Where the answer was found, at its end."""
    names = [{"file_id": one["file_id"], "filename": one["filename"]} for one in found[:1]]
    return [{"type": "file_citation", "index": len(text), **name} for name in names]


def _web_search(run: Run) -> dict[str, JSON]:
    return {"action": {"type": "search", "query": run.said, "queries": [run.said]}}


def _file_search(run: Run) -> dict[str, JSON]:
    return {"queries": [run.said], "results": [_result(one) for one in run.found[:TOLD]] or None}


def _code(run: Run) -> dict[str, JSON]:
    container = run.tool.get("container")
    name = container if isinstance(container, str) else run.world.new_id("cntr_")
    logs = {"type": "logs", "logs": f"{run.said}\n"}
    return {"code": f"print({run.said!r})", "container_id": name, "outputs": [logs]}


def _image(run: Run) -> dict[str, JSON]:
    form = str(run.tool.get("output_format") or "png")
    made = picture(run.said, *sides_of(run.tool.get("size")), form)
    return {"result": base64.b64encode(made).decode()}


def _mcp(run: Run) -> dict[str, JSON]:
    allowed = run.tool.get("allowed_tools")
    name = str(allowed[0]) if is_list(allowed) and allowed else "search"
    called = {"server_label": run.tool["server_label"], "name": name}
    return {**called, "arguments": dump({"query": run.said}).decode(), "output": run.said}


def _result(found: Mapping[str, JSON]) -> dict[str, JSON]:
    text = "\n".join(part["text"] for part in found["content"])
    head = {"file_id": found["file_id"], "filename": found["filename"], "score": found["score"]}
    return {**head, "attributes": found.get("attributes") or {}, "text": text}


CALLS: Mapping[str, tuple[str, Callable[[Run], dict[str, JSON]]]] = {
    "web_search": ("ws_", _web_search),
    "file_search": ("fs_", _file_search),
    "code_interpreter": ("ci_", _code),
    "image_generation": ("ig_", _image),
    "mcp": ("mcp_", _mcp),
}
"""By what a tool's type begins with: what its ids begin with, and what its item tells."""
