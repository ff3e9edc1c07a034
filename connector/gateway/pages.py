"""The gateway's own pages: whether it lives, whether it takes calls, and what was called."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from connector.gateway.metrics import CONTENT_TYPE, Metrics
from connector.gateway.refusals import Refused, document

if TYPE_CHECKING:
    from connector.gateway.access import Caller, Callers
    from connector.gateway.ledger import Ledger
    from connector.model import JSON

__all__ = ["OPEN", "Pages"]

OPEN = ("/healthz", "/readyz")
"""Pages for load balancers, which have no token and say what host they like."""
GUARDED = ("/metrics", "/usage")


class Pages:
    """Answers for paths that lead to no client."""

    def __init__(
        self, ledger: Ledger, metrics: Metrics, callers: Callers, *, since: float, ready: Callable[[], str]
    ) -> None:
        self._ledger = ledger
        self._metrics = metrics
        self._callers = callers
        self._since = since
        self._ready = ready

    def open(self, method: str, path: str) -> web.Response | None:
        """A page for everybody, or None when the path is none of them."""
        if path not in OPEN:
            return None
        _only_reading(method)
        why_not = self._ready() if path == "/readyz" else ""
        body = orjson.dumps({"status": why_not or "ok"})
        return document(body, status=503 if why_not else 200)

    def guarded(
        self, request: web.BaseRequest, path: str, find: Callable[[web.BaseRequest], Caller]
    ) -> web.Response | None:
        """A page for those who may see the counts, or None when the path is none of them."""
        if path not in GUARDED:
            return None
        _only_reading(request.method)
        caller = find(request)
        if not (caller.metrics or caller.anything):
            raise Refused(403, "not_allowed", f"metrics: {caller.name} may not read the counts")
        if path == "/metrics":
            return document(self._metrics.text(), CONTENT_TYPE)
        return document(orjson.dumps(self._usage()))

    def _usage(self) -> JSON:
        """The sums by token, client and model, and what is left of budgets."""
        tokens: dict[str, JSON] = {}
        for caller, client, model, found in self._ledger.rows():
            entry = tokens.setdefault(caller, {"clients": {}})
            entry["clients"].setdefault(client, {})[model] = found.as_document(self._ledger.currency)
        for one in self._callers:
            budget = one.quota.budget
            if budget is None:
                continue
            used_up, spending = one.quota.used_up, one.quota.spending
            tokens.setdefault(one.name, {"clients": {}})["budget"] = {
                "every": budget.every, "amount": budget.amount, "tokens": budget.tokens, "used_up": used_up,
                "spent": {"amount": round(spending.amount, 9), "tokens": spending.tokens},
                "currency": self._ledger.currency,
            }  # fmt: skip
        return {"since": self._since, "tokens": tokens}


def _only_reading(method: str) -> None:
    if method not in ("GET", "HEAD"):
        raise Refused(405, "method_not_allowed", "this page is only read", headers={"Allow": "GET, HEAD"}, close=True)
