"""`budget show`: what routes may use, have used, and may use by calls under way; what shadows would have stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from typer import Argument

from connector.cli.command import group
from connector.cli.forecast import open_past
from connector.cli.options import Config, Json, configuration_at
from connector.cli.output import print_document, print_table, say, wants_json

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.delivery.budget import BudgetView
    from connector.engine import Expense, Store

__all__ = ["budget", "read_budgets"]

budget = group("See the budgets of routes.")
Route = Annotated[str | None, Argument(metavar="ROUTE", help="One route; all that have a budget by default.")]


@budget.command("show")
def show(route: Route = None, config: Config = None, json: Json = None) -> None:
    """Show what routes have used of their budgets in this period, and what calls under way may still use."""
    from connector.pipeline import load_configuration

    configuration = load_configuration(configuration_at(config))
    if route is not None:
        configuration.find("routes", route)
    found = asyncio.run(_read(configuration, route))
    if wants_json(json):
        print_document([view.as_document() for view in found])
    elif not found:
        say("no route has a budget; give it one, such as budget: {amount: 5, every: day}")
    else:
        rows = [_row(view, configuration.currency) for view in found]
        print_table(["route", "used", "under way", "of", "until", "would have stopped"], rows)


async def _read(configuration: Configuration, route: str | None) -> list[BudgetView]:
    names = [route] if route is not None else list(configuration.routes)
    async with open_past(configuration) as store:
        return await read_budgets(configuration, store, names)


async def read_budgets(configuration: Configuration, store: Store, routes: Iterable[str]) -> list[BudgetView]:
    """Return how the budgets stand of those of the routes that have one."""
    from time import time

    from connector.delivery.budget import read_budget

    return [
        await read_budget(store, name, limits, time())
        for name in routes
        if (limits := configuration.routes[name].budget) is not None
    ]


def _row(view: BudgetView, currency: str) -> list[str]:
    def show(used: Expense) -> str:
        return f"{used.cost:,.2f} {currency}" if view.budget.amount is not None else f"{used.tokens:,} tokens"

    amount, tokens = view.budget.amount, view.budget.tokens
    limit = f"{amount:,.2f} {currency}" if amount is not None else f"{tokens:,} tokens"
    until = datetime.fromtimestamp(view.until, UTC).strftime("%m-%d %H:%M UTC")
    stopped = show(view.stopped) if view.budget.shadow else "-"
    return [view.route, show(view.spent), show(view.reserved), limit, until, stopped]
