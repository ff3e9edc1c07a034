"""Fetches a document by its address."""

from __future__ import annotations

from time import monotonic

import httpx

from connector.catalogue.importer.document import LARGEST
from connector.errors import ConfigurationError

__all__ = ["fetch_document", "show_address"]

LONGEST = 300.0
"""Seconds that a document may take; a server that sends a byte now and then is not waited for."""
TIMEOUT = httpx.Timeout(60.0, connect=15.0)
OK = 200
HINT = "save the document and name the file, or give another address"


def show_address(url: str) -> str:
    """Return an address as messages show it: without a password, and without a query, which may hold a token."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return url.partition("?")[0].rpartition("@")[2]
    return str(parsed.copy_with(username=None, password=None, query=None))


def fetch_document(url: str, *, longest: float = LONGEST, timeout: httpx.Timeout = TIMEOUT) -> bytes:
    """Return what stands at an address; no more is read than a document may be large, and no longer than `longest`."""
    data = bytearray()
    where, started = show_address(url), monotonic()
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=timeout) as answer:
            if answer.status_code != OK:
                raise ConfigurationError(f"{where}: answers {answer.status_code} {answer.reason_phrase}; {HINT}")
            for part in answer.iter_bytes():
                data += part
                if len(data) > LARGEST:
                    raise ConfigurationError(f"{where}: more than {LARGEST // 2**20} MB; is it an OpenAPI document?")
                if monotonic() - started > longest:
                    raise ConfigurationError(f"{where}: not whole after {longest:g} s; {HINT}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigurationError(f"{where}: cannot be fetched: {said}; {HINT}") from error
    return bytes(data)
