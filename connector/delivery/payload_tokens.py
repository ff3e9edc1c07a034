"""How many tokens a payload is likely to be, counted before it is sent: its texts exactly where that is possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.documents import dump
from connector.model import JSON, is_list, is_object, items, members
from connector.transform.tokenizer import Counting, counting_of, encoding_for

__all__ = ["Asked", "count_payload"]

SPOKEN = ("instructions", "messages", "input", "prompt", "tools", "functions", "response_format", "text")
"""The members of a payload that a model reads."""
LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
A_MESSAGE = 4
"""Tokens that a message takes beside its text."""
LOW_IMAGE, IMAGE = 85, 765
"""Tokens of an image in low detail, and of one of 1024 by 1024 pixels in any other."""
PART_TEXTS = ("text", "content", "input", "output", "arguments", "name")
EMBEDDED = ("image_url", "file_data", "data", "image", "b64_json")
"""Members that hold bytes or addresses, which nobody reads as text."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One call that is about to be made, or that was made.

    Attributes:
        tokens: the tokens of its input as they were counted.
        counting: how its texts were counted.
        most: how long its answer may be; None where it does not say.
        answers: how many answers it asks for.
        shaped: whether its answer must be JSON of a schema.
        unread: what it holds whose tokens nobody can count before it is sent.
    """

    operation: str
    model: str
    tokens: float
    counting: Counting = Counting.BYTES
    most: int | None = None
    answers: int = 1
    shaped: bool = False
    unread: Sequence[str] = ()


def count_payload(operation: str, payload: JSON) -> Asked:
    """Return what a payload asks for, and how many tokens it is likely to be."""
    asked = members(payload)
    model = asked.get("model") if isinstance(asked.get("model"), str) else ""
    encoding = encoding_for(str(model))
    texts: list[str] = []
    unread: set[str] = set()
    tokens = float(sum(_read(asked[name], texts, unread) for name in SPOKEN if name in asked))
    tokens += sum(len(encoding.encode(text)) for text in texts)
    hosted = {str(members(tool).get("type")) for tool in items(asked.get("tools"))} - {"function", "custom", "None"}
    unread |= {f"the tool {name}" for name in hosted}
    most = next((asked[name] for name in LIMITS if isinstance(asked.get(name), int)), None)
    answers = asked.get("n")
    return Asked(
        operation,
        str(model),
        tokens,
        counting_of(str(model)),
        most=most,
        answers=answers if isinstance(answers, int) and answers > 0 else 1,
        shaped="json_schema"
        in (
            members(asked.get("response_format")).get("type"),
            members(members(asked.get("text")).get("format")).get("type"),
        ),
        unread=tuple(sorted(unread)),
    )


def _read(value: JSON, texts: list[str], unread: set[str]) -> int:
    """Collect the texts of a value; return the tokens that are not of texts."""
    if isinstance(value, str):
        texts.append(value)
        return 0
    if is_list(value):
        if value and all(isinstance(each, int) and not isinstance(each, bool) for each in value):
            return len(value)  # tokens already
        return sum(_read(each, texts, unread) for each in value)
    return _read_object(value, texts, unread) if is_object(value) else 0


def _read_object(value: Mapping[str, JSON], texts: list[str], unread: set[str]) -> int:
    kind = str(value.get("type", ""))
    if kind in ("image_url", "input_image"):
        detail = members(value.get("image_url")).get("detail", value.get("detail"))
        unread.add("images")
        return LOW_IMAGE if detail == "low" else IMAGE
    if kind in ("input_audio", "audio"):
        unread.add("audio")
        return 0
    if kind in ("input_file", "file"):
        unread.add("files")
        return 0
    if "role" in value or "content" in value:
        shown = {name: inner for name, inner in value.items() if name in PART_TEXTS or is_list(inner)}
        return A_MESSAGE + sum(_read(inner, texts, unread) for inner in shown.values())
    if kind in ("text", "input_text", "output_text") and isinstance(value.get("text"), str):
        texts.append(value["text"])
        return 0
    texts += list(_declared(value))
    return 0


def _declared(value: Mapping[str, JSON]) -> Iterator[str]:
    """Yield a schema, or another declaration that a model is shown, as it is written."""
    yield dump({name: inner for name, inner in value.items() if name not in EMBEDDED}).decode()
