"""Which headers go on and which belong to one connection only; both ways."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from multidict import CIMultiDict, CIMultiDictProxy

from connector.gateway.refusals import Refused

__all__ = ["answered", "check_once", "onward"]

HOP_BY_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
ABOUT_THE_CALLER = frozenset({
    "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto",
    "x-forwarded-prefix", "x-forwarded-server", "x-forwarded-uri", "x-real-ip", "origin", "referer",
})  # fmt: skip
"""Who calls, and from where, is told to nobody."""
ANOTHER_CALL = frozenset({
    "x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-original-uri",
    "x-original-method", "x-original-host", "x-rewrite-url", "x-host", "x-override-url",
})  # fmt: skip
"""By these a server may take a call for another one than what was judged."""
NOT_ASKED = HOP_BY_HOP | ABOUT_THE_CALLER | ANOTHER_CALL
"""What never goes on, whatever is configured."""
ASKED = frozenset({
    "accept", "accept-encoding", "accept-language", "cache-control", "content-disposition", "content-encoding",
    "content-language", "content-type", "idempotency-key", "if-match", "if-modified-since", "if-none-match", "if-range",
    "if-unmodified-since", "pragma", "prefer", "range", "user-agent",
    "x-client-request-id", "x-correlation-id", "x-request-id", "request-id", "x-ms-client-request-id",
    "traceparent", "tracestate", "baggage", "sentry-trace", "x-amzn-trace-id",
})  # fmt: skip
"""What goes on: it says what the body is, what answer is wanted, or which call this is, and nothing else."""
FAMILIES = ("openai-", "x-stainless-", "anthropic-", "x-ms-useragent")
NOT_ANSWERED = HOP_BY_HOP | {
    "set-cookie", "set-cookie2", "alt-svc", "strict-transport-security", "location", "clear-site-data",
    "www-authenticate",
}  # fmt: skip
"""What upstream says about itself, and would be taken to be about us."""
ONCE = ("authorization", "api-key", "content-encoding", "expect", "origin")
"""Beside those that the parser itself allows but once."""


def check_once(headers: CIMultiDictProxy[str]) -> None:
    """Refuses a header that is given twice where two readers may pick two different ones."""
    for name in ONCE:
        if name in headers and len(headers.getall(name)) > 1:
            raise Refused(400, "duplicate_header", f"the header {name} is given more than once", close=True)


def onward(headers: CIMultiDictProxy[str], more: tuple[str, ...] = (), *, but: str = "") -> list[tuple[str, str]]:
    """What of a caller's headers goes on.

    Args:
        headers: the caller's.
        more: names, or beginnings of names that end in `*`, that go on as well; in small letters.
        but: a name that does not, in small letters.
    """
    dropped = _named(headers.getall("connection")) if "connection" in headers else ()
    return [
        (name, value if value.isascii() else _text(name, value))
        for name, value in headers.items()
        if _goes_on(name, more, but) and (not dropped or name.lower() not in dropped)
    ]


@lru_cache(maxsize=4096)
def _goes_on(name: str, more: tuple[str, ...], but: str) -> bool:
    key = name.lower()
    if key in NOT_ASKED or key == but:
        return False
    if key in ASKED or key.startswith(FAMILIES):
        return "_" not in key
    return any(key.startswith(one[:-1]) if one.endswith("*") else key == one for one in more)


def answered(headers: Iterable[tuple[bytes, bytes]]) -> CIMultiDict[str]:
    """What of an answer's headers goes back."""
    kept: list[tuple[str, str]] = []
    named: list[str] = []
    for name, value in headers:
        shown = _shown(name)
        if shown is not None:
            kept.append((shown, value.decode("utf-8", "replace")))
        elif name.lower() == b"connection":
            named.append(value.decode("latin-1"))
    goes_back: CIMultiDict[str] = CIMultiDict(kept)
    for each in _named(named) if named else ():
        goes_back.popall(each, None)
    return goes_back


@lru_cache(maxsize=1024)
def _shown(name: bytes) -> str | None:
    """A header's name, or None when it does not go back."""
    text = name.decode("latin-1")
    key = text.lower()
    return None if key in NOT_ANSWERED or key.startswith("access-control-") else text


def _named(connection: Iterable[str]) -> set[str]:
    """The headers that Connection itself says are for this connection."""
    return {name.strip().lower() for value in connection for name in value.split(",")}


def _text(name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused(400, "header_not_text", f"the value of the header {name} is not UTF-8") from None
    return value
