"""Forward a request through a client, and stream the answer back as it comes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import orjson
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

from connector.errors import ConfigurationError
from connector.gateway.headers import response_headers
from connector.gateway.refusals import Refusal
from connector.gateway.request_record import RequestRecord
from connector.gateway.substitutes import AnswerRestorer
from connector.gateway.usage_reader import UsageReader
from connector.http import BegunForward, Client, Forward, ForwardRequest, ForwardResponse
from connector.model import CallFailed, InvalidRequest, Outcome, State
from connector.request.successors import AnswerForm

if TYPE_CHECKING:
    from aiohttp.http import StreamWriter

__all__ = ["Forwarding", "allows_another_request"]

STATE_HEADER = "x-connector-state"
SUCCESSOR_HEADER = "x-connector-successor"
"""The operation that was called in the place of one that the API has removed."""
EVIDENCE_HEADER = "x-connector-evidence"
MAX_EVIDENCE = 500
NO_RETRY = {"x-should-retry": "false"}
RETRY = {"x-should-retry": "true"}
PHRASES = {status.value: status.phrase for status in HTTPStatus}
WITHOUT_BODY = (204, 304)


def allows_another_request(request: web.BaseRequest) -> bool:
    """Whether another request may follow on this connection.

    None follows a chunked body: aiohttp's parser takes the trailers of such a body for headers of the next request.
    """
    return request.keep_alive and "transfer-encoding" not in request.headers


class Forwarding:
    """One request on its way to upstream and back.

    Args:
        request: the caller's.
        client: whose credentials replace the caller's.
        onward: what is sent.
        record: the request's record, which learns state and status.
        form: gives the answer the shape of a removed operation's.
        more_headers: are added to those of the answer.
        begun: the request on its way already.
    """

    def __init__(
        self,
        request: web.BaseRequest,
        client: Client,
        onward: ForwardRequest,
        record: RequestRecord,
        form: AnswerForm | None = None,
        more_headers: Mapping[str, str] = MappingProxyType({}),
        begun: BegunForward | None = None,
    ) -> None:
        self._request = request
        self._client = client
        self._onward = onward
        self._record = record
        self._form = form
        self._more_headers = more_headers
        self._begun = begun
        self._response: _StreamedResponse | None = None
        self.usage: UsageReader | None = None
        """Has read the answer, once there is one."""

    async def run(self) -> web.StreamResponse:
        """Return the response, already written; Refusal when there is none that could be passed on."""
        record, passage = self._record, self._enter()
        try:
            async with passage as passed:
                response = await self._stream(passed)
            await response.finish()
        except CallFailed as failed:
            return await self._fail(failed.outcome)
        finally:
            record.is_sent = passage.may_be_sent
            if record.is_sent and not record.state:
                record.state = State.UNKNOWN.value
        record.state = passed.outcome.state.value if passed.outcome is not None else State.DONE.value
        return response

    def _enter(self) -> Forward:
        try:
            return self._client.forward(self._onward, self._begun)
        except InvalidRequest as error:
            raise Refusal(400, "invalid_request", str(error.faults[0])) from None
        except ConfigurationError as error:
            raise Refusal(503, "client_not_ready", f"the client cannot call: {error}", headers=NO_RETRY) from None

    async def _stream(self, passed: ForwardResponse) -> _StreamedResponse:
        record, status = self._record, passed.status
        record.status, record.state = status, State.UNKNOWN.value
        headers = response_headers(passed.headers)
        record.request_id = headers.get("x-request-id", "")
        if passed.outcome is not None:
            record.state = passed.outcome.state.value
            _check_refusal(status, passed.outcome)
            if passed.outcome.state is State.UNKNOWN:
                headers.update({**_evidence(passed.outcome), **NO_RETRY})
        headers.extend(self._more_headers)
        is_encoded = headers.get("content-encoding", "identity").lower() != "identity"
        self.usage = usage = UsageReader(headers.get("content-type", "").lower(), is_encoded=is_encoded)
        restorer = self._make_restorer(passed, headers, usage)
        self._response = response = _StreamedResponse(self._request, status, headers)
        if restorer is not None:
            await self._restore(passed, restorer, response)
        elif passed.whole:
            usage.feed(passed.whole)
            await response.send(passed.whole)
        else:
            async for chunk in passed.chunks:
                usage.feed(chunk)
                await response.send(chunk)
        if self._client.parameters.limits.tokens_per_minute is not None:
            passed.record_usage(usage.read_answer(is_complete=True))
        return response

    def _make_restorer(
        self, passed: ForwardResponse, headers: CIMultiDict[str], usage: UsageReader
    ) -> AnswerRestorer | None:
        """Return what gives the answer its old shape; None where it stays as it is, as every refusal does."""
        if self._form is None or passed.outcome is not None or usage.kind not in ("json", "events"):
            return None
        headers.popall("content-length", None)
        if self._onward.operation is not None:
            headers[SUCCESSOR_HEADER] = self._onward.operation.name
        return AnswerRestorer(self._form, is_stream=usage.is_stream)

    async def _restore(self, passed: ForwardResponse, restorer: AnswerRestorer, response: _StreamedResponse) -> None:
        """Pass the answer on in its old shape; what was used is read from the new one."""
        usage = self.usage
        async for chunk in _iterate_chunks(passed):
            if usage is not None:
                usage.feed(chunk)
            if restored := restorer.feed(chunk):
                await response.send(restored)
        if rest := restorer.finish():
            await response.send(rest)

    async def _fail(self, outcome: Outcome) -> web.StreamResponse:
        """Tell the caller that there is no answer, or only the beginning of one, and what follows."""
        self._record.state = outcome.state.value
        response = self._response
        if response is not None and response.has_begun:
            self._record.code, self._record.detail = "broken_off", outcome.reason
            if self.usage is not None and self.usage.is_stream:
                await response.send(_error_event(outcome))
            response.break_off()
            return response
        raise self._refuse(outcome)

    def _refuse(self, outcome: Outcome) -> Refusal:
        evidence = _evidence(outcome)
        if outcome.state is State.NOT_SENT:
            is_paused = self._client.paused is not None
            code = "client_paused" if is_paused else "not_sent"
            more = {**NO_RETRY, "Retry-After": "15"} if is_paused else RETRY
            return Refusal(503, code, f"nothing was sent: {outcome.reason}", headers={**evidence, **more})
        more = RETRY if self._is_repeatable else NO_RETRY
        message = f"the outcome is unknown: {outcome.reason}"
        return Refusal(504 if self._has_timed_out(outcome) else 502, "unknown", message, headers={**evidence, **more})

    @property
    def _is_repeatable(self) -> bool:
        operation = self._onward.operation
        effect = operation.effect if operation is not None else None
        return effect.repeatable if effect is not None else self._onward.method in ("GET", "HEAD", "DELETE")

    def _has_timed_out(self, outcome: Outcome) -> bool:
        timeouts = self._client.parameters.timeouts
        seconds = max((attempt.seconds for attempt in outcome.attempts), default=0.0)
        return seconds >= 0.95 * min(timeouts.read, timeouts.total)


class _StreamedResponse(web.StreamResponse):
    """Write head and chunks as they are: what aiohttp would add to the headers is upstream's business."""

    def __init__(self, request: web.BaseRequest, status: int, headers: CIMultiDict[str]) -> None:
        super().__init__(status=status)
        self._request = request
        self._writer = cast("StreamWriter", request.writer)
        self._upstream_headers = headers
        self.has_begun = False
        self._has_no_body = request.method == "HEAD" or status in WITHOUT_BODY

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:  # noqa: ARG002  aiohttp's signature
        return self._writer

    async def send(self, chunk: bytes) -> None:
        """Write a chunk of the body."""
        if not self.has_begun:
            await self._write_head()
        if self._has_no_body:
            return
        await self._writer.write(chunk, drain=False)
        if self._request.protocol.writing_paused:
            await self._writer.drain()

    async def finish(self) -> None:
        """Write the end."""
        if not self.has_begun:
            await self._write_head()
        await self._writer.write_eof()

    def break_off(self) -> None:
        """End the connection before the body ends, so that the caller learns that this is not all of it."""
        self._keep_alive = False
        transport = self._request.transport
        if transport is None:
            return
        headers = self._upstream_headers
        if "content-length" in headers or "transfer-encoding" in headers:
            transport.close()
        else:
            transport.abort()

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: aiohttp's end of the response has been written."""

    async def _write_head(self) -> None:
        """Write the head, which leaves with the first chunk."""
        self.has_begun = True
        request, headers, writer = self._request, self._upstream_headers, self._writer
        is_persistent = allows_another_request(request)
        if not self._has_no_body and "content-length" not in headers:
            if request.version >= (1, 1):
                headers["Transfer-Encoding"] = "chunked"
                writer.enable_chunking()
            else:
                is_persistent = False
        self._keep_alive = is_persistent
        if not is_persistent:
            headers["Connection"] = "close"
        elif request.version < (1, 1):
            headers["Connection"] = "keep-alive"
        await writer.write_headers(f"HTTP/1.1 {self.status} {PHRASES.get(self.status, '')}", headers)


async def _iterate_chunks(passed: ForwardResponse) -> AsyncGenerator[bytes, None]:
    if passed.whole:
        yield passed.whole
        return
    async for chunk in passed.chunks:
        yield chunk


def _check_refusal(status: int, outcome: Outcome) -> None:
    """Raise for refusals that are not the caller's to act on."""
    if status == 401:
        message = "upstream does not take the client's credentials; the gateway's administrator must check them"
        raise Refusal(502, "client_refused", message, headers={STATE_HEADER: "refused", **NO_RETRY})
    if 300 <= status < 400 and status != 304:
        message = f"upstream answers with a redirect, which is not followed: {outcome.reason}"
        raise Refusal(502, "redirected", message, headers={STATE_HEADER: "refused", **NO_RETRY})


def _evidence(outcome: Outcome) -> dict[str, str]:
    reason = "".join(char if " " <= char <= "~" else " " for char in outcome.reason)[:MAX_EVIDENCE]
    return {STATE_HEADER: outcome.state.value, EVIDENCE_HEADER: reason}


def _error_event(outcome: Outcome) -> bytes:
    """Return an error event, as the API itself ends a stream that fails."""
    message = f"the stream broke off: {outcome.reason}"
    error = {"message": message, "type": "gateway_error", "param": None, "code": outcome.state.value}
    return b"\n\nevent: error\ndata: " + orjson.dumps({"error": error}) + b"\n\n"
