"""What a publisher is given beside its parameters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from connector.errors import ConfigurationError
from connector.model import JSON, Outcome
from connector.publishers.intent import OnUnknown, Perform, perform_now
from connector.request.file_access import NOTHING, Reserved
from connector.transform.context import Context as Chained
from connector.transform.context import Scope

if TYPE_CHECKING:
    from connector.http import Client

__all__ = ["Context"]


def _no_client(name: str) -> Client:
    raise ConfigurationError(f"there is no client {name!r} here")


async def _no_call(client: str, kind: Literal["openai", "http"], request: Mapping[str, JSON]) -> Outcome:
    raise ConfigurationError(f"there is no client {client!r} here ({kind}, {list(request)})")


@dataclass(frozen=True, slots=True)
class Context:
    """What publishers share.

    Args:
        folder: where relative file names start.
        client: the client of a name.
        call: one call through a named client.
        perform: makes a call that may take effect, and writes it down first where a journal is kept.
        chained: what placeholders in parameters may name.
        validate: how hard requests are checked; the client's way unless given.
        on_unknown: whether a costly call whose end nobody saw is sent again; the client's way unless given.
        timeout: seconds for a whole call; the client's unless given.
        reserved: files of the connector's own, which are never written to.
    """

    folder: Path = field(default_factory=Path.cwd)
    client: Callable[[str], Client] = _no_client
    call: Callable[[str, Literal["openai", "http"], Mapping[str, JSON]], Awaitable[Outcome]] = _no_call
    perform: Perform = perform_now
    chained: Chained = field(default_factory=Chained)
    validate: str | None = None
    on_unknown: OnUnknown | None = None
    timeout: float | None = None
    reserved: Reserved = NOTHING

    @property
    def scope(self) -> Scope:
        """What a template is resolved in."""
        return Scope(self.chained)
