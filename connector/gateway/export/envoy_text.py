"""Small texts as Envoy's configuration wants them."""

from __future__ import annotations

__all__ = ["any_of", "seconds"]


def any_of(message: str) -> str:
    """The type of an extension's settings."""
    return f"type.googleapis.com/envoy.{message}"


def seconds(number: float) -> str:
    """A duration."""
    return f"{number:.3f}".rstrip("0").rstrip(".") + "s"
