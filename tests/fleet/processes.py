"""One limit over real processes on loopback: `python -m tests.fleet.processes` prints how it was kept and used.

They call a sandbox, which notes when each request arrives. Two of them are killed, and PostgreSQL is: the limit is kept
all the same.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from dataclasses import dataclass
from itertools import accumulate

import httpx

from connector.fleet import open_shares
from connector.http import Client
from connector.sandbox import Sandbox
from tests.crash.cluster import Cluster

__all__ = ["Figures", "measure"]

PROCESSES, PER_MINUTE, SECONDS, AT_A_TIME = 16, 1200, 150, 8
MINUTE, STEP = 60, 0.1
PATIENCE = 120.0
BACK = 10
"""Seconds from the death of PostgreSQL to the time when all is divided again."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the sandbox saw.

    Attributes:
        worst_minute: the most requests of a minute, as a part of the limit.
        used: as a part of the limit, while PostgreSQL was there.
        away: the same, from its death until all is divided again.
    """

    requests: int
    worst_minute: float
    used: float
    away: float

    def __str__(self) -> str:
        return (
            f"{self.requests} requests; the most in any minute: {self.worst_minute:.1%} of the limit; "
            f"used: {self.used:.1%}, and {self.away:.1%} in the {BACK} s after PostgreSQL died"
        )


async def work(url: str, engine: str) -> None:
    """Call without pause, as one of the processes."""
    limits = {"requests_per_minute": PER_MINUTE}

    async def call(client: Client) -> None:
        wire = client.prepare("models list")
        while True:
            await client.send(wire)

    async with (
        open_shares(engine) as shares,
        Client(base_uri=url, token="sk-sandbox", limits=limits, shares=shares, logging="none") as client,
    ):
        await asyncio.gather(*(call(client) for _ in range(AT_A_TIME)))


async def measure(seconds: int = SECONDS, processes: int = PROCESSES) -> Figures:
    """Run processes for some seconds; kill two of them after a third, and PostgreSQL after two thirds."""
    cluster = Cluster()
    try:
        async with Sandbox(seed=1) as sandbox:
            command = [sys.executable, "-m", "tests.fleet.processes", "--work", sandbox.url, cluster.url]
            running = [await asyncio.create_subprocess_exec(*command) for _ in range(processes)]
            try:
                return await _watch(sandbox.url.removesuffix("/v1"), cluster, running, seconds)
            finally:
                for process in running:
                    if process.returncode is None:
                        process.kill()
                await asyncio.gather(*(process.wait() for process in running))
    finally:
        cluster.close()


async def _watch(url: str, cluster: Cluster, running: list[asyncio.subprocess.Process], seconds: int) -> Figures:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        async with asyncio.timeout(PATIENCE):
            while len(await _requests(http, url)) < PER_MINUTE / MINUTE * 2:  # noqa: ASYNC110  other processes set no event
                await asyncio.sleep(0.2)
        began = time.time()
        await asyncio.sleep(seconds / 3)
        for process in running[:2]:
            process.send_signal(signal.SIGKILL)
        await asyncio.sleep(seconds / 3)
        await asyncio.to_thread(cluster.kill)
        died = time.time()
        await asyncio.to_thread(cluster.start)
        await asyncio.sleep(seconds / 3)
        ended = time.time()
        times = await _requests(http, url)
    return _judge([each for each in times if began <= each < ended], began, died, ended)


async def _requests(http: httpx.AsyncClient, url: str) -> list[float]:
    lines = (await http.get(f"{url}/sandbox/requests")).text.splitlines()
    found = (json.loads(line) for line in lines)
    return [each["time"] for each in found if each.get("operation") == "models list"]


def _judge(times: list[float], began: float, died: float, ended: float) -> Figures:
    per_second = PER_MINUTE / MINUTE
    counts = [0] * int((ended - began) / STEP + 1)
    for each in times:
        counts[int((each - began) / STEP)] += 1
    sums, width = [0, *accumulate(counts)], int(MINUTE / STEP)
    minutes = [sums[at + width] - sums[at] for at in range(len(sums) - width)]
    away = sum(died <= each < died + BACK for each in times)
    there = ended - began - BACK
    return Figures(
        len(times),
        max(minutes) / PER_MINUTE,
        (len(times) - away) / (per_second * there),
        away / (per_second * BACK),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fleet.processes", description=__doc__)
    parser.add_argument("--work", nargs=2, metavar=("URL", "ENGINE"), help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"at least {2 * MINUTE} ({SECONDS})")
    given = parser.parse_args()
    if given.work:
        asyncio.run(work(*given.work))
        return
    figures = asyncio.run(measure(given.seconds))
    sys.stdout.write(
        f"{PROCESSES} processes share {PER_MINUTE} requests a minute over {given.seconds} s: {figures}" + "\n"
    )
    if figures.worst_minute > 1.02 or figures.used < 0.98:
        sys.exit(1)


if __name__ == "__main__":
    main()
