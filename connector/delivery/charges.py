"""What calls cost: the one place where a route's answers are priced, for budgets, counters, traces and summaries."""

from __future__ import annotations

from connector.model import JSON, Outcome, is_object, members
from connector.publishers import CallIntent
from connector.request import Wire
from connector.telemetry.costs import NO_USAGE, Cost, Prices, Usage

__all__ = ["RETRIEVE", "price_batch_line", "price_call"]

WRITING = ("POST", "PUT", "PATCH")
RETRIEVE = "responses retrieve"
SPEECH = "POST /audio/speech"


def price_call(prices: Prices, intent: CallIntent, outcome: Outcome, *, tier: str = "", begun: bool = False) -> Cost:
    """Return what a call used and cost.

    Args:
        prices: of models.
        intent: the call.
        outcome: what it came to.
        tier: the tier that was asked for, where no answer names it.
        begun: whether the call reads a response that the same task has asked for in the background.
    """
    call = intent.call
    wire = call.wire if call is not None else None
    model, regional = _requested_model(intent), call is not None and bool(call.client.region)
    if wire is not None and not _is_charged(wire, begun=begun):
        return Cost(model, NO_USAGE, None, prices.currency)
    cost = prices.read_cost(outcome.body, model=model, tier=tier, regional=regional)
    if cost.usage or not outcome.ok or wire is None or call is None or _wire_name(wire) != SPEECH:
        return cost
    return _price_speech(prices, model, call.payload, regional=regional)


def price_batch_line(prices: Prices, body: JSON, outcome: Outcome, *, regional: bool) -> Cost:
    """Return what one request of a batch used and cost.

    Args:
        prices: of models.
        body: the payload of the request.
        outcome: what it came to.
        regional: whether the batch runs at a regional address.
    """
    model = members(body).get("model")
    return prices.read_cost(
        outcome.body, model=model if isinstance(model, str) else "", tier="batch", regional=regional
    )


def _requested_model(intent: CallIntent) -> str:
    """Return the requested model, for answers that do not name one."""
    payload = intent.call.payload if intent.call else None
    model = payload.get("model") if is_object(payload) else None
    return model if isinstance(model, str) else ""


def _is_charged(wire: Wire, *, begun: bool) -> bool:
    """Return whether a call itself is paid for: what reads an answer again shows its usage, and costs nothing."""
    if wire.operation is None:
        return wire.method in WRITING
    return wire.operation.cost is not None or (begun and wire.operation.name == RETRIEVE)


def _wire_name(wire: Wire) -> str:
    return wire.operation.wire_name if wire.operation is not None else f"{wire.method} {wire.path}"


def _price_speech(prices: Prices, model: str, payload: JSON, *, regional: bool) -> Cost:
    """Return the cost of a text that was read aloud, where its characters are charged: no answer tells them."""
    text, known = members(payload).get("input"), prices.find(model)
    if known is None or "characters" not in known.rates or not isinstance(text, str):
        return Cost(model, NO_USAGE, None, prices.currency)
    usage = Usage(characters=len(text))
    return Cost(model, usage, prices.compute_cost(model, usage, regional=regional), prices.currency)
