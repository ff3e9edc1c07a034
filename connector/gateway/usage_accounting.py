"""Charge requests: reserve what one may use before it is forwarded, and settle what it used afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from connector.catalogue.operation import Operation
from connector.gateway.access import Caller
from connector.gateway.limits import Reservation
from connector.gateway.pending_usage import PendingCharge, PendingUsage
from connector.gateway.refusals import Refusal
from connector.gateway.request_record import RequestRecord
from connector.gateway.usage import BYTES_PER_TOKEN, UsageEstimate, is_pending
from connector.gateway.usage_reader import UsageReader
from connector.model import JSON, State, items, members
from connector.telemetry.costs import NO_USAGE, Cost, Prices, Usage, read_usage
from connector.telemetry.usage import answer_parts, find_tier

__all__ = ["Admission", "UsageAccounting", "is_costly"]

BYTES_PER_AUDIO_TOKEN = 128
"""Of speech at its highest compression."""
WRITING = ("POST", "PUT", "PATCH")
DONE = State.DONE.value
NOT_MADE = (State.NOT_SENT.value, State.REFUSED.value)
NO_RESERVATION = Reservation()


def is_costly(method: str, operation: Operation | None) -> bool:
    """Whether a request uses a model; a path that is no operation may."""
    return operation.cost is not None if operation is not None else method in WRITING


@dataclass(slots=True)
class Admission:
    """A request that may be forwarded, and what is reserved for it."""

    caller: Caller
    estimate: UsageEstimate
    reservation: Reservation
    regional: bool = False
    """Whether it is processed at a regional address."""


class UsageAccounting:
    """Charge requests to the quotas of their callers.

    Args:
        prices: of models.
        pending: charges for answers that are still being made.
        find_caller: returns the caller of a name.
    """

    def __init__(self, prices: Prices, pending: PendingUsage, find_caller: Callable[[str], Caller | None]) -> None:
        self._prices = prices
        self._pending = pending
        self._find_caller = find_caller

    def admit(self, caller: Caller, estimate: UsageEstimate, *, regional: bool = False) -> Admission:
        """Reserve what a request may use of its caller's limits; Refusal when it may not be made."""
        quota = caller.quota
        if not quota.is_enforced:
            return Admission(caller, estimate, NO_RESERVATION, regional)
        if quota.is_strict and not caller.unbounded_cost:
            self._check_cost(caller, estimate)
        usage = Usage(estimate.input, output=estimate.output, characters=estimate.characters)
        amount = self._highest_cost(estimate, usage, regional=regional)
        return Admission(caller, estimate, quota.reserve(estimate.likely_input, usage.total, amount), regional)

    def _check_cost(self, caller: Caller, estimate: UsageEstimate) -> None:
        """Refuse what could exceed a budget: a cost or tokens that cannot be known, a model without a price."""
        in_money = caller.quota.needs_prices
        if why := estimate.unknown_cost if in_money else estimate.unknown_tokens:
            message = (
                f"budget: {why} cannot be known from the request, and {caller.name} has a budget;"
                " unbounded_cost: true allows it"
            )
            raise Refusal(403, "cost_unknown", message)
        for model in estimate.models if in_money else ():
            if self._prices.find(model) is None:
                message = (
                    f"prices: the model {model[:100]!r} has none, and {caller.name} has a budget; add it to `prices`"
                )
                raise Refusal(403, "no_price", message)

    def _highest_cost(self, estimate: UsageEstimate, usage: Usage, *, regional: bool) -> float:
        """Return the cost with the most expensive model that a request names."""
        tier = "priority" if estimate.tier == "priority" else ""
        costs = (self._prices.compute_cost(each, usage, tier, regional=regional) for each in estimate.models)
        return max((each or 0.0 for each in costs), default=0.0)

    def settle(self, record: RequestRecord, admission: Admission, reader: UsageReader | None) -> None:
        """Record what a request used and cost, and charge for it."""
        caller, estimate, quota = admission.caller, admission.estimate, admission.caller.quota
        if not record.is_sent or record.state in NOT_MADE:
            quota.settle(admission.reservation, 0, 0.0)
            return
        is_complete = record.state == DONE
        answer = members(reader.read_answer(is_complete=is_complete)) if reader is not None else {}
        pending = is_pending(answer)
        charged = record.usage = self._read_usage(admission, reader, answer, is_complete=is_complete)
        if not charged:
            charged = _estimate_usage(reader, record.state, estimate, is_strict=quota.is_strict, pending=pending)
            record.usage, record.is_estimated = (NO_USAGE, False) if pending else (charged, bool(charged))
        record.model = record.model or str(answer.get("model") or "")
        record.cost = self._cost(admission, charged, answer)
        amount = self._chargeable(caller, record.cost, charged, regional=admission.regional)
        if pending:
            charge = PendingCharge(caller.name, quota.begun, charged.total, amount, record.model)
            self._pending.add(record.client, str(answer["id"]), charge)
            record.cost = None
        quota.settle(admission.reservation, charged.total, amount)

    def _read_usage(
        self, admission: Admission, reader: UsageReader | None, answer: Mapping[str, JSON], *, is_complete: bool
    ) -> Usage:
        """Return what an answer reports, or the characters that were read aloud where they are charged."""
        usage, estimate = read_usage(answer), admission.estimate
        if usage or not estimate.characters or not is_complete or reader is None or reader.kind != "binary":
            return usage
        lists = (self._prices.find(each) for each in estimate.models)
        is_by_character = any(each is not None and "characters" in each.rates for each in lists)
        return Usage(characters=estimate.characters) if is_by_character else usage

    def settle_pending(self, record: RequestRecord, reader: UsageReader | None, *, regional: bool = False) -> None:
        """Charge for pending answers that this answer reports on."""
        if not self._pending or reader is None or record.state != DONE:
            return
        answer = members(reader.read_answer(is_complete=True))
        for identity, charge, part in list(self._pending.find_in(record.client, answer)):
            self._correct(record, identity, charge, part, regional=regional)

    def _correct(
        self,
        record: RequestRecord,
        identity: str,
        charge: PendingCharge,
        answer: Mapping[str, JSON],
        *,
        regional: bool,
    ) -> None:
        """Replace an estimated charge by what the answer reports."""
        payer = self._find_caller(charge.caller)
        if not is_pending(answer):
            self._pending.remove(record.client, identity)
        costs = list(self._price_parts(answer, charge.model, regional=regional))
        usage = sum((cost.usage for cost in costs), NO_USAGE)
        if payer is None or not usage:
            return
        self._pending.remove(record.client, identity)
        amount = sum(self._chargeable(payer, cost.amount, cost.usage, regional=regional) for cost in costs)
        record.payer, record.usage, record.model = payer.name, record.usage + usage, costs[0].model
        record.cost = None if any(cost.amount is None for cost in costs) else (record.cost or 0.0) + amount
        is_same_period = charge.begun == payer.quota.begun
        tokens, cost = usage.total - charge.tokens, amount - charge.amount
        payer.quota.charge(tokens if is_same_period else max(0, tokens), cost if is_same_period else max(0.0, cost))

    def _price_parts(self, answer: Mapping[str, JSON], model: str, *, regional: bool) -> Iterator[Cost]:
        """Yield what each part of an answer used that reports usage: its parts by model, or the answer itself."""
        tier = "batch" if answer.get("object") == "batch" else ""
        for part in _parts_by_model(answer):
            named = str(part.get("model_name") or model)
            cost = self._prices.read_cost(part, model=named, tier=tier, regional=regional)
            if cost.usage:
                yield cost

    def _cost(self, admission: Admission, usage: Usage, answer: Mapping[str, JSON]) -> float | None:
        """Return the cost by the model that answered, or by the most expensive of those that were named."""
        if not usage or not self._prices:
            return None
        estimate, regional = admission.estimate, admission.regional
        tier = find_tier(answer_parts(answer)) or ("priority" if estimate.tier == "priority" else "")
        named = str(answer.get("model") or "")
        cost = self._prices.compute_cost(named, usage, tier, regional=regional) if named else None
        if cost is not None:
            return cost
        costs = (self._prices.compute_cost(each, usage, tier, regional=regional) for each in estimate.models)
        return max((each for each in costs if each is not None), default=None)

    def _chargeable(self, caller: Caller, cost: float | None, usage: Usage, *, regional: bool) -> float:
        """Return what counts against a budget: without a price, the cost with the most expensive model."""
        if cost is None and caller.quota.needs_prices:
            return self._prices.compute_highest_cost(usage, regional=regional)
        return cost or 0.0


def _parts_by_model(answer: Mapping[str, JSON]) -> list[Mapping[str, JSON]]:
    """Return the parts of an answer that report usage: those by model, or the answer itself."""
    parts: list[Mapping[str, JSON]] = [members(part) for part in items(answer.get("per_model_usage"))]
    return parts or [answer]


def _estimate_usage(
    reader: UsageReader | None, state: str, estimate: UsageEstimate, *, is_strict: bool, pending: bool
) -> Usage:
    """Return the usage of a request whose answer reports none: with limits, the most that it may have been."""
    given = estimate.input if is_strict else estimate.input // BYTES_PER_TOKEN
    if reader is None or reader.kind == "encoded" or pending:
        return Usage(given, output=estimate.output if is_strict else 0)
    if reader.kind == "events":
        return Usage(given, output=max(reader.events, estimate.output if is_strict else 0))
    if state != DONE:
        return Usage(given, output=estimate.output if is_strict else 0)
    if reader.kind == "binary":
        return Usage(given, output=reader.size // BYTES_PER_AUDIO_TOKEN)
    return Usage(given, output=min(reader.size, estimate.output) if is_strict else 0)
