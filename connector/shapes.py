"""JSON values by their shape, so that the type checkers know it as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from connector.model import JSON

__all__ = ["items", "members"]


def members(value: JSON) -> dict[str, JSON]:
    """An object's members; none for anything else."""
    return cast("dict[str, JSON]", value) if isinstance(value, dict) else {}


def items(value: JSON) -> list[JSON]:
    """An array's items; none for anything else."""
    return cast("list[JSON]", value) if isinstance(value, list | tuple) else []
