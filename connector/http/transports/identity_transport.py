"""Puts the access token of a workload identity into requests as they go out, and another one after a 401."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import httpx

from connector.http.identity import PLACEHOLDER, AccessTokens
from connector.http.response import iter_body
from connector.http.transports.base import Progress, Upload

if TYPE_CHECKING:
    from yarl import URL

__all__ = ["IdentitySender", "IdentityTransport"]

MARK = f"Bearer {PLACEHOLDER}"
MOST_BYTES = 1024 * 1024
"""The longest answer of a token endpoint or metadata service that is read."""
AUTHORIZATION = "authorization"


class IdentityTransport(httpx.AsyncBaseTransport):
    """A transport in front of another one; requests without the placeholder pass as they are.

    Args:
        inner: sends requests.
        tokens: gives access tokens; closed with the transport.
        others: transports that only the identity uses; closed with it too.
    """

    def __init__(
        self, inner: httpx.AsyncBaseTransport, tokens: AccessTokens, *others: httpx.AsyncBaseTransport
    ) -> None:
        self._inner = inner
        self._tokens = tokens
        self._others = others
        if hasattr(inner, "exchange"):
            # Only a transport that has this shorter way is asked for it.
            self.exchange = self._exchange

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get(AUTHORIZATION) != MARK:
            return await self._inner.handle_async_request(request)
        token = await self._get_token(request.extensions.get("progress"))
        request.headers[AUTHORIZATION] = f"Bearer {token}"
        response = await self._inner.handle_async_request(request)
        if response.status_code != 401:
            return response
        if not _can_be_sent_again(request.stream):
            self._tokens.doubt(token)
            return response
        other = await self._tokens.replace(token)
        if other is None:
            return response
        await response.aclose()
        request.headers[AUTHORIZATION] = f"Bearer {other}"
        response = await self._inner.handle_async_request(request)
        if response.status_code == 401:
            self._tokens.calm_down()
        return response

    async def _exchange(
        self,
        method: str,
        url: URL,
        headers: list[tuple[str, str]],
        body: Upload | bytes | None,
        timeouts: Mapping[str, float | None],
        progress: Progress | None = None,
    ) -> Any:
        """Send without httpx's objects, as the transport below does."""
        send: Any = getattr(self._inner, "exchange")  # noqa: B009  it is there: see __init__
        if all(value != MARK for _, value in headers):
            return await send(method, url, headers, body, timeouts, progress)
        token = await self._get_token(progress)
        answer = await send(method, url, _put_in(headers, token), body, timeouts, progress)
        if answer.status != 401:
            return answer
        again = body.start_again() if isinstance(body, Upload) else body
        if again is None and body is not None:
            self._tokens.doubt(token)
            return answer
        other = await self._tokens.replace(token)
        if other is None:
            return answer
        await answer.aclose()
        answer = await send(method, url, _put_in(headers, other), again, timeouts, progress)
        if answer.status == 401:
            self._tokens.calm_down()
        return answer

    async def aclose(self) -> None:
        await self._tokens.close()
        for transport in (*self._others, self._inner):
            await transport.aclose()

    async def _get_token(self, progress: Progress | None) -> str:
        """Return an access token; time that runs out before it is there has sent nothing."""
        if progress is not None:
            progress.handed_over = False
        return await self._tokens.get()


class IdentitySender:
    """Sends the identity's own requests and reads their short answers."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def __call__(self, request: httpx.Request) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body; of a longer body its beginning."""
        response = await self._transport.handle_async_request(request)
        data = bytearray()
        try:
            async for chunk in iter_body(cast("httpx.AsyncByteStream", response.stream), {}):
                data += chunk
                if len(data) > MOST_BYTES:
                    break
        finally:
            await response.aclose()
        return response.status_code, response.headers, bytes(data)


def _put_in(headers: list[tuple[str, str]], token: str) -> list[tuple[str, str]]:
    return [(name, f"Bearer {token}" if value == MARK else value) for name, value in headers]


def _can_be_sent_again(stream: object) -> bool:
    """Return whether a body begins from its start when it is read again."""
    return isinstance(stream, httpx.ByteStream) or getattr(stream, "is_repeatable", False)
