"""A call that may go on: who makes it, through which client, and what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from connector.gateway.access import Caller
from connector.gateway.bodies import Known
from connector.gateway.headers import onward
from connector.http import Client, Onward
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
    headers: tuple[str, ...] = ()
    """Names of headers that go on beside the usual ones."""

    def onward(self, body: Body | None, known: Known) -> Onward:
        """What goes on."""
        return Onward(
            method=self.request.method,
            path=self.path,
            query=self.query,
            headers=onward(self.request.headers, self.headers),
            body=body,
            operation=self.operation,
            payload=known.payload,
        )
