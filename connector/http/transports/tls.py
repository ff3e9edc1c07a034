"""TLS to servers: whom the client trusts, and the certificate that it shows to those that demand one."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from connector.errors import ConfigurationError
from connector.http.parameters import Certificate

__all__ = ["TlsContext", "make_tls_context"]

MOST_BYTES = 1024 * 1024


class TlsContext:
    """The TLS context of a client; another one when its certificate was replaced on disk.

    A new context makes new connections, so that a server sees the new certificate from the next call on. A file that
    is half replaced is not used: the last good certificate stays until file and key fit.

    Args:
        ca_bundle: a file of authorities.
        certificate: what the client shows.
    """

    def __init__(self, ca_bundle: str | None = None, certificate: Certificate | None = None) -> None:
        self._ca_bundle = ca_bundle
        self._certificate = certificate
        self._context: ssl.SSLContext | None = None
        self._seen: object = None

    def current(self) -> ssl.SSLContext:
        """Return the context to connect with."""
        if self._certificate is None:
            self._context = self._context or make_tls_context(self._ca_bundle)
            return self._context
        seen = (_identify(self._certificate.file), _identify(self._certificate.key))
        if self._context is None or seen != self._seen:
            self._seen = seen
            try:
                self._context = make_tls_context(self._ca_bundle, self._certificate)
            except ConfigurationError:
                if self._context is None:
                    raise
        return self._context


def _identify(file: str) -> object:
    """Return what changes when a file is written to or replaced, also behind a link."""
    try:
        status = os.stat(file)  # noqa: PTH116  a link is followed
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def make_tls_context(ca_bundle: str | None = None, certificate: Certificate | None = None) -> ssl.SSLContext:
    """Return a context that trusts the given bundle, or else certifi's; certificates are always checked.

    Args:
        ca_bundle: a file of authorities.
        certificate: what the client shows to servers that ask for it.
    """
    context = _make_trusting(ca_bundle)
    if certificate is not None:
        _load_certificate(context, certificate)
    return context


def _load_certificate(context: ssl.SSLContext, certificate: Certificate) -> None:
    password = certificate.password.get_secret_value() if certificate.password is not None else ""
    for name, file in (("file", certificate.file), ("key", certificate.key)):
        try:
            Path(file).open("rb").close()
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise ConfigurationError(f"certificate.{name}: cannot read {file!r}: {reason}") from None
    try:
        # Without a password OpenSSL would ask the terminal for one.
        context.load_cert_chain(certificate.file, certificate.key, password)
    except ssl.SSLError as error:
        raise ConfigurationError(f"certificate: {_describe_unusable(error, certificate)}") from None


def _describe_unusable(error: ssl.SSLError, certificate: Certificate) -> str:
    if "mismatch" in (error.reason or "").lower():
        return f"the key in {certificate.key!r} does not belong to the certificate in {certificate.file!r}"
    if b"-----BEGIN CERTIFICATE" not in _read(certificate.file):
        return f"{certificate.file!r} holds no certificate; a PEM file is allowed"
    key = _read(certificate.key)
    if b"PRIVATE KEY-----" not in key:
        return f"{certificate.key!r} holds no private key; a PEM file is allowed"
    if b"ENCRYPTED" in key:
        advice = "password does not open it" if certificate.password is not None else "give its password"
        return f"the key in {certificate.key!r} is encrypted: {advice}"
    return f"cannot use {certificate.file!r} with the key in {certificate.key!r}: {error.reason or 'it is damaged'}"


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()[:MOST_BYTES]
    except OSError:
        return b""


def _make_trusting(ca_bundle: str | None) -> ssl.SSLContext:
    if ca_bundle is None:
        import certifi

        return ssl.create_default_context(cafile=certifi.where())
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        reason = error.strerror or "it holds no certificate"
    raise ConfigurationError(f"ca_bundle: cannot use {ca_bundle!r}: {reason}")
