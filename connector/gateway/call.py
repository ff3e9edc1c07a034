"""One call that goes through a client, and its body as it is forwarded."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from connector.catalogue.operation import Operation
from connector.gateway.access import Caller
from connector.gateway.usage import UsageEstimate
from connector.http import Client
from connector.model import JSON
from connector.request.successors import AnswerForm
from connector.request.wire import Body

__all__ = ["CallBody", "GatewayCall"]


@dataclass(slots=True)
class GatewayCall:
    """An authorised request."""

    request: web.BaseRequest
    caller: Caller
    client: Client
    path: str
    """Below the client's address."""
    query: str
    operation: Operation | None
    is_costly: bool
    """Whether it uses a model."""
    form: AnswerForm | None = None
    """Gives the answer the shape of a removed operation's, whose successor is called."""

    @property
    def method(self) -> str:
        return self.request.method if self.form is None or self.operation is None else self.operation.method


@dataclass(slots=True)
class CallBody:
    """The body of a call, as it is forwarded."""

    body: Body | None
    payload: JSON
    estimate: UsageEstimate
