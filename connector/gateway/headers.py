"""Filter headers, both ways: which are forwarded, and which belong to one connection only."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from multidict import CIMultiDict, CIMultiDictProxy

from connector.gateway.refusals import Refusal

__all__ = [
    "NOT_FORWARDED", "NOT_RETURNED", "check_duplicates", "find_returned", "is_forwarded", "request_headers",
    "response_headers",
]  # fmt: skip

HOP_BY_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
ABOUT_CALLER = frozenset({
    "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto",
    "x-forwarded-prefix", "x-forwarded-server", "x-forwarded-uri", "x-real-ip", "origin", "referer",
})  # fmt: skip
"""Upstream does not learn who calls, and from where."""
OVERRIDES = frozenset({
    "x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-original-uri",
    "x-original-method", "x-original-host", "x-rewrite-url", "x-host", "x-override-url",
})  # fmt: skip
"""By these a server may take a request for another one than what was checked."""
NOT_FORWARDED = HOP_BY_HOP | ABOUT_CALLER | OVERRIDES
"""Never forwarded, in any configuration."""
FORWARDED = frozenset({
    "accept", "accept-encoding", "accept-language", "cache-control", "content-disposition", "content-encoding",
    "content-language", "content-type", "idempotency-key", "if-match", "if-modified-since", "if-none-match", "if-range",
    "if-unmodified-since", "pragma", "prefer", "range", "user-agent",
    "x-client-request-id", "x-correlation-id", "x-request-id", "request-id", "x-ms-client-request-id",
    "traceparent", "tracestate", "baggage", "sentry-trace", "x-amzn-trace-id",
})  # fmt: skip
"""Forwarded: these say what the body is, which answer is wanted, or which request this is."""
FORWARDED_PREFIXES = ("openai-", "x-stainless-", "anthropic-", "x-ms-useragent")
NOT_RETURNED = HOP_BY_HOP | {
    "set-cookie", "set-cookie2", "alt-svc", "strict-transport-security", "location", "clear-site-data",
    "www-authenticate",
}  # fmt: skip
"""What upstream says about itself, and clients would take to be about the gateway."""
SINGLE = ("authorization", "api-key", "content-encoding", "expect", "origin")
"""Beside those that the parser itself allows only once."""


def check_duplicates(headers: CIMultiDictProxy[str]) -> None:
    """Refuse a duplicate header where two readers may pick two different values."""
    for name in SINGLE:
        if name in headers and len(headers.getall(name)) > 1:
            raise Refusal(400, "duplicate_header", f"the header {name} is given more than once", close=True)


def request_headers(
    headers: CIMultiDictProxy[str], more: tuple[str, ...] = (), *, but: str = ""
) -> list[tuple[str, str]]:
    """Return the headers of a request that are forwarded.

    Args:
        headers: the caller's.
        more: names, or prefixes that end in `*`, that are forwarded as well; in lower case.
        but: a name that is not, in lower case.
    """
    dropped = _connection_names(headers.getall("connection")) if "connection" in headers else ()
    return [
        (name, value if value.isascii() else _utf8(name, value))
        for name, value in headers.items()
        if is_forwarded(name, more, but) and (not dropped or name.lower() not in dropped)
    ]


@lru_cache(maxsize=4096)
def is_forwarded(name: str, more: tuple[str, ...], but: str = "") -> bool:
    """Return whether a header goes on to upstream; the arguments are those of `request_headers`."""
    key = name.lower()
    if key in NOT_FORWARDED or key == but:
        return False
    if key in FORWARDED or key.startswith(FORWARDED_PREFIXES):
        return "_" not in key
    return any(key.startswith(one[:-1]) if one.endswith("*") else key == one for one in more)


def response_headers(headers: Iterable[tuple[bytes, bytes]]) -> CIMultiDict[str]:
    """Return the headers of an answer that go back to the caller."""
    kept: list[tuple[str, str]] = []
    connection: list[str] = []
    for name, value in headers:
        returned_name = _returned_name(name)
        if returned_name is not None:
            kept.append((returned_name, value.decode("utf-8", "replace")))
        elif name.lower() == b"connection":
            connection.append(value.decode("latin-1"))
    returned: CIMultiDict[str] = CIMultiDict(kept)
    for each in _connection_names(connection) if connection else ():
        returned.popall(each, None)
    return returned


@lru_cache(maxsize=1024)
def _returned_name(name: bytes) -> str | None:
    """Return a header's name, or None when it does not go back."""
    text = name.decode("latin-1")
    key = text.lower()
    return None if key in NOT_RETURNED or key.startswith("access-control-") else text


@lru_cache(maxsize=1024)
def find_returned(name: bytes) -> bytes | None:
    """Return the name of an answer's header in lower case, or None when it does not go back."""
    return None if _returned_name(name) is None else name.lower()


def _connection_names(connection: Iterable[str]) -> set[str]:
    """Return the names that Connection headers reserve for this connection."""
    return {name.strip().lower() for value in connection for name in value.split(",")}


def _utf8(name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refusal(400, "header_not_text", f"the value of the header {name} is not UTF-8") from None
    return value
