"""What a handler is, and all that it sees."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from connector.sandbox.messages import Answer, Call, Event, Refused, Upload
from connector.sandbox.objects import Objects, Page
from connector.sandbox.options import Options
from connector.sandbox.world import World

__all__ = ["Answer", "Call", "Event", "Handler", "Objects", "Options", "Page", "Refused", "Upload", "World"]

Handler: TypeAlias = Callable[[Call, World], Answer | Awaitable[Answer]]
"""What answers one operation; a request that is wrong for a reason that no schema knows is Refused."""
