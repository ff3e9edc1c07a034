"""Warnings of tokens' budgets: in the log, and to whomever a budget names, while requests go on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from connector.gateway.access_log import LOG

if TYPE_CHECKING:
    from connector.config.models.measures import Budget
    from connector.gateway.access import Caller
    from connector.gateway.limits import SpendingLike
    from connector.pipeline import Runtime

__all__ = ["BudgetWarnings"]


class BudgetWarnings:
    """Tells of shares of budgets that are reached.

    Args:
        runtime: has the clients of those who are told.
        callers: whose budgets they are.
    """

    def __init__(self, runtime: Runtime, callers: Iterable[Caller]) -> None:
        self._runtime = runtime
        self._telling: set[asyncio.Task[None]] = set()
        for caller in callers:
            budget = caller.quota.budget
            if budget is not None and budget.warn_at:
                caller.quota.warn = partial(self._tell, caller.name, budget)

    def _tell(self, name: str, budget: Budget, share: float, spending: SpendingLike) -> None:
        from connector.delivery.budget import BudgetWarning
        from connector.delivery.budget_alarm import BudgetAlarm
        from connector.engine import Expense

        currency = self._runtime.configuration.currency
        spent = Expense(name=name, at=spending.begun, tokens=spending.tokens, cost=spending.amount)
        warning = BudgetWarning(name, share, spent, budget, currency, spending.begun, kind="token")
        LOG.warning("%s: %s tokens, %.2f %s", warning.sentence, f"{spent.tokens:,}", spent.cost, currency)
        if budget.warn is not None:
            task = asyncio.get_running_loop().create_task(BudgetAlarm(self._runtime, budget.warn).tell(warning))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def close(self) -> None:
        """Wait for those who are being told; each has its own time-out."""
        await asyncio.gather(*self._telling, return_exceptions=True)
