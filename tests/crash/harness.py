"""Scenarios and mutants, run and judged."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

from tests.crash.bench import Bench, Stuck
from tests.crash.cluster import Cluster
from tests.crash.mutants import MUTANTS
from tests.crash.running import Warm, cold
from tests.crash.scenarios import SCENARIOS
from tests.crash.table import Row

__all__ = ["catch", "play"]


def play(name: str, folder: Path, warm: Warm, *, long: bool = False, seed: int = 1) -> tuple[Row, Bench]:
    """What came of a scenario."""
    scenario = SCENARIOS[name]
    begin = cold if scenario.command else warm
    with ExitStack() as ends:
        server = ends.enter_context(closing(Cluster())) if scenario.engine == "postgresql" else None
        bench = ends.enter_context(
            closing(scenario.bench(folder, begin, seed=seed, faults=scenario.faults, server=server))
        )
        scenario.act(bench, scenario.long if long else 1)
        verdict = bench.finish()
    return Row(
        name,
        bench.kills,
        verdict.tasks,
        verdict.lost,
        verdict.twice,
        verdict.repeated,
        verdict.unknown,
        bench.recoveries,
        verdict.breaches,
    ), bench


def catch(name: str, folder: Path, warm: Warm, *, seed: int = 1) -> list[str]:
    """The breaches by which the formula finds a mutant; none when it does not."""
    mutant = MUTANTS[name]
    begin = cold if mutant.scenario and SCENARIOS[mutant.scenario].command else warm
    made = SCENARIOS[mutant.scenario].bench if mutant.scenario else Bench
    bench = made(folder, begin, seed=seed, faults=mutant.faults, mutants=(name,))
    try:
        if mutant.scenario:
            SCENARIOS[mutant.scenario].act(bench, 1)
        for more in range(3 if mutant.point else 0):
            bench.offer(6)
            bench.crash(mutant.point, mutant.nth + more, mutant.how)
        bench.offer(6)
        return bench.finish().breaches
    except Stuck as stuck:
        return [f"a run came to no end: {stuck}"]
    finally:
        bench.close()
