"""`make simulate`: every simulation with its figures; it fails when one of them is not what is promised.

One alone: `python -m tools.simulate forecast`, `deadlines`, `ledger` or `fleet`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from time import monotonic

from tools.simulate import deadlines, fleet, forecast, ledger

FIRST, RUNS, MONTHS, DAYS, FLEETS = 1, 300, 24, 1000, 16


def simulate_forecasts(pool: ProcessPoolExecutor) -> Sequence[str]:
    """Print the figures of forecasts; return what is not as promised."""
    runs = list(pool.map(forecast.hold, range(FIRST, FIRST + RUNS), chunksize=10))
    print(f"Forecasts against {RUNS} runs that they had not seen, seeds {FIRST} to {FIRST + RUNS - 1}:")
    print("\n".join(forecast.report(runs)))
    return forecast.judge(runs)


def simulate_deadlines(pool: ProcessPoolExecutor) -> Sequence[str]:
    """Print the figures of months with deadlines; return what is not as promised."""
    months = list(pool.map(deadlines.live, range(FIRST, FIRST + MONTHS)))
    print(f"Cheapest in time over {MONTHS} months, seeds {FIRST} to {FIRST + MONTHS - 1}:")
    print("\n".join(deadlines.report(months)))
    return deadlines.judge(months)


def simulate_ledger(pool: ProcessPoolExecutor) -> Sequence[str]:
    """Print the figures of calls without a known end; return what is not as promised."""
    days = list(pool.map(ledger.live, range(FIRST, FIRST + DAYS), chunksize=10))
    print(f"Whose cent was it, over {DAYS} days, seeds {FIRST} to {FIRST + DAYS - 1}:")
    print("\n".join(ledger.report(days)))
    return ledger.judge(days)


def simulate_fleets(pool: ProcessPoolExecutor) -> Sequence[str]:
    """Print the figures of limits that a thousand processes share; return what is not as promised."""
    fleets = list(pool.map(fleet.live, range(FIRST, FIRST + FLEETS)))
    print(f"One limit over many processes, seeds {FIRST} to {FIRST + FLEETS - 1}:")
    print("\n".join(fleet.report(fleets)))
    return fleet.judge(fleets)


SIMULATIONS: dict[str, Callable[[ProcessPoolExecutor], Sequence[str]]] = {
    "forecast": simulate_forecasts,
    "deadlines": simulate_deadlines,
    "ledger": simulate_ledger,
    "fleet": simulate_fleets,
}


def main(names: Sequence[str]) -> int:
    """Run simulations, all unless some are named; print their figures, and return 1 when a promise is broken."""
    unknown = [name for name in names if name not in SIMULATIONS]
    if unknown:
        print(f"there is no simulation {', '.join(unknown)}; there are {', '.join(SIMULATIONS)}", file=sys.stderr)
        return 2
    began, broken = monotonic(), list[str]()
    with ProcessPoolExecutor() as pool:
        for name in names or SIMULATIONS:
            broken += SIMULATIONS[name](pool)
    print("\n".join(broken) or "as promised", f"({monotonic() - began:.0f} s)")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
