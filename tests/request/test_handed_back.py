"""What an answer holds is taken back as input, whole or without what the API fills in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector.catalogue import Catalogue
from connector.catalogue.examples import example_number, example_string
from connector.catalogue.flat_schema import FlatSchema, flatten
from connector.catalogue.schemas import require_filled
from connector.request import Wire

DEFINITIONS = Catalogue.open().definitions()
ANSWERS = require_filled(DEFINITIONS)
UNIONS = ("OutputItem", "ItemResource", "ConversationItem", "BetaOutputItem", "BetaItemResource")
ITEMS = sorted({one["$ref"].rpartition("/")[2] for union in UNIONS for one in DEFINITIONS[union]["anyOf"]})
ROLES = {"Message", "BetaMessage", "AdditionalTools", "BetaAdditionalTools"}
"""Their roles are those of every message that the API keeps; of a caller it takes fewer."""
FILLED = ("id", "status", "created_by", "annotations", "logprobs", "pending_safety_checks")


def made(shape: FlatSchema, name: str, *, full: bool, depth: int = 0) -> Any:
    """A value of a shape with all that it may hold, or what it always holds."""
    if shape.choices:
        return next(one for one in shape.choices if one is not None)
    kind = shape.types[0]
    if kind == "object":
        names = [one for one in shape.properties if one in shape.required or (full and depth < 5)]
        return {one: made(shape.property(one), one, full=full, depth=depth + 1) for one in names}
    if kind == "array":
        return [made(shape.items(), name, full=full, depth=depth + 1)] if depth < 7 else []
    if not shape.facts:
        return {}
    if kind == "string":
        return example_string(name, "responses", shape.facts)
    return example_number(name, kind, shape.facts) if kind != "boolean" else True


def item(name: str, *, full: bool) -> dict[str, Any]:
    value: dict[str, Any] = made(flatten({"$ref": f"#/$defs/{name}", "$defs": ANSWERS}), name, full=full)
    return value | ({"role": "developer"} if name in ROLES else {})


def without(value: Any) -> Any:
    """A value without what the API fills in."""
    if isinstance(value, dict):
        return {name: without(child) for name, child in value.items() if name not in FILLED}
    return [without(child) for child in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ITEMS)
@pytest.mark.parametrize("full", [False, True], ids=["least", "full"])
def test_an_output_item_is_input(name: str, full: bool, prepare: Callable[..., Wire]) -> None:
    operation = "POST /responses?beta=true" if name.startswith("Beta") else "POST /responses"
    payload = {"model": "m", "input": [{"role": "user", "content": "x"}, item(name, full=full)]}
    for validate in ("spelling", "known"):
        prepare(operation, {"payload": payload}, validate=validate)


# How a patch went is the caller's to say.
MADE_BY_THE_API = [name for name in ITEMS if not name.startswith("Beta") and name != "ApplyPatchToolCallOutput"]


@pytest.mark.parametrize("name", MADE_BY_THE_API)
def test_an_output_item_needs_nothing_that_the_api_fills_in(name: str, prepare: Callable[..., Wire]) -> None:
    payload = {"model": "m", "input": [{"role": "user", "content": "x"}, without(item(name, full=False))]}
    prepare("POST /responses", {"payload": payload})


def test_answers_still_always_hold_it() -> None:
    assert "id" not in DEFINITIONS["OutputMessage"].get("required", ())
    assert {"id", "status", "content", "role", "type"} == set(ANSWERS["OutputMessage"]["required"])


def test_a_chat_message_is_handed_back_whole(prepare: Callable[..., Wire]) -> None:
    message = {
        "role": "assistant", "content": "hi", "refusal": None, "annotations": [], "audio": None, "function_call": None,
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }  # fmt: skip
    answer = {"role": "tool", "tool_call_id": "call_1", "content": "7"}
    payload = {"model": "m", "messages": [{"role": "user", "content": "x"}, message, answer]}
    assert prepare("POST /chat/completions", {"payload": payload}, validate="strict").warnings == ()
