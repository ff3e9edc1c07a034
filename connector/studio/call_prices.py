"""What calls that are kept cost, and what a repeat may cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.catalogue.operation import Operation
from connector.config import Configuration
from connector.delivery.charges import price_kept_calls
from connector.documents import dump
from connector.engine import CallRecord
from connector.gateway.body_parser import ParsedBody
from connector.gateway.usage import estimate_usage
from connector.model import JSON, Outcome, is_object, members
from connector.studio.schemas.base import Price
from connector.telemetry.costs import Cost, Prices, Usage

__all__ = ["price_calls", "price_kept_call", "price_repeat", "price_request", "read_cost", "show_usage"]

LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
BYTES_A_TOKEN = 3
"""English text has four; fewer are counted, so that no repeat costs more than was said."""


def price_kept_call(prices: Prices, call: CallRecord, among: Sequence[CallRecord] = ()) -> Price | None:
    """Return what a call cost, one of a task's; None for one that is not paid for."""
    found = [cost for one, cost in price_kept_calls(prices, among or (call,)) if one is call]
    return _show_cost(found[0]) if found else None


def price_calls(prices: Prices, calls: Sequence[CallRecord]) -> Price | None:
    """Return what the calls of a task cost together; None when none was paid for."""
    found = [_show_cost(cost) for _, cost in price_kept_calls(prices, calls)]
    if not found:
        return None
    unknown = next((price.why for price in found if price.amount is None), "")
    known = [price.amount for price in found if price.amount is not None]
    amount = sum(known) if known and not unknown else None
    return Price(amount=amount, currency=found[0].currency, why=unknown)


def _show_cost(cost: Cost) -> Price:
    why = "" if cost.amount is not None else f"nothing says what {cost.model or 'its model'} costs"
    return Price(amount=cost.amount, currency=cost.currency, why=why)


def price_repeat(prices: Prices, call: CallRecord) -> Price:
    """Return what a call may cost that is sent again: its input, and the longest answer that it allows."""
    body, model = members(members(call.request).get("body")), _find_model(call)
    if not model or prices.find(model) is None:
        why = f"nothing says what {model} costs" if model else "the request names no model with a price"
        return Price(amount=None, currency=prices.currency, why=why)
    tokens = len(dump(dict(body))) // BYTES_A_TOKEN + 1
    limit = next((body[name] for name in LIMITS if isinstance(body.get(name), int)), None)
    amount = prices.compute_cost(model, Usage(input=tokens, output=limit or 0))
    if limit is None and _writes_text(call):
        shown = f"{amount:.6f}" if amount is not None else "unknown"
        why = f"the request does not limit its answer; its input alone may cost {shown} {prices.currency}"
        return Price(amount=None, currency=prices.currency, why=why)
    return Price(amount=amount, currency=prices.currency, why="at most, by the size of the request")


def price_request(configuration: Configuration, operation: Operation | None, request: Mapping[str, JSON]) -> Price:
    """Return the most that a request costs which is sent for the first time, or why nobody can know."""
    payload, currency = members(request.get("payload")), configuration.currency
    if operation is None:
        return Price(amount=None, currency=currency, why="the catalogue does not know the call")
    if not payload or operation.effect.value == "none":
        return Price(amount=0.0, currency=currency, why="reading costs nothing")
    estimate = estimate_usage(ParsedBody(payload, len(dump(dict(payload)))), operation, "", "")
    if estimate.unknown_cost:
        return Price(amount=None, currency=currency, why=estimate.unknown_cost)
    usage = Usage(input=estimate.input, output=estimate.output)
    prices = _prices_of(configuration)
    costs = [prices.compute_cost(model, usage, estimate.tier) for model in estimate.models]
    if not costs or None in costs:
        return Price(amount=None, currency=currency, why="the request names no model with a known price")
    most = max(cost for cost in costs if cost is not None)
    return Price(amount=round(most, 6), currency=currency, why="an upper bound: answers are mostly shorter")


def read_cost(configuration: Configuration, outcome: Outcome, request: Mapping[str, JSON]) -> Price:
    """Return what a call cost, by what its answer reports."""
    model = members(request.get("payload")).get("model")
    body: JSON = None if isinstance(outcome.body, bytes) else outcome.body
    found = _prices_of(configuration).read_cost(body, model=model if isinstance(model, str) else "")
    if not found.usage:
        return Price(amount=None, currency=configuration.currency, why="the answer reports no usage")
    why = "" if found.amount is not None else f"no price is known for {found.model or 'its model'}"
    return Price(amount=found.amount, currency=found.currency, why=why)


def _prices_of(configuration: Configuration) -> Prices:
    return Prices.over_registry(configuration.prices, configuration.currency, configuration.catalogue_folder)


def show_usage(usage: Usage) -> dict[str, float] | None:
    """Return what was used, by what it is called."""
    if not usage:
        return None
    names = ("input", "cached", "output", "reasoning", "input_audio", "output_audio", "input_image", "output_image",
             "seconds", "web_searches", "file_searches")  # fmt: skip
    return {name: float(amount) for name in names if (amount := getattr(usage, name))}


def _find_model(call: CallRecord) -> str:
    body: JSON = members(call.request).get("body")
    model = body.get("model") if is_object(body) else None
    return model if isinstance(model, str) else ""


def _writes_text(call: CallRecord) -> bool:
    return any(word in call.operation for word in ("completions", "responses"))
