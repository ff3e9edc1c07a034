"""What goes back and forth: one chat completion of everyday size, and a list of files."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["ANSWER", "ENTITIES", "MODEL", "PAGE", "TEXT", "TOKEN", "pages", "payload"]

TOKEN = "none-needed-on-loopback"
MODEL = "gpt-4.1-mini"
ENTITIES, PAGE = 100_000, 100
TEXT = "The parcel left the depot on Tuesday and is due tomorrow before noon; no signature is needed. " * 3


def payload(number: int) -> dict[str, Any]:
    """A request of about 1 kB, a different one for each number so that nobody gains by remembering the last."""
    question = f"Order {number}: the customer asks where the parcel is and whether somebody must be at home to sign."
    return {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": "You answer customers of a web shop: briefly, kindly, from the facts given."},
            {"role": "user", "content": "Is it possible to change the address of a parcel that has already been sent?"},
            {"role": "assistant", "content": "Yes, until it is in the van. Shall I send you the page that does it?"},
            {"role": "user", "content": [{"type": "text", "text": question}]},
        ],
        "temperature": 0.2,
        "max_completion_tokens": 300,
        "tools": [{"type": "function", "function": {"name": "track", "description": _TRACK, "parameters": _PARCEL}}],
        "tool_choice": "auto",
    }


_TRACK = "Say where a parcel is, when it is due, and what the carrier expects of the person who takes it."
_PARCEL = {
    "type": "object",
    "properties": {"parcel": {"type": "string"}, "carrier": {"type": "string", "enum": ["north", "south"]}},
    "required": ["parcel"],
    "additionalProperties": False,
}
_USAGE = {
    "prompt_tokens": 212,
    "completion_tokens": 63,
    "total_tokens": 275,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
_CHOICE = {
    "index": 0,
    "message": {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []},
    "logprobs": None,
    "finish_reason": "stop",
}
ANSWER = json.dumps(
    {
        "id": "chatcmpl-Cq0000000000000000000000000000",
        "object": "chat.completion",
        "created": 1785542400,
        "model": f"{MODEL}-2025-04-14",
        "choices": [_CHOICE],
        "usage": _USAGE,
        "service_tier": "default",
        "system_fingerprint": "fp_0000000000",
    }
).encode()


def pages() -> dict[bytes, bytes]:
    """The list of files, page by page: what a request gives as `after` → its answer."""
    firsts = range(0, ENTITIES, PAGE)
    return {_id(first - 1).encode() if first else b"": _page(first) for first in firsts}


def _page(first: int) -> bytes:
    files = [_file(number) for number in range(first, first + PAGE)]
    return json.dumps(
        {
            "object": "list",
            "data": files,
            "first_id": files[0]["id"],
            "last_id": files[-1]["id"],
            "has_more": first + PAGE < ENTITIES,
        }
    ).encode()


def _file(number: int) -> dict[str, Any]:
    return {
        "id": _id(number),
        "object": "file",
        "bytes": 1000 + number,
        "created_at": 1785542400 + number,
        "expires_at": None,
        "filename": f"lines-{number}.jsonl",
        "purpose": "batch",
        "status": "processed",
    }


def _id(number: int) -> str:
    return f"file-{number:024d}"
