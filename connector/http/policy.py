"""What an answer that says no means: the default rules, and the verdict they lead to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from connector.http.wait_hints import parse_should_retry
from connector.model import Effect, Outcome, State

__all__ = [
    "DEFAULTS",
    "EXHAUSTED",
    "OVERLOADED",
    "Action",
    "Actor",
    "Pause",
    "Policy",
    "Rule",
    "Verdict",
    "is_already_done",
    "is_left_open",
]

EXHAUSTED = (
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
)
OVERLOADED = ("server_is_overloaded", "slow_down")
GATEWAY = (502, 504, 408, 499, *range(520, 530))
"""The answer of a proxy or gateway: whether the API acted is not known."""
SEE_OTHER, CONFLICT = 303, 409
GONE = (404, 410)
NOTHING_DONE = frozenset({*EXHAUSTED, *OVERLOADED, "rate_limit_exceeded"})
"""Codes by which the API says that it did nothing, with any status."""
IS_SO = re.compile(
    r"\b(?:already|status|state|is|been|was)\W{1,4}(?:be(?:en|ing)\W{1,4})?"
    r"(?:cancel|delet|remov|archiv|restor|disabl|enabl|activ|deactiv|clos|paus|resum|revok|detach|stopp|abort|terminat)",
    re.IGNORECASE,
)
"""Words by which an API says that something is as it was asked to be; "already completed" is none of them."""
LOOK_FIRST = "it may have taken effect: look before it is sent again"
REPEATABLE = (Effect.NONE, Effect.IDEMPOTENT)
COSTLY = (Effect.RECONCILABLE, Effect.OPAQUE)


class Action(StrEnum):
    """What is done about an answer that is not plainly done."""

    RETRY = "retry"
    FAIL = "fail"
    IGNORE = "ignore"
    PAUSE = "pause"
    UNKNOWN = "unknown"


class Actor(StrEnum):
    """The one who must act before the same call can pass."""

    USER = "user"
    OPENAI = "openai"
    NETWORK = "network"
    HERE = "here"
    """Something on this side: a file, a table, a folder."""


Status = int | Literal["3xx", "4xx", "5xx"]


def _listed(value: object) -> object:
    """Return a condition that is written without a list as a list."""
    return (value,) if isinstance(value, int | str) else value


Several = BeforeValidator(_listed)


class Rule(BaseModel):
    """An answer that meets every condition is dealt with as `then` says; the first rule that fits decides."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    status: Annotated[tuple[Status, ...], Several] = Field(
        default=(), description="Statuses this rule is about, or 3xx, 4xx, 5xx."
    )
    code: Annotated[tuple[str, ...], Several] = Field(
        default=(), description="Values of error.code or error.type this rule is about."
    )
    body: str = Field(default="", description="A text that the answer's body must contain.")
    effect: Annotated[tuple[Effect, ...], Several] = Field(
        default=(), description="Effects of the operations this rule is about."
    )
    method: str = Field(default="", description="The only method this rule is about.")
    repeated: bool | None = Field(
        default=None, description="Whether an earlier attempt of the same call may have taken effect."
    )
    then: Action = Field(description="What is done: retry, fail, ignore (count as done), pause or unknown.")
    who: Literal[Actor.USER, Actor.OPENAI, Actor.NETWORK] = Field(
        default=Actor.USER, description="Who must act: user, openai or network."
    )
    advice: str = Field(default="", description="What to do next, in words.")

    def fits(
        self, status: int, codes: frozenset[str], body: str, effect: Effect, method: str, *, repeated: bool
    ) -> bool:
        """Return whether every condition of the rule is met."""
        return (
            (not self.status or status in self.status or f"{status // 100}xx" in self.status)
            and (not self.code or not codes.isdisjoint(self.code))
            and (not self.effect or effect in self.effect)
            and (not self.method or method == self.method)
            and (self.repeated is None or repeated is self.repeated)
            and self.body in body
        )


PAUSING = (
    Rule(code=EXHAUSTED, then=Action.PAUSE, advice="waiting does not help: add credit or raise the limit, then go on"),
)
"""Rules that outrank the server's own x-should-retry."""

DEFAULTS = (
    Rule(status=(401,), then=Action.PAUSE, advice="check the client's key, organization and project"),
    Rule(status=(403,), then=Action.PAUSE, advice="this key may not do that: check its permissions"),
    Rule(status=(429,), then=Action.RETRY, who=Actor.OPENAI, advice="send less at a time, or later"),
    Rule(status=(503,), code=OVERLOADED, then=Action.RETRY, who=Actor.OPENAI, advice="try again later"),
    Rule(
        status=(*GATEWAY, 409, "5xx"), effect=REPEATABLE, then=Action.RETRY, who=Actor.OPENAI, advice="try again later"
    ),
    Rule(status=GATEWAY, then=Action.UNKNOWN, who=Actor.OPENAI, advice=LOOK_FIRST),
    Rule(status=(CONFLICT,), then=Action.FAIL, who=Actor.OPENAI, advice=f"something else holds it; {LOOK_FIRST}"),
    Rule(status=("5xx",), then=Action.FAIL, who=Actor.OPENAI, advice=LOOK_FIRST),
    Rule(status=("3xx",), then=Action.FAIL, advice="redirects are not followed: set base_uri to the right address"),
    Rule(status=(404,), then=Action.FAIL, advice="check the ids in the path, and base_uri"),
    Rule(status=(413,), then=Action.FAIL, advice="send less in one request"),
    Rule(then=Action.FAIL, advice="change the request"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pause:
    """Why nothing more should be sent through a client until a person has acted."""

    reason: str
    who: Actor
    status: int | None

    def outcome(self) -> Outcome:
        """Return the outcome of a call that is not sent because of this."""
        return Outcome(State.NOT_SENT, reason=f"the client is paused: {self.reason}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a refusal comes to."""

    state: State
    action: Action
    who: Actor
    advice: str = ""


class Policy:
    """The user's rules, then the defaults; the first that fits decides."""

    def __init__(self, rules: Iterable[Rule] = (), *, all_errors: bool = False) -> None:
        self._own = tuple(rules)
        self._all_errors = all_errors

    def judge(
        self,
        status: int,
        headers: Mapping[str, str],
        codes: frozenset[str],
        body: str,
        effect: Effect,
        method: str,
        *,
        repeated: bool,
        within: bool = False,
    ) -> Verdict:
        """Return the verdict on a complete answer that is not a success.

        Args:
            status: the answer's; that of an error within a success is what it would have been.
            repeated: whether an earlier try may have taken effect.
            within: whether the error is within a success: then the API itself says how the call ended.
        """
        is_open = not within and is_left_open(status, codes, effect, method)

        def first(rules: Iterable[Rule]) -> Rule | None:
            fitting = (r for r in rules if r.fits(status, codes, body, effect, method, repeated=repeated))
            return next(fitting, None)

        rule = first(self._own)
        if rule is not None:
            # A user's own rule with `fail` says that such an answer means that nothing happened.
            return _make_verdict(rule, is_open=rule.then is not Action.FAIL and is_open)
        if repeated and is_already_done(status, method, effect, body):
            return Verdict(State.DONE, Action.IGNORE, Actor.USER)
        rule = first(PAUSING) or _apply_server_hint(parse_should_retry(headers), first(DEFAULTS) or DEFAULTS[-1])
        if self._all_errors and rule.then is Action.FAIL:
            rule = rule.model_copy(update={"then": Action.RETRY})
        return _make_verdict(rule, is_open=is_open)


def is_left_open(status: int, codes: frozenset[str], effect: Effect, method: str) -> bool:
    """Return whether a refusal leaves it open whether the API did what it was asked."""
    if effect is Effect.NONE or not codes.isdisjoint(NOTHING_DONE):
        return False
    conflict = status == CONFLICT and (effect in COSTLY or method == "DELETE")
    return conflict or status >= 500 or status == SEE_OTHER or status in GATEWAY


def is_already_done(status: int, method: str, effect: Effect, text: str) -> bool:
    """Return whether the refusal of a repeat says that an earlier attempt had its effect."""
    if method == "DELETE" and status in GONE:
        return True
    return effect is Effect.IDEMPOTENT and 400 <= status < 500 and IS_SO.search(text) is not None


def _make_verdict(rule: Rule, *, is_open: bool) -> Verdict:
    if rule.then is Action.IGNORE:
        return Verdict(State.DONE, rule.then, rule.who, rule.advice)
    if rule.then is Action.UNKNOWN or is_open:
        action = Action.UNKNOWN if rule.then is Action.FAIL else rule.then
        return Verdict(State.UNKNOWN, action, rule.who, rule.advice)
    return Verdict(State.REFUSED, rule.then, rule.who, rule.advice)


def _apply_server_hint(word: bool | None, rule: Rule) -> Rule:
    """Return the rule as the server's x-should-retry changes it."""
    if word is True and rule.then is not Action.IGNORE:
        return rule.model_copy(update={"then": Action.RETRY})
    if word is False and rule.then is Action.RETRY:
        return rule.model_copy(update={"then": Action.FAIL})
    return rule
