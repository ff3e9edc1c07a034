"""How steps of a chain, and prototypes, call a client by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from connector.errors import InvalidRequest
from connector.model import JSON, Outcome, State
from connector.publishers import ClientCall, Perform, client_intent, perform_now

if TYPE_CHECKING:
    from connector.http import Client
    from connector.request import Wire

__all__ = ["called"]

SECTIONS = ("path", "query", "payload", "headers")


async def called(
    client: Client,
    kind: Literal["openai", "http"],
    request: Mapping[str, JSON],
    *,
    name: str = "",
    perform: Perform = perform_now,
) -> Outcome:
    """What one call came to; a request that must not be sent is an outcome as well."""

    def prepare(asked: Mapping[str, JSON]) -> Wire:
        return _known(client, asked) if kind == "openai" else _raw(client, asked)

    try:
        sent = ClientCall(client=client, wire=prepare(request), request=request, prepare=prepare)
    except InvalidRequest as error:
        return Outcome(State.NOT_SENT, reason=str(error), faults=error.faults)
    return await perform(client_intent(name, sent))


def _known(client: Client, request: Mapping[str, JSON]) -> Wire:
    operation = client.catalogue.find(request["entity"], request.get("action"))
    return client.prepare(operation, {name: request[name] for name in SECTIONS if request.get(name) is not None})


def _raw(client: Client, request: Mapping[str, JSON]) -> Wire:
    payload, form = request.get("payload"), request.get("form")
    if request.get("payload_type") == "form":
        payload, form = None, payload
    parts = {name: request[name] for name in ("query", "headers", "answer") if request.get(name) is not None}
    return client.prepare_raw(request.get("method") or "GET", request["path"], json=payload, form=form, **parts)
