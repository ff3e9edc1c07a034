"""The HTTP engines below a client, each an httpx transport."""

from __future__ import annotations

import logging
import ssl
from urllib.parse import urlsplit

import httpx

from connector.http.identity import AccessTokens, ClientCredentials, Identity
from connector.http.identity.credentials import CredentialsExchange
from connector.http.identity.exchange import Exchange
from connector.http.identity.recent_secrets import RecentSecrets
from connector.http.identity.subject_token import find_subject_token
from connector.http.parameters import Common
from connector.http.transports.httpx_transport import GuardedTransport, RenewedTransport
from connector.http.transports.identity_transport import IdentitySender, IdentityTransport
from connector.http.transports.tls import TlsContext
from connector.offline import refuse_offline
from connector.request import Redactor
from connector.timing import Timing

__all__ = ["make_transport", "with_identity"]

LOG = logging.getLogger("connector.identity")


def make_transport(parameters: Common) -> httpx.AsyncBaseTransport:
    """Return the transport that the parameters ask for, unconnected."""
    refuse_offline("the client's host")
    proxy = parameters.proxy.get_secret_value() if parameters.proxy else None
    return _make_httpx(parameters, proxy) if parameters.transport == "httpx" else _make_aiohttp(parameters, proxy)


def _make_aiohttp(parameters: Common, proxy: str | None) -> httpx.AsyncBaseTransport:
    from connector.http.transports.aiohttp_transport import AiohttpTransport

    return AiohttpTransport(
        tls=TlsContext(parameters.ca_bundle, parameters.certificate),
        proxy=proxy,
        connections=parameters.limits.concurrency,
        allowed_hosts=parameters.allowed_hosts,
    )


def _make_httpx(parameters: Common, proxy: str | None) -> httpx.AsyncBaseTransport:
    connections = parameters.limits.concurrency
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)

    def connect(tls: ssl.SSLContext) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(verify=tls, trust_env=False, proxy=proxy, limits=limits)

    transport = RenewedTransport(TlsContext(parameters.ca_bundle, parameters.certificate), connect)
    return transport if proxy else GuardedTransport(transport, parameters.allowed_hosts)


def with_identity(
    transport: httpx.AsyncBaseTransport,
    identity: Identity | ClientCredentials,
    parameters: Common,
    timing: Timing,
    redactor: Redactor,
) -> httpx.AsyncBaseTransport:
    """Return a transport whose requests carry the access tokens of a workload identity.

    Tokens are exchanged through the same transport, with its proxy, authorities and client certificate; a platform's
    metadata service is asked directly, since no proxy knows the machine that it is on.
    """
    learn = RecentSecrets(redactor).learn
    metadata: list[httpx.AsyncBaseTransport] = []
    if isinstance(identity, ClientCredentials):
        exchange: Exchange | CredentialsExchange = CredentialsExchange(identity, IdentitySender(transport), learn)
    else:
        metadata += [_make_metadata(identity, parameters)] if identity.asks_platform else []
        subject = find_subject_token(identity, IdentitySender((*metadata, transport)[0]))
        exchange = Exchange(identity, subject, IdentitySender(transport), learn)
    tokens = AccessTokens(
        exchange,
        refresh_before=identity.refresh_before,
        timing=timing,
        report=lambda sentence: LOG.warning("%s", redactor(sentence)),
    )
    return IdentityTransport(transport, tokens, *metadata)


def _make_metadata(identity: Identity, parameters: Common) -> httpx.AsyncBaseTransport:
    allowed = (*parameters.allowed_hosts, urlsplit(identity.service).hostname or "")
    return make_transport(parameters.model_copy(update={"proxy": None, "allowed_hosts": allowed}))
