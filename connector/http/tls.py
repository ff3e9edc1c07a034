"""TLS as every transport uses it: certificates are always checked, and nothing switches that off."""

from __future__ import annotations

import ssl

from connector.errors import ConfigurationError

__all__ = ["tls_context"]


def tls_context(ca_bundle: str | None = None) -> ssl.SSLContext:
    """A context that trusts the given bundle, or else certifi's."""
    if ca_bundle is None:
        import certifi

        return ssl.create_default_context(cafile=certifi.where())
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        reason = error.strerror or "it holds no certificate"
    raise ConfigurationError(f"ca_bundle: cannot use {ca_bundle!r}: {reason}")
