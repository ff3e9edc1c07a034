"""The faults that are planned, and the choice of those that a request meets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connector.model import JSON, is_document
from connector.sandbox.faults import Fault, FaultRate, FaultRule, parse_rules
from connector.sandbox.messages import Answer, Request

__all__ = ["FaultPlan"]

NAMES = ("rates", "rules")


class FaultPlan:
    """Rules in their order, then rates in theirs; a request meets the first fault of each kind."""

    def __init__(self, seed: int, rates: Iterable[str] = (), rules: Sequence[FaultRule] = ()) -> None:
        self._seed = seed
        self._first = ([FaultRate.parse(text) for text in rates], list(rules))
        self._replace(*self._first)

    @property
    def is_empty(self) -> bool:
        return not self._rates and not self._rules

    def add(self, *rates: str, rules: Sequence[JSON] = ()) -> None:
        """Add rates as on the command line, and rules as in a script."""
        more, more_rules = [FaultRate.parse(text) for text in rates], parse_rules(rules)
        self._rates += more
        self._rules += more_rules
        self._matches += [0] * len(more_rules)

    def replace(self, rates: Iterable[str] = (), rules: Sequence[JSON] = ()) -> None:
        """Replace all rates and rules, and count requests from the start."""
        self._replace([FaultRate.parse(text) for text in rates], parse_rules(rules))

    def reset(self) -> None:
        """Restore the rates and rules of the start, and count requests from the start."""
        self._replace(*self._first)

    def clear(self) -> None:
        """Remove all rates and rules."""
        self.replace()

    def as_document(self) -> dict[str, JSON]:
        """Return the rates and rules in the form in which they are set."""
        rules = [rule.model_dump(exclude_none=True, exclude_unset=True) for rule in self._rules]
        return {"rates": [str(rate) for rate in self._rates], "rules": rules}

    def draw(self, request: Request, url: str) -> tuple[tuple[Fault, ...], Answer | None]:
        """Return the faults that a request meets, and the answer that a rule gives it."""
        if self.is_empty:
            return (), None
        self._arrived += 1
        rule = self._find_rule(request, url)
        faults = [Fault.parse(rule.fault)] if rule and rule.fault else []
        faults += [rate.fault for rate in self._rates if rate.applies_to(self._seed, self._arrived)]
        canned = rule.answer if rule else None
        return tuple(faults), Answer(canned.body, canned.status, canned.headers) if canned else None

    def _replace(self, rates: Sequence[FaultRate], rules: Sequence[FaultRule]) -> None:
        self._rates, self._rules = list(rates), list(rules)
        self._matches = [0] * len(self._rules)
        self._arrived = 0

    def _find_rule(self, request: Request, url: str) -> FaultRule | None:
        """Return the first matching rule whose turn it is; every matching rule counts the request."""
        if not self._rules:
            return None
        seen = _describe_request(request, url)
        turns: list[FaultRule] = []
        for index, rule in enumerate(self._rules):
            if rule.matches(seen):
                self._matches[index] += 1
                turns += [rule] if rule.nth is None or self._matches[index] in rule.nth else []
        return turns[0] if turns else None


def _describe_request(request: Request, url: str) -> Mapping[str, JSON]:
    operation = request.operation
    seen = {"operation": operation.name, "wire_name": operation.wire_name, "method": operation.method, "url": url}
    payload = request.payload if is_document(request.payload) else None
    return {**seen, "path": request.path, "query": request.query, "payload": payload, "headers": request.headers}
