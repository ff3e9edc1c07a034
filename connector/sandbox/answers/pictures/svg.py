"""Pictures in SVG."""

from __future__ import annotations

__all__ = ["svg"]


def svg(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """A rectangle of the colour."""
    shape = f'<rect width="{width}" height="{height}" fill="#{bytes(colour).hex()}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{shape}</svg>'.encode()
