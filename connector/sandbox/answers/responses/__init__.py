"""Responses: what a model answers to items, with a memory, whole or in a stream, now or in the background."""

from __future__ import annotations

from collections.abc import Mapping

from connector.sandbox.answers.responses.compacting import compact, count_input
from connector.sandbox.answers.responses.creating import create
from connector.sandbox.answers.responses.stored import delete, list_input, retrieve
from connector.sandbox.answers.scripted import silent, spoken
from connector.sandbox.call import Handler

__all__ = ["HANDLERS"]

USUAL: Mapping[str, Handler] = {
    "POST /responses": spoken(create),
    "POST /responses/compact": silent(compact),
    "POST /responses/input_tokens": count_input,
    "GET /responses/{response_id}": retrieve,
    "DELETE /responses/{response_id}": delete,
    "GET /responses/{response_id}/input_items": list_input,
}
HANDLERS: Mapping[str, Handler] = {**USUAL, **{f"{name}?beta=true": handler for name, handler in USUAL.items()}}
"""The beta operations are the same ones under another query."""
