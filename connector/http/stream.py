"""One call whose answer is given while it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing

import httpx

from connector.errors import CallFailed
from connector.http.attempt import AttemptResult, judge_broken_stream, open_response, read_refusal
from connector.http.call import Call
from connector.http.call_log import ITEMS, CallLog
from connector.http.error_body import cut_excerpt
from connector.http.response import UnacceptableBody, UnexpectedBody, iter_body
from connector.http.response_headers import parse_headers
from connector.http.retry import CallAttempts, Retrier, limit_time
from connector.http.sse import BrokenStream, drain, iter_data
from connector.model import JSON, State

__all__ = ["stream_call"]


async def stream_call(
    transport: httpx.AsyncBaseTransport, call: Call, judge: Retrier, report: CallLog
) -> AsyncGenerator[JSON, None]:
    """The data as they come, tried again only while nothing was given; a stream that is not done raises CallFailed."""
    tries = CallAttempts(call, judge)
    while True:
        seen: list[JSON] = []
        flow = _Flow(transport, call)
        left = await tries.begin()
        try:
            async with aclosing(flow.data(left)) as data:
                async for datum in data:
                    flow.tried.hopeless = True
                    if report.is_full and len(seen) < ITEMS:
                        seen.append(datum)
                    yield datum
        finally:
            judge.pacer.release()
        outcome = await tries.settle(flow.tried)
        if outcome is not None:
            report(call, outcome, seen)
            if not outcome.ok:
                raise CallFailed(outcome)
            return


class _Flow:
    """One attempt at a stream: gives its data and keeps what it came to."""

    def __init__(self, transport: httpx.AsyncBaseTransport, call: Call) -> None:
        self._transport = transport
        self._call = call
        self.tried = AttemptResult(State.UNKNOWN, reason="the stream was left before its end")

    async def data(self, left: float) -> AsyncGenerator[JSON, None]:
        until = asyncio.get_running_loop().time() + left
        response = await limit_time(left, open_response(self._transport, self._call.request()))
        if not isinstance(response, httpx.Response):
            self.tried = response or self._call.late()
            return
        try:
            if response.status_code >= 300:
                self.tried = await limit_time(left, read_refusal(response)) or self._call.late()
                return
            async with aclosing(self._read(response, until)) as data:
                async for datum in data:
                    yield datum
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response, until: float) -> AsyncGenerator[JSON, None]:
        headers, tried = parse_headers(response), self.tried
        tried.status, tried.headers = response.status_code, headers
        try:
            chunks = _timed(iter_body(response, headers), until, self._call)
            if "event-stream" in headers.get("content-type", "text/event-stream"):
                async with aclosing(iter_data(chunks, self._call.wire.operation, self._call.most)) as data:
                    async for datum in data:
                        yield datum
                await drain(chunks)
            else:
                yield await self._call.take(response, headers)
        except BrokenStream as exc:
            self._break(judge_broken_stream(exc, response.status_code, headers))
        except UnexpectedBody as exc:
            tried.reason, tried.evidence = str(exc), cut_excerpt(exc.data)
        except (httpx.TransportError, UnacceptableBody) as exc:
            tried.reason = str(exc)
        else:
            tried.state, tried.reason = State.DONE, ""

    def _break(self, broken: AttemptResult) -> None:
        broken.hopeless = self.tried.hopeless
        self.tried = broken


async def _timed(chunks: AsyncIterable[bytes], until: float, call: Call) -> AsyncGenerator[bytes, None]:
    """The chunks, while there is time."""
    source = aiter(chunks)
    while True:
        try:
            async with asyncio.timeout_at(until):
                chunk = await anext(source)
        except StopAsyncIteration:
            return
        except TimeoutError:
            break
        yield chunk
    raise httpx.ReadTimeout(call.late().reason)
