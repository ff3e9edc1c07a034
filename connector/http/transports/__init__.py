"""The HTTP engines below a client, each an httpx transport."""

from __future__ import annotations

from functools import partial

import httpx

from connector.http.parameters import Common
from connector.http.transports.base import make_tls_context
from connector.http.transports.httpx_transport import GuardedTransport
from connector.offline import refuse_offline

__all__ = ["make_transport"]


def make_transport(parameters: Common) -> httpx.AsyncBaseTransport:
    """Return the transport that the parameters ask for, unconnected."""
    refuse_offline("the client's host")
    proxy = parameters.proxy.get_secret_value() if parameters.proxy else None
    return _make_httpx(parameters, proxy) if parameters.transport == "httpx" else _make_aiohttp(parameters, proxy)


def _make_aiohttp(parameters: Common, proxy: str | None) -> httpx.AsyncBaseTransport:
    from connector.http.transports.aiohttp_transport import AiohttpTransport

    return AiohttpTransport(
        tls=partial(make_tls_context, parameters.ca_bundle),
        proxy=proxy,
        connections=parameters.limits.concurrency,
        allowed_hosts=parameters.allowed_hosts,
    )


def _make_httpx(parameters: Common, proxy: str | None) -> httpx.AsyncBaseTransport:
    connections = parameters.limits.concurrency
    transport = httpx.AsyncHTTPTransport(
        verify=make_tls_context(parameters.ca_bundle),
        trust_env=False,
        proxy=proxy,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    )
    return transport if proxy else GuardedTransport(transport, parameters.allowed_hosts)
