"""Telling what a JSON value is, so that type checkers know it as well."""

from __future__ import annotations

from typing import TypeGuard

from connector.model import JSON

__all__ = ["is_list", "is_object", "list_of", "object_of"]


def is_object(value: JSON) -> TypeGuard[dict[str, JSON]]:
    """Whether the value is an object."""
    return isinstance(value, dict)


def is_list(value: JSON) -> TypeGuard[list[JSON]]:
    """Whether the value is a list."""
    return isinstance(value, list)


def object_of(value: JSON) -> dict[str, JSON]:
    """The value as an object: an empty one where it is none."""
    return value if is_object(value) else {}


def list_of(value: JSON) -> list[JSON]:
    """The value as a list: an empty one where it is none."""
    return value if is_list(value) else []
