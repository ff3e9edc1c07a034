"""What an answer that says no means: the default rules, and the verdict they lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connector.http.hints import should_retry
from connector.http.rules import Action, Rule, Who
from connector.model import Effect, State

__all__ = ["DEFAULTS", "EXHAUSTED", "OVERLOADED", "Policy", "Verdict"]

EXHAUSTED = (
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
)
OVERLOADED = ("server_is_overloaded", "slow_down")
GATEWAY = (502, 504, 408, *range(520, 530))
"""The answer of somebody between us and the API: whether the API acted is not known."""
REPEATABLE = (Effect.NONE, Effect.IDEMPOTENT)
COSTLY = (Effect.RECONCILABLE, Effect.OPAQUE)

PAUSING = (
    Rule(code=EXHAUSTED, then=Action.PAUSE, advice="waiting does not help: add credit or raise the limit, then go on"),
)
"""Rules that outrank the server's own x-should-retry."""

DEFAULTS = (
    Rule(status=(401,), then=Action.PAUSE, advice="check the client's key, organization and project"),
    Rule(status=(403,), then=Action.PAUSE, advice="this key may not do that: check its permissions"),
    Rule(status=(429,), then=Action.RETRY, who=Who.OPENAI, advice="send less at a time, or later"),
    Rule(status=(404,), method="DELETE", repeated=True, then=Action.IGNORE),
    Rule(status=(503,), code=OVERLOADED, then=Action.RETRY, who=Who.OPENAI, advice="try again later"),
    Rule(status=(*GATEWAY, 409, "5xx"), effect=REPEATABLE, then=Action.RETRY, who=Who.OPENAI, advice="try again later"),
    Rule(
        status=GATEWAY, then=Action.UNKNOWN, who=Who.OPENAI,
        advice="it may have taken effect: look before it is sent again",
    ),
    Rule(status=(409,), then=Action.FAIL, who=Who.OPENAI, advice="something else holds it: send it again later"),
    Rule(
        status=("5xx",), then=Action.FAIL, who=Who.OPENAI,
        advice="not repeated, since a repeat may be paid twice: send it again if that is acceptable",
    ),
    Rule(status=("3xx",), then=Action.FAIL, advice="redirects are not followed: set base_uri to the right address"),
    Rule(status=(404,), then=Action.FAIL, advice="check the ids in the path, and base_uri"),
    Rule(status=(413,), then=Action.FAIL, advice="send less in one request"),
    Rule(then=Action.FAIL, advice="change the request"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a refusal comes to."""

    state: State
    action: Action
    who: Who
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
    ) -> Verdict:
        """The verdict on a complete answer that is not a success."""

        def first(rules: Iterable[Rule]) -> Rule | None:
            fitting = (r for r in rules if r.fits(status, codes, body, effect, method, repeated=repeated))
            return next(fitting, None)

        rule = first(self._own)
        if rule is None:
            rule = first(PAUSING)
            if rule is None:
                rule = _obeying(should_retry(headers), first(DEFAULTS) or DEFAULTS[-1])
            if self._all_errors and rule.then is Action.FAIL:
                rule = rule.model_copy(update={"then": Action.RETRY})
        return Verdict(_STATES.get(rule.then, State.REFUSED), rule.then, rule.who, rule.advice)


_STATES = {Action.IGNORE: State.DONE, Action.UNKNOWN: State.UNKNOWN}


def _obeying(word: bool | None, rule: Rule) -> Rule:
    """The rule as the server's x-should-retry changes it."""
    if word is True and rule.then is not Action.IGNORE:
        return rule.model_copy(update={"then": Action.RETRY})
    if word is False and rule.then is Action.RETRY:
        return rule.model_copy(update={"then": Action.FAIL})
    return rule
