"""From what a caller asks to what goes on the wire.

The names below load when they are used: a configuration is checked without most of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.request.explanation import Explanation, explain
    from connector.request.prepare import Preparer
    from connector.request.raw import prepare_raw
    from connector.request.redaction import Redactor
    from connector.request.sources import ChangedFile
    from connector.request.validation import Validate
    from connector.request.wire import Body, BytesBody, Wire

__all__ = [
    "Body",
    "BytesBody",
    "ChangedFile",
    "Explanation",
    "Preparer",
    "Redactor",
    "Validate",
    "Wire",
    "explain",
    "prepare_raw",
]

_HOMES = {
    "connector.request.explanation": ("Explanation", "explain"),
    "connector.request.prepare": ("Preparer",),
    "connector.request.raw": ("prepare_raw",),
    "connector.request.redaction": ("Redactor",),
    "connector.request.sources": ("ChangedFile",),
    "connector.request.validation": ("Validate",),
    "connector.request.wire": ("Body", "BytesBody", "Wire"),
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'connector.request' has no attribute {name!r}")
