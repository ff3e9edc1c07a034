"""`python -m tests.crash [--long] [--seed N] [NAME…]`: all scenarios and mutants, or those so named.

Two go on at a time. Prints one table, and ends with 1 when the formula finds a breach or does not find a mutant.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import local
from typing import Any

from tests.crash.cluster import programs
from tests.crash.harness import catch, play
from tests.crash.host_mutants import HOST_MUTANTS
from tests.crash.hosts import HOST_SCENARIOS, catch_host, play_host
from tests.crash.jobs import JOB_MUTANTS, JOB_SCENARIOS, catch_jobs, play_jobs
from tests.crash.loads import LOAD_SCENARIOS, play_loads
from tests.crash.mutants import MUTANTS
from tests.crash.published import PUBLISH_SCENARIOS, play_published
from tests.crash.rows import ROW_SCENARIOS, play_rows
from tests.crash.running import Warm
from tests.crash.scenarios import EVERYWHERE, SCENARIOS
from tests.crash.table import Row, table
from tests.crash.temporal import TEMPORAL_SCENARIOS, play_temporal

AT_ONCE = 2
HOST_PLAYS = (
    dict.fromkeys(HOST_SCENARIOS, play_host)
    | dict.fromkeys(ROW_SCENARIOS, play_rows)
    | dict.fromkeys(PUBLISH_SCENARIOS, play_published)
    | dict.fromkeys(JOB_SCENARIOS, play_jobs)
    | dict.fromkeys(TEMPORAL_SCENARIOS, play_temporal)
    | dict.fromkeys(LOAD_SCENARIOS, play_loads)
)
"""What plays each scenario of a host."""


class Harness:
    """Plays what was asked for, in folders of one's own."""

    def __init__(self, folder: Path, *, long: bool, seed: int) -> None:
        self._folder = folder
        self._long = long
        self._seed = seed
        self._mine = local()
        self._warm: list[Warm] = []
        self.rows: list[Row] = []
        self.faults: list[str] = []

    def close(self) -> None:
        for warm in self._warm:
            warm.close()

    def play(self, name: str) -> None:
        began = time.monotonic()
        if name in HOST_PLAYS:
            self._play_host(name)
            return
        try:
            row, bench = play(name, self._place(name), self._own, long=self._long, seed=self._seed)
        except Exception as error:  # noqa: BLE001  the others are still to be played
            self.faults.append(f"{name}: {type(error).__name__}: {error}")
            return
        self.rows.append(row)
        self.faults += [f"{name}: {breach}" for breach in row.breaches]
        if bench.missed:
            say(f"{name}: never came to {', '.join(bench.missed)}")
        say(f"{name}: {time.monotonic() - began:.0f} s")

    def _play_host(self, name: str) -> None:
        try:
            row = HOST_PLAYS[name](name, self._place(name), self._own, times=3 if self._long else 1, seed=self._seed)
        except Exception as error:  # noqa: BLE001  the others are still to be played
            self.faults.append(f"{name}: {type(error).__name__}: {error}")
            return
        self.rows.append(row)
        self.faults += [f"{name}: {breach}" for breach in row.breaches]

    def catch(self, name: str) -> None:
        if name in JOB_MUTANTS:
            breaches = catch_jobs(name, self._place(name), self._own)
        elif name in HOST_MUTANTS:
            breaches = catch_host(name, self._place(name), self._own)
        else:
            breaches = catch(name, self._place(name), self._own, seed=self._seed)
        if not breaches:
            self.faults.append(f"mutant {name!r} was not found")
        say(f"mutant {name!r}: {f'found, {breaches[0][:100]}' if breaches else 'NOT FOUND'}")

    def _place(self, name: str) -> Path:
        return self._folder / name.replace(" ", "-").replace(",", "")

    @property
    def _own(self) -> Warm:
        """The thread's own process to fork from."""
        if not hasattr(self._mine, "warm"):
            self._mine.warm = Warm()
            self._warm.append(self._mine.warm)
        return self._mine.warm


def _needs_postgresql(name: str) -> bool:
    if name in SCENARIOS:
        return SCENARIOS[name].engine == "postgresql"
    return TEMPORAL_SCENARIOS.get(name) == "postgresql"


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _asked() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="words of scenarios' or mutants' names")
    parser.add_argument("--long", action="store_true", help="every point in every way, and many times")
    parser.add_argument("--seed", type=int, default=1, help="for what is left to chance")
    return parser.parse_args()


def main() -> int:
    asked = _asked()

    def wanted(name: str) -> bool:
        return not asked.names or any(word in name for word in asked.names)

    scenarios = [name for name in (*SCENARIOS, *HOST_PLAYS) if wanted(name)]
    if programs() is None:
        say("PostgreSQL's programs are not installed: its scenarios are left out")
        scenarios = [name for name in scenarios if not _needs_postgresql(name)]
    with TemporaryDirectory(prefix="crash-") as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        harness = Harness(Path(folder), long=asked.long, seed=asked.seed)
        try:
            works = [pool.submit(harness.play, name) for name in scenarios]
            works += [
                pool.submit(harness.catch, name) for name in (*MUTANTS, *HOST_MUTANTS, *JOB_MUTANTS) if wanted(name)
            ]
            for work in works:
                work.result()
        finally:
            harness.close()
    rows = sorted(harness.rows, key=lambda row: scenarios.index(row.scenario))
    sys.stdout.write(f"{table(rows)}\n{len(EVERYWHERE)} named points\n")
    for fault in harness.faults:
        sys.stdout.write(f"{fault}\n")
    return int(bool(harness.faults))


if __name__ == "__main__":
    sys.exit(main())
