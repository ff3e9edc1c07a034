"""Which of httpx's exceptions mean that not one byte of the request left."""

from __future__ import annotations

import httpx

__all__ = ["NEVER_SENT", "CertificateRefused"]

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class CertificateRefused(httpx.ConnectError):
    """The server did not prove who it is; trying again cannot help."""
