"""What an error body says, in whatever shape it comes."""

from __future__ import annotations

from connector.model import JSON, members

__all__ = ["EXCERPT_LENGTH", "cut_excerpt", "find_error_codes", "find_error_message", "is_error"]

EXCERPT_LENGTH = 2048
LONGEST_MESSAGE = 16 * 1024


def is_error(body: JSON, *, created: bool = False) -> bool:
    """Return whether the body of a success is an error after all.

    An entity may tell of an error of its own, such as a failed job that is read; only when the call has just created
    the entity is that error the call's.
    """
    fields = members(body)
    error = fields.get("error")
    if isinstance(error, dict):
        error = any(value not in (None, "") for value in members(error).values())
    return bool(error) and (created or not ("object" in fields or "id" in fields))


def find_error_codes(body: JSON) -> frozenset[str]:
    """Return the error's code and type; a stream's error event has them at its top."""
    fields = _find_fields(body)
    return frozenset(value for name in ("code", "type") if isinstance(value := fields.get(name), str))


def find_error_message(body: JSON) -> str:
    """Return the error in the server's own words, short; empty when it has none."""
    if isinstance(body, str):
        return _join_lines(body) if "<" not in body[:50] else ""
    fields = _find_fields(body)
    for name in ("message", "detail", "error_description", "error", "title"):
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            return _join_lines(value)
    return ""


def cut_excerpt(data: bytes) -> str:
    """Return the beginning of an unusable answer, more than is kept: secrets are hidden before it is cut."""
    return data[: 4 * EXCERPT_LENGTH].decode(errors="replace")


def _find_fields(body: JSON) -> dict[str, JSON]:
    """Return the object that holds the error's fields."""
    outer = members(body)
    return members(outer.get("error")) or outer


def _join_lines(text: str) -> str:
    return " ".join(text[:LONGEST_MESSAGE].split())
