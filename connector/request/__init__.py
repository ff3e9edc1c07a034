"""From what a caller asks to what goes on the wire."""

from __future__ import annotations

from connector.request.check import Validate
from connector.request.prepare import Preparer
from connector.request.wire import Body, BytesBody, Wire

__all__ = ["Body", "BytesBody", "Preparer", "Validate", "Wire"]
