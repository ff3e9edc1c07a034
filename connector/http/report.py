"""The log of a client: one line a call, without secrets and, unless asked for, without bodies."""

from __future__ import annotations

import logging

from connector.http.call import Call
from connector.http.headers import as_text
from connector.model import Outcome
from connector.request import Redactor
from connector.request.wire import BytesBody

__all__ = ["Report"]

LOG = logging.getLogger("connector.http")
MOST = 2048


class Report:
    """Writes what a call came to into the log."""

    def __init__(self, level: str, redactor: Redactor) -> None:
        self._level = level
        self._hide = redactor

    def __call__(self, call: Call, outcome: Outcome) -> None:
        if outcome.possible_duplicates:
            # Of money that may be lost a log tells at any level.
            LOG.warning("%s", self._hide(f"{call.wire.method} {call.wire.path}: {outcome.duplicates}"))
        if self._level == "none":
            return
        if LOG.isEnabledFor(logging.INFO):
            LOG.info("%s", self._hide(_line(call, outcome)))
        if self._level == "full" and LOG.isEnabledFor(logging.DEBUG):
            LOG.debug("%s", _exchange(call, outcome, self._hide))


def _line(call: Call, outcome: Outcome) -> str:
    seconds = sum(attempt.seconds + attempt.waited for attempt in outcome.attempts)
    tries = f", {len(outcome.attempts)} attempts" if len(outcome.attempts) > 1 else ""
    trace = f", request {outcome.request_id}" if outcome.request_id else ""
    return (
        f"{call.wire.method} {call.wire.path} {outcome.status or '-'} {outcome.state.value} in {seconds:.3f} s"
        f"{tries}{trace}"
    )


def _exchange(call: Call, outcome: Outcome, hide: Redactor) -> str:
    """Both sides of a call, redacted, the bodies only by their beginning."""
    body = call.wire.body
    payload = body.data.decode(errors="replace") if isinstance(body, BytesBody) else "" if body is None else "…"
    return "\n".join(
        [
            hide(f"> {call.wire.method} {call.wire.target}"),
            *(f"{name}: {value}" for name, value in hide.headers(as_text(call.headers)).items()),
            hide(payload)[:MOST],
            "<",
            *(f"{name}: {value}" for name, value in hide.headers(outcome.headers).items()),
            hide(str(outcome.body))[:MOST],
        ]
    )
