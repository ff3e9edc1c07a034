"""The attempts of one call: each is judged, and the call is tried again or ends in its outcome."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from connector.http.attempt_result import AttemptResult
from connector.http.call import Call
from connector.http.parameters import Retry
from connector.http.policy import EXHAUSTED, LOOK_FIRST, OVERLOADED, Action, Actor, Pause, Policy, Verdict
from connector.http.response import EXCERPT_LENGTH, find_error_codes, find_error_message
from connector.http.wait_hints import find_reset, parse_retry_after
from connector.model import JSON, Attempt, Effect, Outcome, State, items, members
from connector.request import Redactor
from connector.resilience import Backoff, Pacer
from connector.timing import Timing

if TYPE_CHECKING:
    from connector.fleet import AccountShare

__all__ = ["AFTER_DOUBT", "CallAttempts", "Retrier", "limit_time"]

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
DONE = Verdict(State.DONE, Action.IGNORE, Actor.USER)
LONGEST_REASON = 500
PLAIN_CODES = ("error", "invalid_request_error")
"""Codes that say no more than that there is an error."""


class Retrier:
    """What all calls of a client share: the error policy, the delays, the pace, and whether the client is paused.

    Args:
        policy: says what a refusal means.
        retry: the client's parameters for retries.
        pacer: what every attempt passes.
        timing: a clock, a way to wait and chance.
        redactor: hides secrets in reasons.
        share: what this process has of the account, where others use it too: a pause is theirs as well.
    """

    def __init__(
        self,
        policy: Policy,
        retry: Retry,
        pacer: Pacer,
        timing: Timing,
        redactor: Redactor,
        share: AccountShare | None = None,
    ) -> None:
        self._policy = policy
        self._on_unknown = retry.on_unknown
        self._backoff = Backoff(retry.delay, retry.max_delay, 2.0 if retry.backoff == "exponential" else 1.0)
        self._paused: Pause | None = None
        self.pacer = pacer
        self.timing = timing
        self.redactor = redactor
        self._share = share
        if share is not None:
            share.listen_to_pauses(self._take_over)

    @property
    def paused(self) -> Pause | None:
        """Why nothing should be sent until a person has acted."""
        return self._paused

    def pause(self, pause: Pause) -> None:
        """Note why nothing should be sent."""
        self._paused = pause
        if self._share is not None:
            self._share.pause(json.dumps([pause.reason, pause.who, pause.status]))

    def resume(self) -> None:
        """End the pause: a person has acted, or a call is done."""
        self._paused = None
        if self._share is not None and self._share.is_paused:
            self._share.resume()

    async def may_probe(self) -> bool:
        """Return whether a call may find out now if the cause of the pause is gone: one of all processes may."""
        return self._share is None or await self._share.may_probe()

    async def begin_probe(self) -> bool:
        """Return the same; if one may, it is as if there was no pause until a call says otherwise."""
        allowed = await self.may_probe()
        if allowed:
            self._paused = None
        return allowed

    def _take_over(self, said: str) -> None:
        """Pause as another process does, or end the pause with it."""
        reason, who, status = json.loads(said) if said else ("", "", None)
        self._paused = Pause(reason, Actor(who), status) if said else None

    def judge(self, result: AttemptResult, call: Call, *, repeated: bool) -> Verdict:
        """Return what an attempt that is not done comes to, and whether it may be repeated."""
        repeats = (call.on_unknown or self._on_unknown) == "retry"
        if result.state is State.NOT_SENT:
            return Verdict(State.NOT_SENT, Action.FAIL if result.is_final else Action.RETRY, Actor.NETWORK)
        if result.state is State.UNKNOWN:
            repeatable = call.wire.effect.repeatable
            action = Action.RETRY if (repeatable or repeats) and not result.is_final else Action.UNKNOWN
            return Verdict(State.UNKNOWN, action, Actor.NETWORK, "" if repeatable else LOOK_FIRST)
        verdict = self._judge_refusal(result, call, repeated=repeated)
        if verdict.action is Action.UNKNOWN and repeats:
            verdict = replace(verdict, action=Action.RETRY)
        if verdict.action is Action.RETRY and result.is_final:
            verdict = replace(verdict, action=Action.FAIL)
        return verdict

    def find_delay(self, result: AttemptResult, retries: int) -> float:
        """Return the seconds before the next attempt: the larger of the server's hint and the back-off."""
        hint = parse_retry_after(result.headers, datetime.now(UTC))
        if hint is None and result.status == 429:
            hint = find_reset(result.headers)
        return self._backoff.delay(retries, self.timing.chance(), hint)

    def _judge_refusal(self, result: AttemptResult, call: Call, *, repeated: bool) -> Verdict:
        status = result.status or 0
        within = status < 300
        if within:
            status = next((STATUS_OF_CODE[code] for code in result.codes if code in STATUS_OF_CODE), status)
        return self._policy.judge(
            status,
            result.headers,
            result.codes,
            result.text,
            call.wire.effect,
            call.wire.method,
            repeated=repeated,
            within=within,
        )


class CallAttempts:
    """The attempts of one call under way."""

    def __init__(self, call: Call, retrier: Retrier) -> None:
        self._call = call
        self._retrier = retrier
        self._attempts: list[Attempt] = []
        self._waited = 0.0
        self._started = 0.0
        self._deadline: float | None = None
        self._in_doubt = False
        self.has_place = False
        """Whether an attempt holds a place among the calls of its client."""

    async def begin(self) -> float:
        """Wait for a place and start the clock; return the seconds that this attempt has."""
        pacer = self._retrier.pacer
        self._waited += await pacer.acquire(self._call.estimated_tokens if pacer.counts_tokens else 0)
        self.has_place = True
        self._started = self._retrier.timing.clock()
        if self._deadline is None:
            self._deadline = self._started + self._call.total
        return max(self._deadline - self._started, 0.0)

    def adopt(self, started: float) -> float:
        """Go on with an attempt that has its place and was begun at a time; return the seconds that it has left."""
        self.has_place = True
        self._started = started
        self._deadline = started + self._call.total
        return max(self._deadline - self._retrier.timing.clock(), 0.0)

    def end(self) -> None:
        """Give the place of the attempt to the next call."""
        if self.has_place:
            self.has_place = False
            self._retrier.pacer.release()

    async def settle(self, result: AttemptResult, *, may_retry: bool = True, may_pause: bool = True) -> Outcome | None:
        """Return the outcome of the call, or None after the delay before its next attempt."""
        retrier = self._retrier
        if result.state is State.DONE:
            retrier.pacer.speed_up()
            self.succeed(result.body)
            return self._conclude(result, DONE)
        if result.status is not None and not _asks_for_less(result):
            retrier.pacer.speed_up()
        verdict = retrier.judge(result, self._call, repeated=self._in_doubt)
        self._in_doubt = self._in_doubt or verdict.state is State.UNKNOWN
        if verdict.action is Action.PAUSE and may_pause:
            retrier.pause(Pause(_describe_failure(result, verdict, retrier.redactor), verdict.who, result.status))
        if not (may_retry and self._is_repeated(verdict)) or len(self._attempts) >= self._call.retries:
            return self._give_up(result, verdict)
        delay = retrier.find_delay(result, len(self._attempts))
        if self._deadline is not None and retrier.timing.clock() + delay >= self._deadline:
            return self._give_up(result, verdict, advice="no time is left for another try")
        self._add_attempt(result, verdict)
        await self._wait(result, delay)
        return None

    def succeed(self, body: JSON) -> None:
        """Note that the call is done: its usage is known, and a pause is over."""
        pacer = self._retrier.pacer
        if pacer.counts_tokens:
            used = members(members(body).get("usage")).get("total_tokens")
            if isinstance(used, int):
                pacer.correct(self._call.estimated_tokens, used)
        self._retrier.resume()

    def _is_repeated(self, verdict: Verdict) -> bool:
        """Return whether the call is sent again here; one that a journal holds is sent again by that journal."""
        call = self._call
        held = verdict.state is State.UNKNOWN and call.on_unknown == "hold" and not call.wire.effect.repeatable
        return verdict.action is Action.RETRY and not held

    async def _wait(self, result: AttemptResult, delay: float) -> None:
        """Wait before the next attempt; all calls wait when the server asked for less."""
        if _asks_for_less(result):
            self._retrier.pacer.hold(delay)
        else:
            await self._retrier.timing.sleep(delay)
            self._waited = delay

    def _give_up(self, result: AttemptResult, verdict: Verdict, advice: str | None = None) -> Outcome:
        """Return the outcome of a call that is not tried again; a full server still makes the others wait."""
        if verdict.action is Action.RETRY and _asks_for_less(result):
            self._retrier.pacer.hold(self._retrier.find_delay(result, len(self._attempts)))
        return self._conclude(result, verdict if advice is None else replace(verdict, advice=advice))

    def _add_attempt(self, result: AttemptResult, verdict: Verdict) -> None:
        seconds = self._retrier.timing.clock() - self._started
        reason = "" if result.state is State.DONE else _describe_failure(result, None, self._retrier.redactor)
        self._attempts.append(Attempt(verdict.state, result.status, seconds, reason, self._waited))
        self._waited = 0.0

    def _conclude(self, result: AttemptResult, verdict: Verdict) -> Outcome:
        self._add_attempt(result, verdict)
        redactor = self._retrier.redactor
        headers = redactor.hide_in_headers(result.headers)
        request_id = headers.get("x-request-id") or headers.get("apim-request-id")
        if result.state is State.DONE:
            return Outcome(
                State.DONE,
                result.status,
                headers,
                result.body,
                request_id,
                attempts=tuple(self._attempts),
                possible_duplicates=self._possible_duplicates,
            )
        state = self._find_state(verdict.state)
        if state is not verdict.state:
            verdict = replace(verdict, advice=AFTER_DOUBT)
        return Outcome(
            state,
            result.status,
            headers,
            redactor.value(result.body),
            request_id,
            reason=_describe_failure(result, verdict, redactor),
            attempts=tuple(self._attempts),
            evidence=redactor(result.evidence)[:EXCERPT_LENGTH],
            action=verdict.action.value,
            possible_duplicates=self._possible_duplicates,
        )

    @property
    def _possible_duplicates(self) -> int:
        """How many attempts may have taken effect beside the one that is meant to."""
        if self._call.wire.effect.repeatable:
            return 0
        return max(sum(attempt.state in (State.UNKNOWN, State.DONE) for attempt in self._attempts) - 1, 0)

    def _find_state(self, last: State) -> State:
        """Return the state of the call: what an earlier attempt may have done is not undone by a later refusal."""
        if last is State.NOT_SENT:
            return State.UNKNOWN if self._in_doubt else last
        lost = any(attempt.state is State.UNKNOWN for attempt in self._attempts[:-1])
        return State.UNKNOWN if last is State.REFUSED and lost and self._call.wire.effect is not Effect.NONE else last


async def limit_time(seconds: float, work: Awaitable[Result]) -> Result | None:
    """Return what the work gives, or None when the time runs out first."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        return None


def _asks_for_less(result: AttemptResult) -> bool:
    """Return whether the server asks for fewer calls."""
    return result.status == 429 or not result.codes.isdisjoint((*OVERLOADED, "rate_limit_exceeded"))


def _describe_failure(result: AttemptResult, verdict: Verdict | None, redactor: Redactor) -> str:
    """Return the server's own words, its code, and what to do; secrets are hidden before a text is cut."""
    parts = (redactor(part) for part in _iter_reasons(result, verdict) if part)
    return "; ".join(part if len(part) <= LONGEST_REASON else f"{part[: LONGEST_REASON - 3]}..." for part in parts)


def _iter_reasons(result: AttemptResult, verdict: Verdict | None) -> Iterator[str]:
    body = next(reversed(items(result.body)), result.body)
    said = result.reason or find_error_message(body)
    codes = ", ".join(sorted(code for code in find_error_codes(body) if code not in PLAIN_CODES))
    yield f"{said or 'the server does not say why'}{f' [{codes}]' if codes else ''}"
    if result.status is not None and 300 <= result.status < 400:
        parts = urlsplit(result.headers.get("location", ""))
        yield f"the server redirects to {parts.hostname or parts.path or 'nowhere'}"
    if verdict is not None:
        yield verdict.advice
