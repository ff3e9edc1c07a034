"""One call whose answer is given while it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing

import httpx

from connector.http.attempt import judge_broken_stream, open_response, read_refusal
from connector.http.attempt_result import AttemptResult
from connector.http.call import Call
from connector.http.call_log import ITEMS, CallLog
from connector.http.raw_response import RawResponse
from connector.http.response import UnacceptableBody, UnexpectedBody, cut_excerpt, iter_body, parse_headers
from connector.http.retry import CallAttempts, Retrier, limit_time
from connector.http.sse import BrokenStream, drain, iter_data
from connector.model import JSON, CallFailed, State

__all__ = ["stream_call"]


async def stream_call(
    transport: httpx.AsyncBaseTransport, call: Call, retrier: Retrier, log: CallLog
) -> AsyncGenerator[JSON, None]:
    """Yield the data as they come; a stream that is not done raises CallFailed.

    It is tried again only while nothing was given.
    """
    attempts = CallAttempts(call, retrier)
    while True:
        seen: list[JSON] = []
        attempt = _StreamAttempt(transport, call)
        seconds = await attempts.begin()
        try:
            async with aclosing(attempt.iter_data(seconds)) as data:
                async for datum in data:
                    if log.is_full and len(seen) < ITEMS:
                        seen.append(datum)
                    yield datum
        finally:
            attempts.end()
        outcome = await attempts.settle(attempt.result)
        if outcome is not None:
            log(call, outcome, seen)
            if not outcome.ok:
                raise CallFailed(outcome)
            return


class _StreamAttempt:
    """One attempt at a stream: yields its data and keeps its result."""

    def __init__(self, transport: httpx.AsyncBaseTransport, call: Call) -> None:
        self._transport = transport
        self._call = call
        self.result = AttemptResult(State.UNKNOWN, reason="the stream was left before its end")

    async def iter_data(self, seconds: float) -> AsyncGenerator[JSON, None]:
        deadline = asyncio.get_running_loop().time() + seconds
        response = await limit_time(seconds, open_response(self._transport, self._call))
        if not isinstance(response, RawResponse):
            self.result = response or self._call.time_out()
            return
        try:
            if response.status >= 300:
                self.result = await limit_time(seconds, read_refusal(response)) or self._call.time_out()
                return
            async with aclosing(self._read(response, deadline)) as data:
                async for datum in data:
                    self.result.is_final = True
                    yield datum
        finally:
            await response.stream.aclose()

    async def _read(self, response: RawResponse, deadline: float) -> AsyncGenerator[JSON, None]:
        headers, result = parse_headers(response.headers), self.result
        result.status, result.headers = response.status, headers
        try:
            chunks = _limit_chunks(iter_body(response.stream, headers), deadline, self._call)
            if "event-stream" in headers.get("content-type", "text/event-stream"):
                async with aclosing(iter_data(chunks, self._call.wire.operation, self._call.max_bytes)) as data:
                    async for datum in data:
                        yield datum
                await drain(chunks)
            else:
                yield await self._call.read_response(response, headers)
        except BrokenStream as exc:
            broken = judge_broken_stream(exc, response.status, headers)
            broken.is_final = result.is_final
            self.result = broken
        except UnexpectedBody as exc:
            result.reason, result.evidence = str(exc), cut_excerpt(exc.data)
        except (httpx.TransportError, UnacceptableBody) as exc:
            result.reason = str(exc)
        else:
            result.state, result.reason = State.DONE, ""


async def _limit_chunks(chunks: AsyncIterable[bytes], deadline: float, call: Call) -> AsyncGenerator[bytes, None]:
    """Yield the chunks while there is time."""
    source = aiter(chunks)
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                chunk = await anext(source)
        except StopAsyncIteration:
            return
        except TimeoutError:
            break
        yield chunk
    raise httpx.ReadTimeout(call.time_out().reason)
