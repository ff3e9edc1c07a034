"""One call through a client: the caller's request goes on, upstream's answer comes back, and nothing is made up."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from aiohttp import web

from connector.errors import CallFailed, ConfigurationError, InvalidRequest
from connector.gateway.headers import answered
from connector.gateway.refusals import Refused
from connector.gateway.replies import Reply
from connector.gateway.usage import Watch
from connector.gateway.visit import Visit
from connector.http import Client, Forward, ForwardRequest, ForwardResponse
from connector.model import Outcome, State

__all__ = ["Passing"]

STATE = "x-connector-state"
EVIDENCE = "x-connector-evidence"
LONGEST_EVIDENCE = 500
NO_RETRY = {"x-should-retry": "false"}
AGAIN = {"x-should-retry": "true"}


class Passing:
    """What happens to one call from here to upstream and back.

    Args:
        request: the caller's.
        client: whose credentials take the place of the caller's.
        onward: what goes on.
        visit: takes note of what came of it.
    """

    def __init__(self, request: web.BaseRequest, client: Client, onward: ForwardRequest, visit: Visit) -> None:
        self._request = request
        self._client = client
        self._onward = onward
        self._visit = visit
        self._reply: Reply | None = None

    async def run(self) -> web.StreamResponse:
        """The answer, written; Refused when there is none that could be passed on."""
        passage = self._passage()
        try:
            async with passage as passed:
                reply = await self._answer(passed)
            await reply.end()
        except CallFailed as failed:
            return await self._failed(failed.outcome)
        finally:
            self._visit.sent = passage.may_be_sent
            if self._visit.sent and not self._visit.state:
                self._visit.state = State.UNKNOWN.value
        self._visit.state = passed.outcome.state.value if passed.outcome is not None else State.DONE.value
        return reply

    def _passage(self) -> Forward:
        try:
            return self._client.forward(self._onward)
        except InvalidRequest as error:
            raise Refused(400, "invalid_request", str(error.faults[0])) from None
        except ConfigurationError as error:
            raise Refused(503, "client_not_ready", f"the client cannot call: {error}", headers=NO_RETRY) from None

    async def _answer(self, passed: ForwardResponse) -> Reply:
        visit, status = self._visit, passed.status
        visit.status, visit.state = status, State.UNKNOWN.value
        headers = answered(passed.headers)
        visit.request_id = headers.get("x-request-id", "")
        if passed.outcome is not None:
            visit.state = passed.outcome.state.value
            _check_refusal(status, passed.outcome)
            headers.update(_told(passed.outcome))
        encoded = headers.get("content-encoding", "identity").lower() != "identity"
        watch = Watch(headers.get("content-type", "").lower(), encoded=encoded)
        visit.watch = watch
        self._reply = reply = Reply(self._request, status, headers)
        if passed.whole:
            watch.see(passed.whole)
            await reply.pass_on(passed.whole)
            return reply
        async for piece in passed.chunks:
            watch.see(piece)
            await reply.pass_on(piece)
        return reply

    async def _failed(self, outcome: Outcome) -> web.StreamResponse:
        """There is no answer, or only the beginning of one; the caller is told which, and what that means."""
        self._visit.state = outcome.state.value
        reply = self._reply
        if reply is not None and reply.begun:
            self._visit.code, self._visit.detail = "broken_off", outcome.reason
            if self._visit.watch is not None and self._visit.watch.streams:
                await reply.pass_on(_last_event(outcome))
            reply.break_off()
            return reply
        raise self._no_answer(outcome)

    def _no_answer(self, outcome: Outcome) -> Refused:
        evidence = {STATE: outcome.state.value, EVIDENCE: _line(outcome.reason)}
        if outcome.state is State.NOT_SENT:
            paused = self._client.paused is not None
            code = "client_paused" if paused else "not_sent"
            more = {**NO_RETRY, "Retry-After": "15"} if paused else AGAIN
            return Refused(503, code, f"nothing was sent: {outcome.reason}", headers={**evidence, **more})
        again = AGAIN if self._repeatable else NO_RETRY
        message = f"the outcome is unknown: {outcome.reason}"
        status = 504 if self._took_all_its_time(outcome) else 502
        return Refused(status, "unknown", message, headers={**evidence, **again})

    @property
    def _repeatable(self) -> bool:
        operation = self._onward.operation
        effect = operation.effect if operation is not None else None
        return effect.repeatable if effect is not None else self._onward.method in ("GET", "HEAD", "DELETE")

    def _took_all_its_time(self, outcome: Outcome) -> bool:
        timeouts = self._client.parameters.timeouts
        seconds = max((attempt.seconds for attempt in outcome.attempts), default=0.0)
        return seconds >= 0.95 * min(timeouts.read, timeouts.total)


def _check_refusal(status: int, outcome: Outcome) -> None:
    """Refusals that are not for the caller to act on."""
    if status == 401:
        message = "upstream does not take the client's credentials; whoever runs the gateway must look at them"
        raise Refused(502, "client_refused", message, headers={STATE: "refused", **NO_RETRY})
    if 300 <= status < 400 and status != 304:
        message = f"upstream answers with a redirect, which is not followed: {outcome.reason}"
        raise Refused(502, "redirected", message, headers={STATE: "refused", **NO_RETRY})


def _told(outcome: Outcome) -> Mapping[str, str]:
    """What is added to a refusal whose end nobody knows."""
    if outcome.state is not State.UNKNOWN:
        return {}
    return {STATE: outcome.state.value, EVIDENCE: _line(outcome.reason), **NO_RETRY}


def _line(text: str) -> str:
    """A text as a header may hold it."""
    return "".join(char if " " <= char <= "~" else " " for char in text)[:LONGEST_EVIDENCE]


def _last_event(outcome: Outcome) -> bytes:
    """An error event, as the API itself ends a stream that fails."""
    message = f"the stream broke off: {outcome.reason}"
    error = {"message": message, "type": "gateway_error", "param": None, "code": outcome.state.value}
    return b"\n\nevent: error\ndata: " + orjson.dumps({"error": error}) + b"\n\n"
