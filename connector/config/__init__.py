"""What a configuration declares: `connector.yaml` or a folder, read, checked, linted, described.

The names below load when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.config.configuration import Configuration
    from connector.config.findings import Finding, InvalidConfiguration, Place, Severity
    from connector.config.kinds import Kind, Kinds
    from connector.config.loading import Live, load, parse

__all__ = [
    "Configuration",
    "Finding",
    "InvalidConfiguration",
    "Kind",
    "Kinds",
    "Live",
    "Place",
    "Severity",
    "load",
    "parse",
]

_HOMES = {
    "connector.config.configuration": ("Configuration",),
    "connector.config.findings": ("Finding", "InvalidConfiguration", "Place", "Severity"),
    "connector.config.kinds": ("Kind", "Kinds"),
    "connector.config.loading": ("Live", "load", "parse"),
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'connector.config' has no attribute {name!r}")
