"""What models say: the operations that an answer is made up for."""

from __future__ import annotations

from collections.abc import Mapping

from connector.sandbox.call import Handler

__all__ = ["HANDLERS"]

HANDLERS: Mapping[str, Handler] = {}
