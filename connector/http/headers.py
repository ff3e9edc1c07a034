"""The headers of a request: ours, the client's, its credentials, and last the caller's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import httpx

from connector.http.decompress import ACCEPTED
from connector.http.parameters import Common
from connector.request.wire import Wire
from connector.version import version

__all__ = ["Headers", "as_text"]

ACCEPT = {"json": "application/json", "events": "text/event-stream"}


class Headers:
    """Puts a client's headers together; of two with one name the more particular one goes out."""

    def __init__(self, parameters: Common) -> None:
        self._parameters = parameters

    @cached_property
    def _common(self) -> dict[bytes, bytes]:
        own = {"accept-encoding": ACCEPTED, "user-agent": f"openai-connector/{version()}"}
        given = {name: value.get_secret_value() for name, value in self._parameters.headers.items()}
        return _encoded(own) | _encoded(given)

    def of(self, wire: Wire, kind: str, url: httpx.URL, credentials: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
        """The headers of one call, without those that frame its body."""
        accept = ACCEPT.get(kind, "*/*").encode()
        return list(
            (
                {b"host": url.netloc, b"accept": accept} | self._common | _encoded(credentials) | _encoded(wire.headers)
            ).items()
        )

    def over(self, credentials: Mapping[str, str]) -> dict[str, str]:
        """The headers that take the place of a caller's own, by lower-case name; answers come unpacked."""
        return {**self._given, **{name.lower(): value for name, value in credentials.items()}}

    @cached_property
    def _given(self) -> dict[str, str]:
        given = {name.lower(): value.get_secret_value() for name, value in self._parameters.headers.items()}
        return {"accept-encoding": "identity", **given}


def as_text(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers for reading; not yet redacted."""
    return {name.decode(): value.decode() for name, value in headers}


def _encoded(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    return {name.lower().encode("ascii"): value.encode() for name, value in headers.items()}
