"""Before a run that may cost much, show its forecast and ask; without a terminal the run stops."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from connector.cli.output import say

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.engine import Store
    from connector.money.forecast import Forecast
    from connector.pipeline import Runtime

__all__ = ["may_pay"]


async def may_pay(runtime: Runtime, store: Store, routes: Sequence[str], *, yes: bool, up_to: float | None) -> bool:
    """Return whether a run may begin: it costs little, or somebody says that it may cost what it does.

    Args:
        runtime: the opened configuration.
        store: where the tasks of its routes are.
        routes: those that run.
        yes: whether it may cost anything.
        up_to: what it may cost without being asked, in place of the configured sums.
    """
    configuration = runtime.configuration
    limits = {name: _limit_of(configuration, name) for name in routes}
    whole = configuration.ask_above
    if yes or (up_to is None and whole is None and not any(limit is not None for limit in limits.values())):
        return True
    found = [await _foretell(runtime, store, name) for name in routes
             if up_to is not None or whole is not None or limits[name] is not None]  # fmt: skip
    if up_to is not None:
        dear = _exceeding(found, up_to)
    else:
        dear = [one for one in found if _exceeding([one], limits[one.route])]
        dear += [one for one in _exceeding(found, None if whole is None else whole.amount) if one not in dear]
    return not dear or _ask(dear)


def _limit_of(configuration: Configuration, name: str) -> float | None:
    asked = configuration.routes[name].ask_above
    return None if asked is None else asked.amount


async def _foretell(runtime: Runtime, store: Store, route: str) -> Forecast:
    from connector.money.forecast import forecast_route

    return await forecast_route(runtime, store, route)


def _exceeding(found: Sequence[Forecast], limit: float | None) -> list[Forecast]:
    """Return the forecasts if all of them together may exceed a limit, or if that is unknown; else nothing."""
    if limit is None:
        return []
    known = [one.money for one in found]
    total = sum(money.p95 for money in known if money is not None)
    return [*found] if total > limit or None in known else []


def _ask(dear: Sequence[Forecast]) -> bool:
    from connector.cli.forecast import summarize

    for one in dear:
        say(summarize(one))
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        say("nothing was sent, since that is more than may be paid without being asked (ask_above); look with"
            f" `forecast {dear[0].route}`, and run with --pay-up-to AMOUNT or --yes")  # fmt: skip
        return False
    from typer import Abort, confirm

    try:
        return confirm("Begin?", default=False, err=True)
    except Abort:
        return False
