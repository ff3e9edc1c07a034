"""From what a caller asks to what goes on the wire."""

from __future__ import annotations

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
