"""Payloads as people write them, none of which holds more than it must: each passes the strictest check in silence."""

# ruff: noqa: E501 - a table of payloads is read by its lines
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector.request import Wire


def user(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def respond(*items: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "input": list(items)} | more


TEXT = {"type": "input_text", "text": "What is it?"}
SAID = {"role": "assistant", "content": [{"type": "output_text", "text": "A cat."}]}
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}}
RESPONSES = {
    "an image without detail": respond(*user(TEXT, {"type": "input_image", "image_url": "https://example.com/cat.png"})),
    "an image of a file": respond(*user(TEXT, {"type": "input_image", "file_id": "file-1"})),
    "a file by its address": respond(*user(TEXT, {"type": "input_file", "file_url": "https://example.com/a.pdf"})),
    "a file in the request": respond(*user({"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="}, TEXT)),
    "a function without strict": respond({"role": "user", "content": "x"}, tools=[{"type": "function", "name": "f", "parameters": WEATHER}]),
    "a function without parameters": respond({"role": "user", "content": "x"}, tools=[{"type": "function", "name": "f"}]),
    "what was said, as text": respond({"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}),
    "what was said, in parts": respond({"role": "user", "content": "x"}, SAID),
    "what was said, as a message": respond({"role": "user", "content": "x"}, {"type": "message", **SAID}),
    "what was said, with nothing known of it": respond({"type": "message", "id": None, "status": None, **SAID}),
    "a message that says so": respond({"type": "message", "role": "user", "content": [TEXT]}),
    "a call and its result": respond(
        {"role": "user", "content": "x"}, {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "7"},
    ),
    "a call of no status": respond({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "status": None}),
    "a result in parts": respond({"type": "function_call_output", "call_id": "c", "output": [TEXT]}),
    "reasoning without its id": respond({"type": "reasoning", "summary": [], "encrypted_content": "x"}, {"role": "user", "content": "y"}),
    "an image made before": respond(*user(TEXT), {"type": "image_generation_call", "id": "ig_1"}),
    "a search made before": respond({"type": "web_search_call", "id": "ws_1", "status": "completed"}, {"role": "user", "content": "y"}),
    "files found before": respond({"type": "file_search_call", "queries": ["cats"]}, {"role": "user", "content": "y"}),
    "code that ran before": respond({"type": "code_interpreter_call", "container_id": "cntr_1"}, {"role": "user", "content": "y"}),
    "a screenshot": respond({"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,aGk="}}),
    "a screenshot as a picture": respond({"type": "computer_call_output", "call_id": "c", "output": {"type": "input_image", "image_url": "data:image/png;base64,aGk="}}),
    "a shell's output": respond({"type": "local_shell_call_output", "call_id": "c", "output": "ok"}),
    "tools of a server": respond({"type": "mcp_list_tools", "server_label": "s", "tools": [{"name": "t", "input_schema": {}}]}),
    "an approval": respond({"type": "mcp_approval_response", "approval_request_id": "a", "approve": True}),
    "a custom call and its result": respond(
        {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"}, {"type": "custom_tool_call_output", "call_id": "c", "output": "y"},
    ),
    "a reference": respond({"type": "item_reference", "id": "msg_1"}),
    "every hosted tool": respond({"role": "user", "content": "x"}, tools=[
        {"type": "web_search"}, {"type": "web_search_preview"}, {"type": "file_search", "vector_store_ids": ["vs_1"]}, {"type": "image_generation"},
        {"type": "code_interpreter", "container": {"type": "auto"}}, {"type": "local_shell"}, {"type": "custom", "name": "c"},
        {"type": "mcp", "server_label": "s", "server_url": "https://example.com/mcp", "require_approval": "never"},
    ]),
    "a schema without strict": respond({"role": "user", "content": "x"}, text={"format": {"type": "json_schema", "name": "n", "schema": WEATHER}}),
    "a stored prompt": {"prompt": {"id": "pmpt_1", "variables": {"city": "Paris"}}},
    "what comes next": {"model": "m", "previous_response_id": "resp_1", "input": "And then?", "store": False},
    "reasoning": {"model": "m", "input": "x", "reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]},
}  # fmt: skip


@pytest.mark.parametrize("name", RESPONSES)
def test_responses(name: str, prepare: Callable[..., Wire]) -> None:
    for operation in ("POST /responses", "POST /responses/input_tokens"):
        known = {key: value for key, value in RESPONSES[name].items() if key not in ("store", "include", "prompt")}
        payload = RESPONSES[name] if operation == "POST /responses" else known
        assert prepare(operation, {"payload": payload}, validate="strict").warnings == ()


MESSAGES = [{"role": "user", "content": "x"}]
OTHERS = [
    ("POST /chat/completions", {"model": "m", "messages": MESSAGES, "response_format": None}),
    (
        "POST /chat/completions",
        {
            "model": "m",
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}
            ],
        },
    ),
    (
        "POST /chat/completions",
        {
            "model": "m",
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": "https://example.com/a.png"}]}
            ],
        },
    ),
    (
        "POST /chat/completions",
        {
            "model": "m",
            "messages": MESSAGES,
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "tool_choice": "auto",
        },
    ),
    (
        "POST /chat/completions",
        {
            "model": "m",
            "messages": MESSAGES,
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": WEATHER}},
        },
    ),
    (
        "POST /chat/completions",
        {
            "model": "m",
            "messages": [
                *MESSAGES,
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                },
                {"role": "tool", "tool_call_id": "c", "content": "7"},
            ],
        },
    ),
    ("POST /completions", {"model": "m", "prompt": "x"}),
    ("POST /completions", {"model": "m"}),
    ("POST /embeddings", {"model": "m", "input": ["x"], "encoding_format": None}),
    (
        "POST /moderations",
        {
            "input": [
                {"type": "text", "text": "x"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            ]
        },
    ),
    ("POST /images/generations", {"prompt": "x", "model": "m", "n": 1, "size": "1024x1024"}),
    ("POST /audio/speech", {"model": "m", "input": "x", "voice": "alloy"}),
    ("POST /batches", {"input_file_id": "file-1", "endpoint": "/v1/responses", "completion_window": "24h"}),
    (
        "POST /vector_stores",
        {"name": "n", "file_ids": ["file-1"], "expires_after": {"anchor": "last_active_at", "days": 7}},
    ),
    (
        "POST /fine_tuning/jobs",
        {
            "model": "m",
            "training_file": "file-1",
            "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
        },
    ),
    ("POST /assistants", {"model": "m", "tools": [{"type": "code_interpreter"}, {"type": "file_search"}]}),
    ("POST /threads/runs", {"assistant_id": "asst_1", "thread": {"messages": MESSAGES}}),
    ("POST /conversations", {"items": [{"type": "message", "role": "user", "content": "x"}]}),
    (
        "POST /conversations",
        {
            "items": [
                {"role": "user", "content": [TEXT, {"type": "input_image", "image_url": "https://example.com/a.png"}]},
                SAID,
            ]
        },
    ),
    (
        "POST /realtime/client_secrets",
        {
            "session": {
                "type": "realtime",
                "model": "m",
                "audio": {"output": {"voice": "marin"}},
                "tools": [{"type": "function", "name": "f", "parameters": WEATHER}],
            }
        },
    ),
    ("POST /uploads", {"filename": "a.jsonl", "purpose": "batch", "bytes": 9, "mime_type": "text/jsonl"}),
]


@pytest.mark.parametrize(("operation", "payload"), OTHERS)
def test_others(operation: str, payload: dict[str, Any], prepare: Callable[..., Wire]) -> None:
    found = prepare(operation, {"payload": payload}, validate="strict").warnings
    assert [warning for warning in found if warning.found != "deprecated"] == []


FORMS = [
    ("POST /files", {"purpose": "batch", "file": {"$content": "e30K", "filename": "a.jsonl"}}),
    (
        "POST /audio/transcriptions",
        {
            "model": "m",
            "file": {"$content": "aGk=", "filename": "a.mp3"},
            "response_format": "verbose_json",
            "timestamp_granularities": ["word"],
        },
    ),
    ("POST /images/edits", {"model": "m", "prompt": "x", "image": [{"$content": "aGk=", "filename": "a.png"}]}),
    ("POST /uploads/{upload_id}/parts", {"data": {"$content": "aGk="}}),
]


@pytest.mark.parametrize(("operation", "payload"), FORMS)
def test_forms(operation: str, payload: dict[str, Any], prepare: Callable[..., Wire]) -> None:
    path = {"upload_id": "u"} if "{" in operation else {}
    prepare(operation, {"path": path, "payload": payload}, validate="strict")
