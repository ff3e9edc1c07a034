"""The gateway's own pages: health for load balancers, metrics, and usage."""

from __future__ import annotations

from collections.abc import Callable

import orjson
from aiohttp import web

from connector.gateway.access import Caller, Callers
from connector.gateway.metrics import CONTENT_TYPE, Metrics
from connector.gateway.refusals import Refusal, render_page
from connector.gateway.usage_counters import UsageCounters
from connector.model import JSON

__all__ = ["HEALTH_PAGES", "PAGES", "Pages", "check_method"]

HEALTH_PAGES = ("/healthz", "/readyz")
"""Load balancers have no token and send any Host."""
GUARDED_PAGES = ("/metrics", "/usage")
PAGES = frozenset({*HEALTH_PAGES, *GUARDED_PAGES})


class Pages:
    """Responses for paths that lead to no client.

    Args:
        count: returns what /usage shows.
        metrics: what /metrics shows.
        callers: whose budgets are shown.
        started_at: seconds since 1970.
    """

    def __init__(
        self, count: Callable[[], UsageCounters], metrics: Metrics, callers: Callers, *, started_at: float
    ) -> None:
        self._count = count
        self._metrics = metrics
        self._callers = callers
        self._started_at = started_at

    def public(self, method: str, path: str, *, is_draining: bool) -> web.Response | None:
        """Return a health page, or None when the path is none."""
        if path not in HEALTH_PAGES:
            return None
        check_method(method)
        if path == "/readyz" and is_draining:
            return render_page(orjson.dumps({"status": "draining"}), status=503)
        return render_page(orjson.dumps({"status": "ok"}))

    def render_metrics(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return self._metrics.render()

    def guarded(self, path: str, caller: Caller) -> web.Response:
        """Return metrics or usage, for a caller who may read them."""
        if not (caller.metrics or caller.is_administrator):
            raise Refusal(403, "not_allowed", f"metrics: {caller.name} may not read the counts")
        if path == "/metrics":
            return render_page(self._metrics.render(), CONTENT_TYPE)
        return render_page(orjson.dumps(self._usage()))

    def _usage(self) -> JSON:
        """Return the sums by token, client and model, and the state of budgets."""
        tokens: dict[str, JSON] = {}
        counters = self._count()
        for caller, client, model, sums in counters.rows():
            entry = tokens.setdefault(caller, {"clients": {}})
            entry["clients"].setdefault(client, {})[model] = sums.as_document(counters.currency)
        for one in self._callers:
            budget = one.quota.budget
            if budget is None:
                continue
            is_used_up, spending = one.quota.is_used_up, one.quota.spending
            tokens.setdefault(one.name, {"clients": {}})["budget"] = {
                "every": budget.every, "amount": budget.amount, "tokens": budget.tokens, "used_up": is_used_up,
                "spent": {"amount": round(spending.amount, 9), "tokens": spending.tokens},
                "currency": counters.currency,
            }  # fmt: skip
        return {"since": self._started_at, "tokens": tokens}


def check_method(method: str) -> None:
    """Refuse to do anything but read a page."""
    if method not in ("GET", "HEAD"):
        raise Refusal(405, "method_not_allowed", "this page is only read", headers={"Allow": "GET, HEAD"}, close=True)
