"""What a request says to the model: the text of its contents, and how many tokens each is taken for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector.model import JSON, is_document, is_list
from connector.sandbox.answers.tokens import count

__all__ = ["content_text", "content_tokens", "first_text"]

TEXTS = ("text", "refusal", "input_text", "output_text")
MEDIA = {"image_url": 85, "input_image": 85, "file": 100, "input_file": 100, "input_audio": 50}
"""What media are taken for, whatever their size; no one pays for it here."""


def content_text(content: JSON) -> str:
    """The text of a content: itself, or that of its parts, a line each."""
    if isinstance(content, str):
        return content
    if not is_list(content):
        return ""
    return "\n".join(text for part in content if (text := _part_text(part)))


def content_tokens(content: JSON) -> int:
    """How many tokens a content is taken for, its media included."""
    if isinstance(content, str):
        return count(content)
    if not is_list(content):
        return 0
    kinds = [part.get("type", "") for part in content if is_document(part)]
    return sum(MEDIA.get(kind, 0) for kind in kinds) + sum(count(_part_text(part)) for part in content)


def first_text(texts: Iterable[str]) -> str:
    """The first text that is not empty."""
    return next((text for text in texts if text), "")


def _part_text(part: JSON) -> str:
    if isinstance(part, str):
        return part
    known: Mapping[str, JSON] = part if is_document(part) else {}
    return first_text(str(known[name]) for name in ("text", "refusal") if isinstance(known.get(name), str))
