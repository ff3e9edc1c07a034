"""`make simulate`: every simulation with its figures; it fails when one of them is not what is promised."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from time import monotonic

from tools.simulate.forecast import hold, judge, report

FIRST, RUNS = 1, 300


def main() -> int:
    """Run all simulations, print their figures, and return 1 when a promise is broken."""
    began = monotonic()
    with ProcessPoolExecutor() as pool:
        runs = list(pool.map(hold, range(FIRST, FIRST + RUNS), chunksize=10))
    print(f"Forecasts against {RUNS} runs that they had not seen, seeds {FIRST} to {FIRST + RUNS - 1}:")
    print("\n".join(report(runs)))
    broken = judge(runs)
    print("\n".join(broken) or "as promised", f"({monotonic() - began:.0f} s)")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
