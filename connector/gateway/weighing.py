"""What a call may use before it goes on, what it used afterwards, and whose budget that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.gateway.pending import Owed, Pending, is_pending
from connector.gateway.quota import Hold
from connector.gateway.refusals import Refused
from connector.gateway.usage import NOT_TOLD, Watch
from connector.gateway.visit import Visit
from connector.gateway.weight import BYTES_PER_TOKEN, Weight
from connector.model import JSON, State, items, members
from connector.telemetry.costs import NO_USAGE, Prices, Usage, read_usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.catalogue.operation import Operation
    from connector.gateway.access import Caller

__all__ = ["Scales", "Weighed", "is_costly"]

BYTES_PER_HEARD_TOKEN = 128
"""Of speech, as it is compressed the most."""
WRITING = ("POST", "PUT", "PATCH")
DONE = State.DONE.value
NOT_MADE = (State.NOT_SENT.value, State.REFUSED.value)
NOTHING_HELD = Hold()


def is_costly(method: str, operation: Operation | None) -> bool:
    """Whether a call uses a model, as far as it is known: a path that is no operation may."""
    return operation.cost is not None if operation is not None else method in WRITING


@dataclass(slots=True)
class Weighed:
    """A call that was found light enough."""

    caller: Caller
    weight: Weight
    hold: Hold


class Scales:
    """Weighs calls and answers.

    Args:
        prices: what models cost.
        pending: whose answers are still being made.
        named: the caller of a name.
    """

    def __init__(self, prices: Prices, pending: Pending, named: Callable[[str], Caller | None]) -> None:
        self._prices = prices
        self._pending = pending
        self._named = named

    def admit(self, caller: Caller, weight: Weight) -> Weighed:
        """Takes what a call may use of its caller's limits; Refused when it may not be made."""
        quota = caller.quota
        if not quota.enforced:
            return Weighed(caller, weight, NOTHING_HELD)
        if quota.is_strict and not caller.unbounded_cost:
            self._check_cost(caller, weight)
        usage = Usage(weight.given, output=weight.output)
        return Weighed(caller, weight, quota.hold(weight.about, usage.total, self._most(weight, usage)))

    def _check_cost(self, caller: Caller, weight: Weight) -> None:
        """Refuses what would go past a budget: a cost or tokens that nobody can know, a model without a price."""
        in_money = caller.quota.prices_needed
        if why := weight.open if in_money else weight.endless:
            message = (
                f"budget: {why} cannot be known from the request, and {caller.name} has a budget;"
                " unbounded_cost: true allows it"
            )
            raise Refused(403, "cost_unknown", message)
        for model in weight.models if in_money else ():
            if self._prices.find(model) is None:
                message = (
                    f"prices: the model {model[:100]!r} has none, and {caller.name} has a budget; add it to `prices`"
                )
                raise Refused(403, "no_price", message)

    def _most(self, weight: Weight, usage: Usage) -> float:
        """What the dearest of the models that a request names would cost."""
        tier = "priority" if weight.tier == "priority" else ""
        return max((self._prices.compute_cost(model, usage, tier) or 0.0 for model in weight.models), default=0.0)

    def settle(self, visit: Visit, weighed: Weighed) -> bool:
        """Notes what a call used and cost, and charges for it; says whether a budget was touched."""
        caller, weight, quota = weighed.caller, weighed.weight, weighed.caller.quota
        if not visit.sent or visit.state in NOT_MADE:
            quota.settle(weighed.hold, 0, 0.0)
            return weighed.hold.tokens > 0
        told = members(visit.watch.told(whole=visit.state == DONE)) if visit.watch is not None else {}
        charged = visit.usage = read_usage(told.get("usage"))
        waits = is_pending(told)
        if not charged:
            charged = _untold(visit.watch, visit.state, weight, strict=quota.is_strict, waits=waits)
            visit.usage, visit.estimated = (NO_USAGE, False) if waits else (charged, bool(charged))
        visit.model = visit.model or str(told.get("model") or "")
        visit.cost = self._cost(str(told.get("model") or ""), weight, charged, told)
        amount = self._amount(caller, visit.cost, charged)
        if waits:
            owed = Owed(caller.name, quota.begun, charged.total, amount, visit.model)
            self._pending.add(visit.client, str(told["id"]), owed)
            visit.cost = None
        quota.settle(weighed.hold, charged.total, amount)
        return quota.budget is not None or waits

    def read(self, visit: Visit) -> bool:
        """Looks whether an answer tells of others that were still being made, and charges those who asked for them."""
        if not self._pending or visit.watch is None or visit.state != DONE:
            return False
        told = members(visit.watch.told(whole=True))
        found = list(self._pending.within(visit.client, told))
        for identity, owed, answer in found:
            self._correct(visit, identity, owed, answer)
        return bool(found)

    def _correct(self, visit: Visit, identity: str, owed: Owed, answer: Mapping[str, JSON]) -> None:
        """Puts what an answer says in the place of what was charged for it."""
        payer = self._named(owed.caller)
        if not is_pending(answer):
            self._pending.remove(visit.client, identity)
        parts = [(str(part.get("model") or part.get("model_name") or ""), part) for part in _parts(answer)]
        usage = sum((read_usage(part.get("usage") or part) for _, part in parts), NO_USAGE)
        if payer is None or not usage:
            return
        self._pending.remove(visit.client, identity)
        tier = "batch" if answer.get("object") == "batch" else str(answer.get("service_tier") or "")
        costs = [
            (self._prices.compute_cost(model or owed.model, found, tier), found)
            for model, part in parts
            if (found := read_usage(part.get("usage") or part))
        ]
        amount = sum(self._amount(payer, cost, found) for cost, found in costs)
        visit.payer, visit.usage, visit.model = payer.name, visit.usage + usage, parts[0][0] or owed.model
        visit.cost = None if any(cost is None for cost, _ in costs) else (visit.cost or 0.0) + amount
        same = owed.begun == payer.quota.begun
        tokens, cost = usage.total - owed.tokens, amount - owed.amount
        payer.quota.charge(tokens if same else max(0, tokens), cost if same else max(0.0, cost))

    def _cost(self, answered: str, weight: Weight, usage: Usage, told: Mapping[str, JSON]) -> float | None:
        """What tokens cost by the model that answered, or else by the dearest of those that were named."""
        if not usage or not self._prices:
            return None
        tier = str(told.get("service_tier") or ("priority" if weight.tier == "priority" else ""))
        cost = self._prices.compute_cost(answered, usage, tier) if answered else None
        if cost is not None:
            return cost
        named = [found for each in weight.models if (found := self._prices.compute_cost(each, usage, tier)) is not None]
        return max(named, default=None)

    def _amount(self, caller: Caller, cost: float | None, usage: Usage) -> float:
        """What counts against a budget: tokens of a model without a price count as those of the dearest one."""
        if cost is None and caller.quota.prices_needed:
            return self._prices.compute_highest_cost(usage)
        return cost or 0.0


def _parts(answer: Mapping[str, JSON]) -> list[Mapping[str, JSON]]:
    """What of an answer tells usage: itself, or its parts by model."""
    by_model: list[Mapping[str, JSON]] = [members(part) for part in items(answer.get("per_model_usage"))]
    return [*by_model] or [answer]


def _untold(watch: Watch | None, state: str, weight: Weight, *, strict: bool, waits: bool) -> Usage:
    """What a call is thought to have used that does not say so: with limits the most that it may have been."""
    given = weight.given if strict else weight.given // BYTES_PER_TOKEN
    if watch is None or watch.kind == NOT_TOLD or waits:
        return Usage(given, output=weight.output if strict else 0)
    if watch.kind == "events":
        return Usage(given, output=max(watch.events, weight.output if strict else 0))
    if state != DONE:
        return Usage(given, output=weight.output if strict else 0)
    if watch.kind == "binary":
        return Usage(given, output=watch.size // BYTES_PER_HEARD_TOKEN)
    return Usage(given, output=min(watch.size, weight.output) if strict else 0)
