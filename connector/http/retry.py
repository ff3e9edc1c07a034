"""The tries of one call: each is judged, and the call goes on or ends in its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

from connector.http.attempt import AttemptResult
from connector.http.call import Call
from connector.http.error_body import EXCERPT_LENGTH, find_error_codes, find_error_message
from connector.http.parameters import Retry
from connector.http.policy import EXHAUSTED, LOOK_FIRST, OVERLOADED, Action, Actor, Pause, Policy, Verdict
from connector.http.response_headers import find_reset, parse_retry_after
from connector.model import JSON, Attempt, Effect, Outcome, State, items, members
from connector.request import Redactor
from connector.resilience import Backoff, Pacer
from connector.timing import Timing

__all__ = ["AFTER_DOUBT", "CallAttempts", "Retrier", "describe_failure", "limit_time"]

Result = TypeVar("Result")

STATUS_OF_CODE = {
    **dict.fromkeys(OVERLOADED, 503),
    **dict.fromkeys(EXHAUSTED, 429),
    "rate_limit_exceeded": 429,
    "invalid_api_key": 401,
    "server_error": 500,
}
"""An error inside a success has no status of its own; its code tells what it would have been."""

AFTER_DOUBT = "an earlier attempt may have taken effect: look before it is sent again"
LONGEST = 500
PLAIN = ("error", "invalid_request_error")
"""Codes that say no more than that there is an error."""


class Retrier:
    """What a client knows about retries: its policy, its waits, its pace, and whether it is paused."""

    def __init__(self, policy: Policy, retry: Retry, pacer: Pacer, timing: Timing, redactor: Redactor) -> None:
        self.policy = policy
        self.retry = retry
        self.pacer = pacer
        self._backoff = Backoff(retry.delay, retry.max_delay, 2.0 if retry.backoff == "exponential" else 1.0)
        self.timing = timing
        self.redactor = redactor
        self.paused: Pause | None = None

    def verdict(self, tried: AttemptResult, call: Call, *, repeated: bool) -> Verdict:
        """Whether an attempt that is not done may be repeated."""
        effect = call.wire.effect
        repeats = (call.on_unknown or self.retry.on_unknown) == "retry"
        if tried.state is State.NOT_SENT:
            return Verdict(State.NOT_SENT, Action.FAIL if tried.hopeless else Action.RETRY, Actor.NETWORK)
        if tried.state is State.UNKNOWN:
            free = effect.repeatable or repeats
            action = Action.RETRY if free and not tried.hopeless else Action.UNKNOWN
            advice = "" if effect.repeatable else LOOK_FIRST
            return Verdict(State.UNKNOWN, action, Actor.NETWORK, advice)
        status, limit_time = tried.status or 0, (tried.status or 0) < 300
        if limit_time:
            status = next((STATUS_OF_CODE[code] for code in tried.codes if code in STATUS_OF_CODE), status)
        method = call.wire.method
        found = self.policy.judge(
            status, tried.headers, tried.codes, tried.text, effect, method, repeated=repeated, within=limit_time
        )
        if found.action is Action.UNKNOWN and repeats:
            found = replace(found, action=Action.RETRY)
        if found.action is Action.RETRY and tried.hopeless:
            found = replace(found, action=Action.FAIL)
        return found

    def wait(self, tried: AttemptResult, number: int) -> float:
        """The seconds before the next try: the larger of the server's hint and our own backoff."""
        hint = parse_retry_after(tried.headers, datetime.now(UTC))
        if hint is None and tried.status == 429:
            hint = find_reset(tried.headers)
        return self._backoff.delay(number, self.timing.chance(), hint)


class CallAttempts:
    """One call under way."""

    def __init__(self, call: Call, judge: Retrier) -> None:
        self._call = call
        self._judge = judge
        self._attempts: list[Attempt] = []
        self._waited = 0.0
        self._started = 0.0
        self._deadline: float | None = None
        self._in_doubt = False

    async def begin(self) -> float:
        """Waits for a place and notes the time; returns the seconds this attempt has."""
        self._waited += await self._judge.pacer.acquire(self._call.tokens)
        self._started = self._judge.timing.clock()
        if self._deadline is None:
            self._deadline = self._started + self._call.total
        return max(self._deadline - self._started, 0.0)

    async def settle(self, tried: AttemptResult) -> Outcome | None:
        """The outcome of the call, or None after the wait before its next try."""
        judge = self._judge
        if tried.status is not None and not _crowding(tried):
            judge.pacer.speed_up()
        if tried.state is State.DONE:
            self.done(tried.body)
            return self._outcome(tried, Verdict(State.DONE, Action.IGNORE, Actor.USER))
        verdict = judge.verdict(tried, self._call, repeated=self._in_doubt)
        self._in_doubt = self._in_doubt or verdict.state is State.UNKNOWN
        if verdict.action is Action.PAUSE:
            judge.paused = Pause(describe_failure(tried, verdict, judge.redactor), verdict.who, tried.status)
        if not self._repeats(verdict) or len(self._attempts) >= self._call.retries:
            self._ask_for_room(tried, verdict)
            return self._outcome(tried, verdict)
        wait = judge.wait(tried, len(self._attempts))
        if self._deadline is not None and judge.timing.clock() + wait >= self._deadline:
            self._ask_for_room(tried, verdict)
            return self._outcome(tried, replace(verdict, advice="no time is left for another try"))
        self._note(tried, verdict)
        await self._rest(tried, wait)
        return None

    def _repeats(self, verdict: Verdict) -> bool:
        """Whether the call is sent again here; one that a journal holds is sent again, and written down, by that."""
        held = (
            verdict.state is State.UNKNOWN and self._call.on_unknown == "hold" and not self._call.wire.effect.repeatable
        )
        return verdict.action is Action.RETRY and not held

    def done(self, body: JSON) -> None:
        """The call has succeeded: its usage is known, and nothing need rest any more."""
        used = members(members(body).get("usage")).get("total_tokens")
        if isinstance(used, int):
            self._judge.pacer.correct(self._call.tokens, used)
        self._judge.paused = None

    async def _rest(self, tried: AttemptResult, wait: float) -> None:
        """The wait before the next try: everybody's when the server asked for less, else our own."""
        judge = self._judge
        if _crowding(tried):
            judge.pacer.hold(wait)
        else:
            await judge.timing.sleep(wait)
            self._waited = wait

    def _ask_for_room(self, tried: AttemptResult, verdict: Verdict) -> None:
        """A call that gives up on a full server still makes the others wait."""
        if verdict.action is Action.RETRY and _crowding(tried):
            self._judge.pacer.hold(self._judge.wait(tried, len(self._attempts)))

    def _note(self, tried: AttemptResult, verdict: Verdict) -> None:
        seconds = self._judge.timing.clock() - self._started
        reason = "" if tried.state is State.DONE else describe_failure(tried, None, self._judge.redactor)
        self._attempts.append(Attempt(verdict.state, tried.status, seconds, reason, self._waited))
        self._waited = 0.0

    def _outcome(self, tried: AttemptResult, verdict: Verdict) -> Outcome:
        self._note(tried, verdict)
        hide = self._judge.redactor
        headers = hide.answered(tried.headers)
        request_id = headers.get("x-request-id") or headers.get("apim-request-id")
        if tried.state is State.DONE:
            return Outcome(
                State.DONE,
                tried.status,
                headers,
                tried.body,
                request_id,
                attempts=tuple(self._attempts),
                possible_duplicates=self._possible_duplicates,
            )
        state = self._whole(verdict.state)
        if state is not verdict.state:
            verdict = replace(verdict, advice=AFTER_DOUBT)
        return Outcome(
            state,
            tried.status,
            headers,
            hide.value(tried.body),
            request_id,
            reason=describe_failure(tried, verdict, hide),
            attempts=tuple(self._attempts),
            evidence=hide(tried.evidence)[:EXCERPT_LENGTH],
            action=verdict.action.value,
            possible_duplicates=self._possible_duplicates,
        )

    @property
    def _possible_duplicates(self) -> int:
        """How many of the tries may have taken effect beside one that is meant to."""
        if self._call.wire.effect.repeatable:
            return 0
        return max(sum(attempt.state in (State.UNKNOWN, State.DONE) for attempt in self._attempts) - 1, 0)

    def _whole(self, last: State) -> State:
        """What the call came to, given its last attempt: what an earlier one may have done is not undone by a no."""
        if last is State.NOT_SENT:
            return State.UNKNOWN if self._in_doubt else last
        lost = any(attempt.state is State.UNKNOWN for attempt in self._attempts[:-1])
        return State.UNKNOWN if last is State.REFUSED and lost and self._call.wire.effect is not Effect.NONE else last


def _crowding(tried: AttemptResult) -> bool:
    """Whether the server is asking everybody for less."""
    return tried.status == 429 or not tried.codes.isdisjoint((*OVERLOADED, "rate_limit_exceeded"))


async def limit_time(seconds: float, work: Awaitable[Result]) -> Result | None:
    """What the work came to, or None when the time ran out first."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        return None


def describe_failure(tried: AttemptResult, verdict: Verdict | None, hide: Redactor) -> str:
    """The server's own words, its code, and what to do; secrets are hidden before a text is cut."""
    parts = (hide(part) for part in _parts(tried, verdict) if part)
    return "; ".join(part if len(part) <= LONGEST else f"{part[: LONGEST - 3]}..." for part in parts)


def _parts(tried: AttemptResult, verdict: Verdict | None) -> Iterator[str]:
    body = next(reversed(items(tried.body)), tried.body)
    said = tried.reason or find_error_message(body)
    codes = ", ".join(sorted(code for code in find_error_codes(body) if code not in PLAIN))
    yield f"{said or 'the server does not say why'}{f' [{codes}]' if codes else ''}"
    if tried.status is not None and 300 <= tried.status < 400:
        parts = urlsplit(tried.headers.get("location", ""))
        yield f"the server redirects to {parts.hostname or parts.path or 'nowhere'}"
    if verdict is not None:
        yield verdict.advice
