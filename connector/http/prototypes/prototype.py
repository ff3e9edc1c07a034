"""A prototype: a named kind of client with its parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connector.http.parameters import Common
from connector.http.prototypes.endpoint import Endpoint

__all__ = ["Prototype"]


@dataclass(frozen=True, slots=True)
class Prototype:
    """A declaration (name, summary, parameters) and one behaviour: the endpoint those parameters describe."""

    name: str
    summary: str
    parameters: type[Common]
    endpoint: Callable[[Any], Endpoint]
    """Takes an instance of `parameters`."""
    lists_models: bool = True
    """Whether it speaks the catalogue's API, so that listing its models tells whether a client works."""
