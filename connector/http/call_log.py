"""The log of a client: one line a call, without secrets and, unless asked for, without bodies."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from connector.documents import dump
from connector.errors import InvalidDocument
from connector.http.call import Call
from connector.model import JSON, Outcome
from connector.request import Redactor
from connector.request.wire import BytesBody

__all__ = ["ITEMS", "CallLog"]

LOG = logging.getLogger("connector.http")
ASKED = logging.getLogger("connector.http.asked")
"""The log of clients whose `logging` was given: the command line shows it even if it hides other logs."""
MOST = 4096
"""Characters of a body."""
MARGIN = 256
"""This much more text is searched than shown, so that no secret is cut, and so missed, at the end."""
ITEMS = 100
"""Events of a stream."""


class CallLog:
    """Writes what a call came to into the log.

    Args:
        level: none, basic (a line a call) or full (both sides of it).
        redactor: hides secrets.
        asked: whether the level was given, and is no default.
    """

    def __init__(self, level: str, redactor: Redactor, *, asked: bool = False) -> None:
        self._level = level
        self._hide = redactor
        self.logger = ASKED if asked else LOG
        """Where calls are logged; a call that went well has nothing to say below its level."""

    def __call__(self, call: Call, outcome: Outcome, seen: list[JSON] | None = None) -> None:
        """Log a call.

        Args:
            call: what was sent.
            outcome: what it came to.
            seen: the events that came, in place of a body.
        """
        if outcome.possible_duplicates:
            # Money that may be lost is logged at any level.
            LOG.warning("%s", self._hide(f"{call.wire.method} {call.wire.path}: {outcome.duplicates}"))
        if self._level == "none":
            return
        if self.logger.isEnabledFor(logging.INFO):
            self.logger.info("%s", self._hide(_format_line(call, outcome)))
        if self.is_full:
            self.logger.debug(
                "%s", "\n".join(_iter_exchange(call, outcome, outcome.body if seen is None else seen, self._hide))
            )

    @property
    def is_full(self) -> bool:
        """Whether both sides of calls are logged."""
        return self._level == "full" and self.logger.isEnabledFor(logging.DEBUG)


def _format_line(call: Call, outcome: Outcome) -> str:
    seconds = sum(attempt.seconds + attempt.waited for attempt in outcome.attempts)
    tries = f", {len(outcome.attempts)} attempts" if len(outcome.attempts) > 1 else ""
    trace = f", request {outcome.request_id}" if outcome.request_id else ""
    return (
        f"{call.wire.method} {call.wire.path} {outcome.status or '-'} {outcome.state.value} in {seconds:.3f} s"
        f"{tries}{trace}"
    )


def _iter_exchange(call: Call, outcome: Outcome, answer: JSON, hide: Redactor) -> Iterator[str]:
    """Yield both sides of a call, redacted, the bodies only by their beginning."""
    yield hide(f"> {call.wire.method} {call.url}")
    yield from (f"> {name}: {value}" for name, value in hide.headers(dict(call.headers)).items())
    yield from _iter_body(_show_request(call), ">", hide)
    for number, attempt in enumerate(outcome.attempts[:-1], start=1):
        yield hide(f"* attempt {number}: {attempt.status or '-'} {attempt.state.value}: {attempt.reason}")
    yield hide(f"< {outcome.status or '-'} {outcome.state.value}{f': {outcome.reason}' if outcome.reason else ''}")
    yield from (f"< {name}: {value}" for name, value in hide.headers(outcome.headers).items())
    yield from _iter_body(_show_answer(answer, hide), "<", hide)


def _show_request(call: Call) -> str:
    body = call.wire.body
    if body is None:
        return ""
    if isinstance(body, BytesBody):
        return body.data.decode(errors="replace")
    return f"({body.content_type.partition(';')[0]}, {body.length if body.length is not None else 'unknown'} bytes)"


def _show_answer(answer: JSON, hide: Redactor) -> str:
    if answer is None:
        return ""
    if isinstance(answer, bytes):
        return f"({len(answer)} bytes)"
    if isinstance(answer, str):
        return answer
    try:
        return dump(hide.value(answer)).decode()
    except InvalidDocument:
        return str(answer)


def _iter_body(text: str, mark: str, hide: Redactor) -> Iterator[str]:
    """Yield the beginning of a body; what is cut off is counted."""
    if not text:
        return
    # A secret's longest form is an escape of six characters for each of its own.
    margin = MARGIN + 6 * max(map(len, hide.secrets), default=0)
    shown = hide(text[: MOST + margin])
    if len(text) > MOST:
        shown = f"{shown[: max(0, min(MOST, len(shown) - margin))]}… ({len(text):,} characters)"
    yield from (f"{mark} {line}" for line in ("", *shown.splitlines()))
