"""What goes on with time: the operations whose objects move through states."""

from __future__ import annotations

from collections.abc import Mapping

from connector.sandbox.call import Handler

__all__ = ["HANDLERS"]

HANDLERS: Mapping[str, Handler] = {}
