"""Forward another program's request through a client, and its response back as it comes.

What an attempt comes to is judged as for every other call of the client, so that all of them share waits and pauses;
but only what was certainly not sent is tried again: the caller decides the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import Protocol

import httpx

from connector.http.attempt import await_response, read_refusal, reject_protocol_switch
from connector.http.attempt_result import AttemptResult
from connector.http.call import Call
from connector.http.forward_request import SendRequest
from connector.http.policy import EXHAUSTED, Pause
from connector.http.raw_response import RawResponse
from connector.http.response import iter_once
from connector.http.retry import CallAttempts, Retrier
from connector.model import JSON, CallFailed, Outcome, State
from connector.resilience import Backoff, CircuitBreaker

__all__ = ["BegunForward", "Forward", "ForwardBreaker", "ForwardResponse"]

OF_ONE_CALLER = (401, 403)
"""Statuses that may be meant for one request alone."""
PROBE_SECONDS = 15.0


class ForwardResponse:
    """The response to a forwarded request.

    Attributes:
        headers: without the client's secrets, which an upstream may echo.
        chunks: the body as it comes; CallFailed when it breaks off. A refusal's has no content encoding.
        outcome: what a refusal is judged to be; nothing is known of a success before its end.
        whole: the body, when all of it came with the headers; the chunks are the same bytes.
    """

    def __init__(
        self,
        status: int,
        headers: list[tuple[bytes, bytes]],
        chunks: AsyncGenerator[bytes, None],
        outcome: Outcome | None = None,
        whole: bytes | None = None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.chunks = chunks
        self.outcome = outcome
        self.whole = whole
        self._usage: JSON = None

    def record_usage(self, body: JSON) -> None:
        """Note a body that holds the `usage` of the call, before the forward is left."""
        self._usage = body

    @property
    def usage(self) -> JSON:
        """The body that holds the usage, if it was read."""
        return self._usage


class BegunForward(Protocol):
    """A request that has gone out already, with a place of its client."""

    started: float
    """When, by the client's clock."""

    def resume(self, call: Call) -> Awaitable[RawResponse]:
        """Return the response as soon as its headers are there."""
        ...


class ForwardBreaker:
    """A circuit breaker for forwarded calls, since those who make them cannot resume a client.

    While the client is paused a probe goes out now and then; one that is done ends the pause.
    """

    def __init__(self, retrier: Retrier) -> None:
        self._retrier = retrier
        backoff = Backoff(PROBE_SECONDS, PROBE_SECONDS, jitter=0.0)
        self._breaker = CircuitBreaker[Pause](retrier.timing, backoff, probe_timeout=PROBE_SECONDS)

    async def check(self) -> None:
        """Raise CallFailed while the client is paused, except for a probe."""
        pause = self._retrier.paused
        if pause is None:
            return
        if pause is not self._breaker.reason:
            self._breaker.trip(pause)
        if self._breaker.enter() is None or not await self._retrier.may_probe():
            raise CallFailed(pause.outcome())


class Forward:
    """Sends a request when it is entered; leaving it gives its place to the next call."""

    def __init__(
        self,
        call: Call,
        send: SendRequest,
        retrier: Retrier,
        breaker: ForwardBreaker,
        begun: BegunForward | None = None,
    ) -> None:
        self._call = call
        self._send = send
        self._retrier = retrier
        self._breaker = breaker
        self._begun = begun
        self._attempts = CallAttempts(call, retrier)
        self._limit = asyncio.timeout(None)
        self._raw: RawResponse | None = None
        self._response: ForwardResponse | None = None
        self._result: AttemptResult | None = None
        self._was_attempted = False

    @property
    def may_be_sent(self) -> bool:
        """Whether a byte may have gone out."""
        return self._was_attempted and self._call.progress.handed_over is not False

    async def __aenter__(self) -> ForwardResponse:
        """Return the response as soon as its headers are there; a call that has none raises CallFailed."""
        if self._begun is None:
            await self._breaker.check()
        await self._limit.__aenter__()
        try:
            while True:
                found = await self._attempt()
                if isinstance(found, ForwardResponse):
                    self._response = found
                    return found
                await self._release()
                await self._settle(found)
        except BaseException as error:
            await self._end(error)
            raise

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        await self._end(error)

    async def _settle(self, result: AttemptResult) -> None:
        """Return for another attempt when nothing was sent; raise CallFailed otherwise."""
        outcome = await self._attempts.settle(result, may_retry=result.state is State.NOT_SENT)
        if outcome is not None:
            raise CallFailed(outcome)

    async def _end(self, error: BaseException | None) -> None:
        """Release everything and judge the result; time that ran out becomes CallFailed."""
        is_late = False
        try:
            await self._limit.__aexit__(type(error) if error is not None else None, error, None)
        except TimeoutError:
            is_late = True
        is_queued = not self._attempts.has_place
        await self._release()
        result = self._time_out(is_queued=is_queued) if is_late else self._result
        if result is None:
            return
        if result.state is State.DONE and self._response is not None:
            self._attempts.succeed(self._response.usage)
            return
        outcome = await self._attempts.settle(result, may_retry=False)
        if is_late and outcome is not None:
            raise CallFailed(outcome) from None

    def _time_out(self, *, is_queued: bool) -> AttemptResult:
        if is_queued:
            return AttemptResult(State.NOT_SENT, reason=f"no place became free within {self._call.total:g} seconds")
        return self._call.time_out()

    async def _attempt(self) -> ForwardResponse | AttemptResult:
        raw = await await_response(await self._begin())
        if isinstance(raw, AttemptResult):
            return raw
        self._raw = raw
        if raw.status < 200:
            return reject_protocol_switch(raw.status)
        return await self._refuse(raw) if raw.status >= 300 else self._succeed(raw)

    async def _begin(self) -> Awaitable[RawResponse]:
        """Wait for a place, and return what sends the request; one that was begun elsewhere goes on."""
        loop = asyncio.get_running_loop()
        begun, self._begun = self._begun, None
        if begun is not None:
            sending = begun.resume(self._call)
            seconds = self._attempts.adopt(begun.started)
        else:
            if self._retrier.pacer.is_busy:
                self._limit.reschedule(loop.time() + self._call.total)
            seconds = await self._attempts.begin()
            sending = self._send(self._call)
        self._limit.reschedule(loop.time() + seconds)
        self._was_attempted = True
        return sending

    def _succeed(self, raw: RawResponse) -> ForwardResponse:
        self._retrier.pacer.speed_up()
        reason = "the caller left before the end of the answer"
        self._result = result = AttemptResult(State.UNKNOWN, raw.status, reason=reason)
        headers = self._retrier.redactor.hide_in_raw_headers(raw.headers)
        whole = raw.take_whole()
        if whole is None:
            return ForwardResponse(raw.status, headers, self._iter_chunks(raw, result))
        result.state, result.reason = State.DONE, ""
        return ForwardResponse(raw.status, headers, iter_once(whole), whole=whole)

    async def _iter_chunks(self, raw: RawResponse, result: AttemptResult) -> AsyncGenerator[bytes, None]:
        try:
            async for chunk in raw.stream:
                if chunk:
                    yield chunk
        except httpx.TransportError as exc:
            result.reason = str(exc)
        else:
            result.state, result.reason = State.DONE, ""
            return
        raise CallFailed(Outcome(State.UNKNOWN, result.status, reason=self._retrier.redactor(result.reason)))

    async def _refuse(self, raw: RawResponse) -> ForwardResponse:
        """Read a refusal before it is passed on: what it says may be meant for every call of this client."""
        result = await read_refusal(raw)
        # One caller asks for what this key may not do, which 401 says as well as 403 (a missing scope, another
        # project): that is no reason to stop all the others. Each of them hears for itself whether the key is bad.
        may_pause = result.status not in OF_ONE_CALLER or not result.codes.isdisjoint(EXHAUSTED)
        outcome = await self._attempts.settle(result, may_retry=False, may_pause=may_pause)
        redactor = self._retrier.redactor
        data = redactor(result.text).encode()
        headers = _replace_framing(redactor.hide_in_raw_headers(raw.headers), len(data))
        return ForwardResponse(raw.status, headers, iter_once(data), outcome)

    async def _release(self) -> None:
        if self._response is not None:
            await self._response.chunks.aclose()
        self._attempts.end()
        raw, self._raw = self._raw, None
        if raw is not None:
            await raw.stream.aclose()


def _replace_framing(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    """Return the headers of a response whose body was read and may have changed."""
    framing = (b"content-length", b"content-encoding", b"transfer-encoding")
    kept = [(name, value) for name, value in headers if name.lower() not in framing]
    return [*kept, (b"content-length", b"%d" % length)]
