"""One call whose answer is given while it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing

import httpx

from connector.errors import CallFailed
from connector.http.attempt import Tried, broken_stream, opened, refusal
from connector.http.call import Call
from connector.http.call_log import ITEMS, Report
from connector.http.error_body import evidence
from connector.http.response import NotWhatWasDue, Unacceptable, chunks_of
from connector.http.response_headers import headers_of
from connector.http.retry import Judge, Tries, within
from connector.http.sse import StreamBroken, data_of, drained
from connector.model import JSON, State

__all__ = ["streamed"]


async def streamed(
    transport: httpx.AsyncBaseTransport, call: Call, judge: Judge, report: Report
) -> AsyncGenerator[JSON, None]:
    """The data as they come, tried again only while nothing was given; a stream that is not done raises CallFailed."""
    tries = Tries(call, judge)
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
        self.tried = Tried(State.UNKNOWN, reason="the stream was left before its end")

    async def data(self, left: float) -> AsyncGenerator[JSON, None]:
        until = asyncio.get_running_loop().time() + left
        response = await within(left, opened(self._transport, self._call.request()))
        if not isinstance(response, httpx.Response):
            self.tried = response or self._call.late()
            return
        try:
            if response.status_code >= 300:
                self.tried = await within(left, refusal(response)) or self._call.late()
                return
            async with aclosing(self._read(response, until)) as data:
                async for datum in data:
                    yield datum
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response, until: float) -> AsyncGenerator[JSON, None]:
        headers, tried = headers_of(response), self.tried
        tried.status, tried.headers = response.status_code, headers
        try:
            chunks = _timed(chunks_of(response, headers), until, self._call)
            if "event-stream" in headers.get("content-type", "text/event-stream"):
                async with aclosing(data_of(chunks, self._call.wire.operation, self._call.most)) as data:
                    async for datum in data:
                        yield datum
                await drained(chunks)
            else:
                yield await self._call.take(response, headers)
        except StreamBroken as exc:
            self._break(broken_stream(exc, response.status_code, headers))
        except NotWhatWasDue as exc:
            tried.reason, tried.evidence = str(exc), evidence(exc.data)
        except (httpx.TransportError, Unacceptable) as exc:
            tried.reason = str(exc)
        else:
            tried.state, tried.reason = State.DONE, ""

    def _break(self, broken: Tried) -> None:
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
