"""Forward a request without a task: over an open connection, as long as nothing has to be waited for or judged.

Whatever is no plain success goes on as every other forwarded request does, from where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import httpx

from connector.http.call import Call, CallFactory
from connector.http.forward_request import ForwardRequest, join_headers, join_target
from connector.http.parameters import Timeouts
from connector.http.raw_response import RawResponse
from connector.http.retry import Retrier

if TYPE_CHECKING:
    from yarl import URL

    from connector.http.transports.aiohttp_transport import AiohttpTransport
    from connector.http.transports.direct_exchange import DirectExchange, PlainAnswer

__all__ = ["BegunCall", "DirectForward", "plan_forward"]


def plan_forward(
    request: ForwardRequest,
    transport: httpx.AsyncBaseTransport,
    calls: CallFactory,
    retrier: Retrier,
    timeouts: Timeouts,
) -> DirectForward | None:
    """Return what sends requests with this head and any body; None when addresses or transport do not allow it."""
    if not hasattr(transport, "begin") or not calls.is_fixed:
        return None
    from yarl import URL

    wire = request.build_wire()
    url = URL(f"{calls.base_uri}{join_target(wire, request.query)}", encoded=True)
    seconds = {"read": timeouts.read, "total": timeouts.total}
    return DirectForward(transport, url, request, calls, retrier, seconds)


class DirectForward:
    """Sends requests that differ in their bodies only.

    Args:
        transport: an AiohttpTransport.
        url: where they go.
        request: one of them.
        calls: knows the client's headers, which follow their sources.
        retrier: what the calls of the client share.
        timeouts: seconds, `total` and `read`.
    """

    def __init__(
        self,
        transport: Any,
        url: URL,
        request: ForwardRequest,
        calls: CallFactory,
        retrier: Retrier,
        timeouts: Mapping[str, float],
    ) -> None:
        self.transport: AiohttpTransport = transport
        self.retrier = retrier
        self._url = url
        self._given = request.headers
        self._wire = request.build_wire()
        self._calls = calls
        self._timeouts = timeouts
        self._own: Mapping[str, str] = {}
        self._head = b""

    def _find_head(self) -> bytes:
        """Return what requests begin with, up to the length of the body."""
        own = self._calls.override_headers(self._wire)
        if own != self._own or not self._head:
            headers = [*join_headers(self._given, own), ("Host", self._url.host_port_subcomponent or "")]
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
            head = f"{self._wire.method} {self._url.raw_path_qs} HTTP/1.1\r\n{lines}Content-Length: "
            self._own, self._head = own, head.encode()
        return self._head

    def begin(
        self, body: bytes, done: Callable[[PlainAnswer], None], handed_over: Callable[[], None]
    ) -> BegunCall | None:
        """Send a request, and return its call; None when it would have to wait, and nothing was sent.

        Args:
            body: of the request.
            done: takes the answer.
            handed_over: is called when `Forward` must go on with the call.
        """
        retrier = self.retrier
        if retrier.paused is not None:
            return None
        head = self._find_head()
        if not retrier.pacer.enter():
            return None
        call = BegunCall(self, done, handed_over)
        request = b"%b%d\r\n\r\n%b" % (head, len(body), body)
        exchange = self.transport.begin(self._url, request, self._timeouts, call.finish, handed_over)
        if exchange is None:
            retrier.pacer.release()
            return None
        call.exchange = exchange
        return call


class BegunCall:
    """A call that is under way.

    Attributes:
        started: when, by the client's clock.
    """

    __slots__ = ("_done", "_forward", "exchange", "handed_over", "started")

    def __init__(
        self, forward: DirectForward, done: Callable[[PlainAnswer], None], handed_over: Callable[[], None]
    ) -> None:
        self.exchange: DirectExchange
        self.started = forward.retrier.timing.clock()
        self.handed_over = handed_over
        self._forward = forward
        self._done = done

    def finish(self, answer: PlainAnswer) -> None:
        """Take the answer: the call is done."""
        retrier = self._forward.retrier
        retrier.pacer.release()
        retrier.pacer.speed_up()
        retrier.resume()
        if retrier.redactor.has_secret(answer.lines):
            answer.lines = retrier.redactor.hide_known(answer.lines.decode("latin-1")).encode("latin-1")
        self._done(answer)

    def abandon(self) -> None:
        """Give up the call, whose caller has left."""
        self.exchange.abandon()
        self._forward.retrier.pacer.release()

    async def resume(self, call: Call) -> RawResponse:
        """Return the response as soon as its headers are there."""
        call.progress = self.exchange.progress
        answer = await self._forward.transport.resume(self.exchange)
        return RawResponse(answer.status, answer.headers, answer, answer.take_whole)
