"""Requests that the gateway refuses: which rule, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from aiohttp import web

__all__ = ["JSON_TYPE", "NO_STORE", "Refusal", "render_page", "render_refusal"]

JSON_TYPE = "application/json"
NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Refusal(Exception):
    """The request ends here: with a status, a code for programs and a sentence for people."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None, close: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}
        self.close = close
        """Whether the connection must close: its next bytes may belong to a body that was not read."""

    def body(self) -> bytes:
        """Return the error in the API's own format, so that every SDK can read it."""
        error = {"message": str(self), "type": "gateway_error", "param": None, "code": self.code}
        return orjson.dumps({"error": error})


def render_refusal(refusal: Refusal) -> web.Response:
    """Return the response of a refused request."""
    response = web.Response(
        status=refusal.status, body=refusal.body(), content_type=JSON_TYPE, headers={**NO_STORE, **refusal.headers}
    )
    if refusal.close:
        response.force_close()
    return response


def render_page(body: bytes, content_type: str = JSON_TYPE, status: int = 200) -> web.Response:
    """Return a page of the gateway's own, which must not be cached."""
    return web.Response(status=status, body=body, headers={"Content-Type": content_type, **NO_STORE})
