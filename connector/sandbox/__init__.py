"""A stand-in for the API on this machine, made from the catalogue: it checks, remembers and answers like it."""

from __future__ import annotations

from connector.sandbox.sandbox import Sandbox
from connector.sandbox.threaded import in_thread

__all__ = ["Sandbox", "in_thread"]
