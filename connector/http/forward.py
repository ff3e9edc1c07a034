"""Passing somebody else's request on through a client, and its answer back as it comes.

What an attempt came to is judged as for every other call of the client, so that its waits and pauses are everybody's;
but only what was certainly not sent is tried again: the caller decides the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import httpx

from connector.errors import CallFailed
from connector.http.attempt import AttemptResult, await_response, read_refusal, reject_protocol_switch
from connector.http.call import Call
from connector.http.forward_request import RawResponse, SendRequest
from connector.http.policy import EXHAUSTED, Pause
from connector.http.retry import CallAttempts, Retrier
from connector.model import JSON, Outcome, State
from connector.resilience import Backoff, CircuitBreaker

__all__ = ["Forward", "ForwardBreaker", "ForwardResponse"]

NOT_FOR_EVERYBODY = (401, 403)
"""What is refused so may be refused to one request alone."""
BETWEEN_TRIALS = 15.0


class ForwardResponse:
    """The answer to a request that was passed on."""

    def __init__(
        self,
        reply: RawResponse,
        headers: list[tuple[bytes, bytes]],
        chunks: AsyncGenerator[bytes, None],
        outcome: Outcome | None = None,
        whole: bytes | None = None,
    ) -> None:
        self.status = reply.status
        self.headers = headers
        """Without the client's secrets, which an upstream may echo."""
        self.outcome = outcome
        """What a refusal was judged to be; nothing is known of a success before its end."""
        self.used: JSON = None
        """What the answer says it used; whoever read it may set it before the passage is left."""
        self.whole = whole
        """The body, when all of it came with the headers; the chunks are the same bytes."""
        self.chunks = chunks
        """The body as it comes; CallFailed when it breaks off. A refusal's has no content encoding."""


class Forward:
    """Sends a request when it is entered; leaving it gives its place to the next call."""

    def __init__(self, call: Call, send: SendRequest, judge: Retrier, circuit: ForwardBreaker) -> None:
        self._call = call
        self._send = send
        self._judge = judge
        self._circuit = circuit
        self._tries = CallAttempts(call, judge)
        self._limit = asyncio.timeout(None)
        self._has_place = False
        self._reply: RawResponse | None = None
        self._passed: ForwardResponse | None = None
        self._tried: AttemptResult | None = None
        self._tries_made = False

    @property
    def may_be_sent(self) -> bool:
        """Whether a byte may have gone out."""
        return self._tries_made and self._call.progress.handed_over is not False

    async def __aenter__(self) -> ForwardResponse:
        """The answer as soon as its headers are there; a call that has none raises CallFailed."""
        self._circuit.check()
        await self._limit.__aenter__()
        try:
            while True:
                passed = await self._attempt()
                if isinstance(passed, ForwardResponse):
                    self._passed = passed
                    return passed
                await self._leave()
                await self._settle(passed)
        except BaseException as error:
            await self._end(error)
            raise

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        await self._end(error)

    async def _end(self, error: BaseException | None) -> None:
        """Gives everything back and judges what came of it; time that ran out becomes CallFailed."""
        late = False
        try:
            await self._limit.__aexit__(type(error) if error is not None else None, error, None)
        except TimeoutError:
            late = True
        queued = not self._has_place
        await self._leave()
        tried = self._late(queued=queued) if late else self._tried
        if tried is None:
            return
        if tried.state is State.DONE and self._passed is not None:
            self._tries.done(self._passed.used)
            return
        self._call.retries = 0
        outcome = await self._tries.settle(tried)
        if late and outcome is not None:
            raise CallFailed(outcome) from None

    def _late(self, *, queued: bool) -> AttemptResult:
        if queued:
            return AttemptResult(State.NOT_SENT, reason=f"no place became free within {self._call.total:g} seconds")
        return self._call.late()

    async def _attempt(self) -> ForwardResponse | AttemptResult:
        loop = asyncio.get_running_loop()
        if self._judge.pacer.is_busy:
            self._limit.reschedule(loop.time() + self._call.total)
        left = await self._tries.begin()
        self._has_place = True
        self._limit.reschedule(loop.time() + left)
        self._tries_made = True
        reply = await await_response(self._send(self._call))
        if isinstance(reply, AttemptResult):
            return reply
        self._reply = reply
        if reply.status < 200:
            return reject_protocol_switch(reply.status)
        if reply.status >= 300:
            return await self._refused(reply)
        self._judge.pacer.speed_up()
        self._tried = tried = AttemptResult(
            State.UNKNOWN, reply.status, reason="the caller left before the end of the answer"
        )
        headers = self._judge.redactor.sent_back(reply.headers)
        whole = reply.at_once()
        if whole is None:
            return ForwardResponse(reply, headers, self._chunks(reply, tried))
        tried.state, tried.reason = State.DONE, ""
        return ForwardResponse(reply, headers, _once(whole), whole=whole)

    async def _chunks(self, reply: RawResponse, tried: AttemptResult) -> AsyncGenerator[bytes, None]:
        try:
            async for chunk in reply.stream:
                if chunk:
                    yield chunk
        except httpx.TransportError as exc:
            tried.reason = str(exc)
        else:
            tried.state, tried.reason = State.DONE, ""
            return
        raise CallFailed(Outcome(State.UNKNOWN, tried.status, reason=self._judge.redactor(tried.reason)))

    async def _refused(self, reply: RawResponse) -> ForwardResponse:
        """A refusal is read before it is passed on: what it says may be meant for every call of this client."""
        response = httpx.Response(reply.status, headers=reply.headers, stream=reply.stream)
        tried = await read_refusal(response)
        judge, paused = self._judge, self._judge.paused
        self._call.retries = 0
        outcome = await self._tries.settle(tried)
        if judge.paused is not None and judge.paused.status in NOT_FOR_EVERYBODY and tried.codes.isdisjoint(EXHAUSTED):
            # One caller asks for what this key may not do, which 401 says as well as 403 (a missing scope, another
            # project): that is no reason to stop all the others. Each of them hears for itself whether the key is bad.
            judge.paused = paused
        data = judge.redactor(tried.text).encode()
        headers = _unframed(judge.redactor.sent_back(reply.headers), len(data))
        return ForwardResponse(reply, headers, _once(data), outcome)

    async def _settle(self, tried: AttemptResult) -> None:
        """Returns for another try when nothing was sent; raises otherwise."""
        if tried.state is not State.NOT_SENT:
            self._call.retries = 0
        outcome = await self._tries.settle(tried)
        if outcome is not None:
            raise CallFailed(outcome)

    async def _leave(self) -> None:
        if self._passed is not None:
            await self._passed.chunks.aclose()
        if self._has_place:
            self._has_place = False
            self._judge.pacer.release()
        reply, self._reply = self._reply, None
        if reply is not None:
            await reply.stream.aclose()


def _unframed(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    """The headers of an answer whose body was read and may have changed."""
    framing = (b"content-length", b"content-encoding", b"transfer-encoding")
    kept = [(name, value) for name, value in headers if name.lower() not in framing]
    return [*kept, (b"content-length", b"%d" % length)]


async def _once(data: bytes) -> AsyncGenerator[bytes, None]:
    if data:
        yield data


class ForwardBreaker:
    """Lets a trial through now and then while the client is paused; one that is done ends the pause."""

    def __init__(self, judge: Retrier) -> None:
        self._judge = judge
        backoff = Backoff(BETWEEN_TRIALS, BETWEEN_TRIALS, jitter=0.0)
        self._breaker = CircuitBreaker[Pause](judge.timing, backoff, probe_timeout=BETWEEN_TRIALS)

    def check(self) -> None:
        """Raise CallFailed while the client is paused, except for a trial every few seconds."""
        pause = self._judge.paused
        if pause is None:
            return
        if pause is not self._breaker.reason:
            self._breaker.trip(pause)
        if self._breaker.enter() is None:
            raise CallFailed(pause.outcome())
