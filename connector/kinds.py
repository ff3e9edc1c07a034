"""What kinds of subscriber and publisher share: a declaration, and what they are given beside their parameters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from connector.errors import ConfigurationError
from connector.http.parameters import Section
from connector.model import JSONValue, Outcome

if TYPE_CHECKING:
    from connector.http import Client

__all__ = ["Kind", "KindContext"]


def _no_client(name: str) -> Client:
    raise ConfigurationError(f"there is no client {name!r} here")


async def _no_call(client: str, kind: Literal["openai", "http"], request: Mapping[str, JSONValue]) -> Outcome:
    raise ConfigurationError(f"there is no client {client!r} here ({kind}, {list(request)})")


@dataclass(frozen=True, slots=True)
class KindContext:
    """What every kind is given beside its parameters.

    Args:
        folder: where relative file names start.
        client: returns the client of a name.
        call: makes one call through a named client.
    """

    folder: Path = field(default_factory=Path.cwd)
    client: Callable[[str], Client] = _no_client
    call: Callable[[str, Literal["openai", "http"], Mapping[str, JSONValue]], Awaitable[Outcome]] = _no_call


@dataclass(frozen=True, slots=True)
class Kind:
    """What every kind declares.

    Args:
        name: how configurations call it.
        summary: what it does, in a sentence.
        parameters: the model of its parameters.
    """

    name: str
    summary: str
    parameters: type[Section]
