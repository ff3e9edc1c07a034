"""Pages in browsers: which may call at all, and what their browsers are told about that (CORS)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from aiohttp import web

from connector.gateway.headers import is_forwarded
from connector.gateway.refusals import NO_STORE, Refusal
from connector.gateway.routing import METHODS, is_preflight

__all__ = ["Origins"]

CREDENTIALS = ("authorization", "api-key")
EXPOSED = (
    "x-request-id", "retry-after", "retry-after-ms", "x-should-retry", "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens", "x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests", "x-ratelimit-reset-tokens", "x-connector-state", "x-connector-evidence",
    "x-connector-successor", "openai-processing-ms", "openai-version", "openai-organization", "openai-project",
    "apim-request-id", "x-ms-region", "content-disposition", "content-range", "etag", "date", "www-authenticate",
)  # fmt: skip
"""The headers of an answer that a page may read, beside those that every page may."""
SECONDS = "600"
"""How long a browser may remember what it was told."""
ASKS_PRIVATELY = "Access-Control-Request-Private-Network"
VARY = {"Vary": "Origin"}
VARY_OF_PREFLIGHT = {"Vary": f"Origin, Access-Control-Request-Method, Access-Control-Request-Headers, {ASKS_PRIVATELY}"}
UNKNOWN = "pages in browsers may not call, but for those that gateway.origins names: a token does not belong there"


class Origins:
    """The pages that may call.

    Args:
        allowed: their origins, exactly as browsers send them.
        headers: headers that are forwarded beside the usual ones, in lower case.
    """

    def __init__(self, allowed: Collection[str], headers: tuple[str, ...] = ()) -> None:
        self.allowed = frozenset(allowed)
        self._headers = headers

    def find(self, request: web.BaseRequest) -> str:
        """Return the origin of the page that calls, or empty text when it is no page; refuse one that may not."""
        origin = request.headers.get("origin")
        if origin is None:
            return ""
        if origin not in self.allowed:
            raise Refusal(403, "origin", UNKNOWN)
        return origin

    def refuse_pages(self, request: web.BaseRequest) -> None:
        """Refuse any page, where only programs may call."""
        if "origin" in request.headers:
            raise Refusal(403, "origin", f"this is not for pages in browsers, whoever they are; {UNKNOWN}")

    def answer_headers(self, request: web.BaseRequest) -> Mapping[str, str]:
        """Return the headers by which a browser lets its page read an answer; none for a page that may not call."""
        if not self.allowed:
            return {}
        origin = request.headers.get("origin")
        if origin not in self.allowed:
            return VARY
        if is_preflight(request):
            return {}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": ", ".join(EXPOSED), **VARY}

    def answer_preflight(self, request: web.BaseRequest) -> web.Response:
        """Return what a browser may send for its page; refuse a method or a header that is not taken."""
        origin = self.find(request)
        method = request.headers["access-control-request-method"]
        if method not in METHODS:
            raise Refusal(405, "method_not_allowed", f"allowed: {', '.join(METHODS)}")
        names = list(_names(request.headers.get("access-control-request-headers", "")))
        for name in names:
            if name not in CREDENTIALS and not is_forwarded(name, self._headers):
                raise Refusal(
                    403,
                    "header_not_allowed",
                    f"the header {name[:100]!r} is not forwarded, so pages may not send it; gateway.headers names more",
                )
        headers = {
            **NO_STORE,
            **VARY_OF_PREFLIGHT,
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": method,
            "Access-Control-Max-Age": SECONDS,
        }
        if names:
            headers["Access-Control-Allow-Headers"] = ", ".join(names)
        if request.headers.get(ASKS_PRIVATELY) == "true":
            headers["Access-Control-Allow-Private-Network"] = "true"
        return web.Response(status=204, headers=headers)


def _names(given: str) -> Iterator[str]:
    """Yield the names of headers in a list of them, in lower case."""
    yield from (name for name in (part.strip().lower() for part in given.split(",")) if name)
