"""Who answers an operation: a handler of its own, or nobody in particular."""

from __future__ import annotations

from collections.abc import Mapping

from connector.sandbox import answers, processes
from connector.sandbox.call import Handler

__all__ = ["HANDLERS"]

HANDLERS: Mapping[str, Handler] = {**answers.HANDLERS, **processes.HANDLERS}
"""By the operation's name on the wire; every other operation is answered by what the catalogue says of it."""
