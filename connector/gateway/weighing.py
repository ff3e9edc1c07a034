"""What a call used and cost, and whose budget that is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from connector.gateway.refusals import Refused
from connector.gateway.visit import Visit
from connector.model import JSON
from connector.observing.prices import Prices, Usage, usage_of
from connector.shapes import members

if TYPE_CHECKING:
    from connector.catalogue.operation import Operation
    from connector.gateway.access import Caller

__all__ = ["Scales", "estimated", "is_costly"]

BYTES_PER_TOKEN = 4
MOST_ESTIMATED = 16 * 1024
"""No call is thought to use more tokens than this before its answer tells."""
MOST_PENDING = 10_000
PENDING = ("queued", "in_progress")


def is_costly(method: str, operation: Operation | None) -> bool:
    """Whether the usage that an answer tells is this call's own: a stored answer that is read again tells it too."""
    return method == "POST" and (operation is None or not operation.effect.repeatable)


def estimated(request: web.BaseRequest) -> int:
    """About how many tokens a request gives a model to read; files are not counted so."""
    if "json" not in request.headers.get("content-type", ""):
        return 0
    return min((request.content_length or 0) // BYTES_PER_TOKEN, MOST_ESTIMATED)


class Scales:
    """Weighs answers; one that is made in the background is weighed when it is read the first time."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self._pending: OrderedDict[str, Caller] = OrderedDict()

    def check_price(self, caller: Caller, model: str) -> None:
        """Refuses a model without a price to a caller whose budget it would not touch."""
        if caller.quota.prices_needed and model and self._prices.find(model) is None:
            message = f"prices: the model {model!r} has none, and {caller.name} has a budget; add it to `prices`"
            raise Refused(403, "no_price", message)

    def weigh(self, visit: Visit, caller: Caller, path: str, *, costly: bool, estimate: int) -> Caller:
        """Notes what a call used and cost; returns the one who pays."""
        payer, watch = caller if costly else self._pending.get(_last(path)), visit.watch
        if payer is None or watch is None or not 200 <= visit.status < 300:
            return caller
        told = members(watch.told())
        visit.model = visit.model or str(told.get("model") or "")
        visit.usage = usage_of(told.get("usage"))
        if costly:
            self._expect(told, caller)
            if not visit.usage and watch.streams:
                visit.usage, visit.estimated = Usage(estimate, output=watch.events), True
        elif visit.usage:
            del self._pending[_last(path)]
        if visit.usage:
            visit.cost = self._prices.cost(visit.model, visit.usage, str(told.get("service_tier") or ""))
        return payer

    def _expect(self, answer: Mapping[str, JSON], caller: Caller) -> None:
        """Remembers who asked for an answer that is still being made."""
        name = answer.get("id")
        if answer.get("status") in PENDING and isinstance(name, str):
            self._pending[name] = caller
            if len(self._pending) > MOST_PENDING:
                self._pending.popitem(last=False)


def _last(path: str) -> str:
    return path.rpartition("/")[2]
