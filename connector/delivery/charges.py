"""What calls cost: the one place where a route's answers are priced, for budgets, counters, traces and summaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connector.delivery.call_records import PLACE
from connector.engine import CallRecord
from connector.http.addresses import find_region
from connector.model import JSON, Outcome, State, is_list, is_object, members
from connector.publishers import CallIntent
from connector.request import Wire
from connector.telemetry.costs import NO_USAGE, Cost, Prices, Usage

__all__ = ["RETRIEVE", "is_charged", "price_batch_line", "price_call", "price_kept_calls", "read_asked"]

WRITING = ("POST", "PUT", "PATCH")
RETRIEVE = "responses retrieve"
SPEECH, READ_ALOUD = "POST /audio/speech", "audio speech create"


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
    if wire is not None and not is_charged(wire, begun=begun):
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


def price_kept_calls(prices: Prices, calls: Sequence[CallRecord]) -> Iterator[tuple[CallRecord, Cost]]:
    """Yield the calls of a task that were paid for, and what each used and cost, from what was kept of them.

    What is kept says less than the call did: a call whose answer was too large to be kept is left out, and of a request
    that went out in a batch nobody knows the address.
    """
    windows: dict[str, str] = {}
    for call in calls:
        request, outcome = members(call.request), members(call.outcome)
        asked, body = read_asked(request.get("body")), members(outcome.get("body"))
        window = members(asked.get("background_options")).get("completion_window")
        if asked.get("background") is True and isinstance(name := body.get("id"), str):
            windows[name] = f"window-{window}" if isinstance(window, str) else ""
        known = windows.get(str(body.get("id")))
        if call.state != State.DONE or not _was_charged(call, request, waited=known is not None):
            continue
        tier, url = "batch" if PLACE in request else known or "", request.get("url")
        regional = isinstance(url, str) and bool(find_region(url))
        model = asked.get("model") if isinstance(asked.get("model"), str) else ""
        cost = prices.read_cost(body, model=str(model), tier=tier, regional=regional)
        if not cost.usage and call.operation == READ_ALOUD:
            cost = _price_speech(prices, str(model), asked, regional=regional)
        if cost.usage:
            yield call, cost


def read_asked(body: JSON) -> Mapping[str, JSON]:
    """Return the fields of a request that was kept: of its payload, or of its form."""
    if not is_list(body):
        return members(body)
    return {str(part.get("name")): part.get("value") for part in map(members, body)}


def _was_charged(call: CallRecord, request: Mapping[str, JSON], *, waited: bool) -> bool:
    if PLACE in request or (waited and call.operation == RETRIEVE):
        return True
    answer = members(members(call.outcome).get("body"))
    return request.get("method") in WRITING and ("usage" in answer or call.operation == READ_ALOUD)


def _requested_model(intent: CallIntent) -> str:
    """Return the requested model, for answers that do not name one."""
    payload = intent.call.payload if intent.call else None
    model = payload.get("model") if is_object(payload) else None
    return model if isinstance(model, str) else ""


def is_charged(wire: Wire, *, begun: bool = False) -> bool:
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
