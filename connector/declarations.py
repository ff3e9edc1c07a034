"""The folders of the declarations that ship with the connector."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CONFIGURATION_NAMES", "folder"]

CONFIGURATION_NAMES = ("connector.yaml", "connector.yml", "connector.json")
"""The names of a configuration file where none is given."""


def folder(kind: str) -> Path:
    """Return the folder of one kind of declaration: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).parent
    packed = package / kind
    return packed if packed.is_dir() else package.parent / kind
