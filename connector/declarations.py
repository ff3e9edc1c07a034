"""Where the declarations that ship with the connector are found."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CONFIGURATION_NAMES", "folder"]

CONFIGURATION_NAMES = ("connector.yaml", "connector.yml", "connector.json")
"""What the file of a configuration is called where none is named."""


def folder(kind: str) -> Path:
    """The declarations of one kind: packed inside the wheel, beside the package in a checkout."""
    package = Path(__file__).parent
    packed = package / kind
    return packed if packed.is_dir() else package.parent / kind
