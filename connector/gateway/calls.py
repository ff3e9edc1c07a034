"""A call that may go on: who makes it, through which client, and what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from connector.gateway.access import Caller
from connector.gateway.headers import onward
from connector.http import Client, ForwardRequest
from connector.model import JSON
from connector.request.wire import Body

if TYPE_CHECKING:
    from connector.catalogue.operation import Operation

__all__ = ["Call"]


@dataclass(slots=True)
class Call:
    """One call."""

    request: web.BaseRequest
    caller: Caller
    client: Client
    path: str
    """Below the client's address."""
    query: str
    operation: Operation | None
    costly: bool
    """Whether it uses a model."""
    headers: tuple[str, ...] = ()
    """Names of headers that go on beside the usual ones."""

    def onward(self, body: Body | None, payload: JSON) -> ForwardRequest:
        """What goes on."""
        # What an answer says of its usage has to be read on its way.
        headers = onward(self.request.headers, self.headers, but="accept-encoding" if self.costly else "")
        if self.costly:
            headers.append(("Accept-Encoding", "identity"))
        return ForwardRequest(
            method=self.request.method,
            path=self.path,
            query=self.query,
            headers=headers,
            body=body,
            operation=self.operation,
            payload=payload,
        )
