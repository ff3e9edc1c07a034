"""Fetches a document by its address."""

from __future__ import annotations

import httpx

from connector.catalogue.importer.document import LARGEST
from connector.errors import ConfigurationError

__all__ = ["fetch_document"]

TIMEOUT = 60.0


def fetch_document(url: str) -> bytes:
    """Return what stands at an address; no more is read than a document may be large."""
    data = bytearray()
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=TIMEOUT) as answer:
            answer.raise_for_status()
            for part in answer.iter_bytes():
                data += part
                if len(data) > LARGEST:
                    raise ConfigurationError(f"{url}: more than {LARGEST // 2**20} MB; is it an OpenAPI document?")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConfigurationError(f"{url}: cannot be fetched: {error}") from error
    return bytes(data)
