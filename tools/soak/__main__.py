"""`make soak`: ten minutes of a run, a gateway and a sandbox under five per cent of faults; ARGS=--seconds=60 for less.

Prints how memory, descriptors, threads and databases went, and fails when one of them rises in the second half.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from tools.soak.load import ask_gateway, purge_tasks, write_lines
from tools.soak.processes import FAULTS, Trio, start_all
from tools.soak.trend import Sample, Trend, find_trends, take_sample

USUAL, LEAST, MOST = 600.0, 5.0, 24 * 3600.0
CALLERS = 4
SAMPLES, FEWEST = 240, 6
"""How many samples there are about; one a second when the soak is short."""
PATIENCE = 120.0
"""Seconds that a short soak waits for the first answer, where the machine is busy."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak, print what was found, and return 1 when something grew or ended."""
    if not Path("/proc/self/status").exists():
        sys.exit("soak: what a process uses is read from /proc, which this system does not have")
    seconds = _arguments(arguments).seconds
    with TemporaryDirectory() as folder, start_all(Path(folder)) as trio:
        print(f"soak: {seconds:g} s under the faults {', '.join(FAULTS)}", file=sys.stderr, flush=True)
        samples, answers = asyncio.run(_soak(trio, seconds))
        ended = [f"{each.name} ended: {each.said}" for each in trio.processes if each.process.poll() is not None]
    trends = {name: list(find_trends(taken)) for name, taken in samples.items()}
    print("\n".join(report(trends, answers, seconds)))
    print("\n".join(ended) or "all three were there to the end")
    return 1 if ended or not all(trend.is_flat for found in trends.values() for trend in found) else 0


async def _soak(trio: Trio, seconds: float) -> tuple[dict[str, list[Sample]], Counter[str]]:
    """Load all three for a time; return what they used, and what the gateway answered."""
    answers: Counter[str] = Counter()
    samples: dict[str, list[Sample]] = {each.name: [] for each in trio.processes}
    async with aiohttp.ClientSession() as session:
        load = [
            asyncio.create_task(write_lines(trio.lines)),
            asyncio.create_task(purge_tasks(trio.configuration)),
            *(asyncio.create_task(ask_gateway(session, trio.port, answers)) for _ in range(CALLERS)),
        ]
        began = time.monotonic()
        while all(each.process.poll() is None for each in trio.processes):
            passed = time.monotonic() - began
            is_enough = answers["200"] > 0 and len(samples["run"]) >= FEWEST
            if passed >= seconds and (is_enough or passed >= seconds + PATIENCE):
                break
            for each in trio.processes:
                samples[each.name].append(take_sample(each.process.pid, each.folder, passed))
            await asyncio.sleep(max(seconds / SAMPLES, min(1.0, seconds / 10)))
        for task in load:
            task.cancel()
        await asyncio.gather(*load, return_exceptions=True)
    return samples, answers


def report(trends: Mapping[str, Sequence[Trend]], answers: Mapping[str, int], seconds: float) -> list[str]:
    """Return what was found, a line for each thing of each process."""
    lines = [f"| {'process':8} | {'what':13} | {'usual':>8} | {'rise':>7} | {'allowed':>7} | {'an hour':>9} | flat |"]
    lines += ["| -------- | ------------- | -------: | ------: | ------: | --------: | ---- |"]
    for name, found in trends.items():
        lines += [
            f"| {name:8} | {trend.kind.name:13} | {trend.usual:8.1f} | {trend.rise:7.1f} | {trend.most:7.1f} "
            f"| {trend.hourly:9.1f} | {'yes' if trend.is_flat else 'NO':4} |"
            for trend in found
        ]
    told = ", ".join(f"{count:,} of {status}" for status, count in sorted(answers.items()))
    return [*lines, f"Rises are those of the second half of {seconds:g} s. The gateway answered: {told or 'nothing'}."]


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description="what grows in ten minutes under faults")
    parser.add_argument("--seconds", type=_seconds, default=USUAL, metavar="S", help=f"how long ({USUAL:g})")
    return parser.parse_args(arguments)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not LEAST <= seconds <= MOST:
        raise argparse.ArgumentTypeError(f"found {text}; {LEAST:g} to {MOST:g} are allowed")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
