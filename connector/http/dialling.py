"""From parameters to the transport a client sends through."""

from __future__ import annotations

from pathlib import Path

import httpx

from connector.errors import ConfigurationError
from connector.http.parameters import Common

__all__ = ["dial"]


def dial(parameters: Common) -> httpx.AsyncBaseTransport:
    """The transport that the parameters ask for, unconnected."""
    bundle = parameters.ca_bundle
    if bundle is not None and not Path(bundle).is_file():
        raise ConfigurationError(f"ca_bundle: there is no file {bundle!r}")
    proxy = parameters.proxy.get_secret_value() if parameters.proxy else None
    return _stock(parameters, proxy) if parameters.transport == "httpx" else _aiohttp(parameters, proxy)


def _aiohttp(parameters: Common, proxy: str | None) -> httpx.AsyncBaseTransport:
    from connector.http.transport import AiohttpTransport

    return AiohttpTransport(
        ca_bundle=parameters.ca_bundle,
        proxy=proxy,
        connections=parameters.limits.concurrency,
        allowed_hosts=parameters.allowed_hosts,
    )


def _stock(parameters: Common, proxy: str | None) -> httpx.AsyncBaseTransport:
    from connector.http.transport import tls_context

    connections = parameters.limits.concurrency
    return httpx.AsyncHTTPTransport(
        verify=tls_context(parameters.ca_bundle),
        trust_env=False,
        proxy=proxy,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    )
