"""Calls that the gateway does not pass on, and answers it has to give itself: which rule, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from aiohttp import web

__all__ = ["JSON_TYPE", "Refused", "document", "refusal"]

JSON_TYPE = "application/json"
NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Refused(Exception):
    """A call ends here: with a status, a code that programs can read, and a sentence for people."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None, close: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}
        self.close = close
        """Whether the connection is of no more use: its next bytes may belong to a body that nobody reads."""

    def body(self) -> bytes:
        """The error as the API words its own, so that every SDK can read it."""
        error = {"message": str(self), "type": "gateway_error", "param": None, "code": self.code}
        return orjson.dumps({"error": error})


def refusal(refused: Refused) -> web.Response:
    """The answer to a call that ends here."""
    response = web.Response(
        status=refused.status, body=refused.body(), content_type=JSON_TYPE, headers={**NO_STORE, **refused.headers}
    )
    if refused.close:
        response.force_close()
    return response


def document(body: bytes, content_type: str = JSON_TYPE, status: int = 200) -> web.Response:
    """A page of the gateway's own, for nobody to keep."""
    return web.Response(status=status, body=body, headers={"Content-Type": content_type, **NO_STORE})
