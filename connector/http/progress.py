"""How far a request got; the transport notes it and the client reads it when time runs out."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Progress"]


@dataclass(slots=True)
class Progress:
    """Travels in a request's extensions."""

    handed_over: bool | None = None
    """Whether an open connection got hold of the request; a transport that does not say leaves None."""
