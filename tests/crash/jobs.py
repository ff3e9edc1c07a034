"""Jobs of Camunda while worker and cluster go away at any moment, and what the upstream's record says of them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any
from urllib.request import Request, urlopen

from tests.crash.configuration import CHAT
from tests.crash.hosts import HOST_POINTS, Begin
from tests.crash.running import ROOT, Run
from tests.crash.table import Row
from tests.hosts.camunda.cluster import Cluster, StoredJob

__all__ = ["JOB_MUTANTS", "JOB_SCENARIOS", "catch_jobs", "play_jobs"]

WORK = {
    "ask": ("POST /chat/completions",),
    "store": ("POST /vector_stores",),
    "think": ("POST /chat/completions", "POST /vector_stores"),
}
"""The connections, and what a job of each brings about upstream."""
PATIENCE = 60.0
TOTAL, SETTLING, KEPT = 1.0, 0.3, 0.6
"""Seconds that a call may take, that a list then has to show what it made, and that a job is left to a dead worker."""


class Site:
    """A cluster with jobs, a recording upstream, and one worker after the other."""

    def __init__(self, folder: Path, warm: Begin, *, seed: int, faults: float, mutants: tuple[str, ...]) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.cluster = Cluster()
        self.kills = 0
        self.outages = 0
        self.missed: list[str] = []
        self.recoveries: list[float] = []
        self._docs: dict[str, tuple[str, str]] = {}
        self._warm = warm
        self._mutants = mutants
        self._processes = 0
        self._upstream = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.upstream", str(folder), str(seed), str(faults)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._upstream.stdout is not None
        self._url = f"http://127.0.0.1:{self._upstream.stdout.readline().strip()}"
        self._configure()

    def close(self) -> None:
        assert self._upstream.stdin is not None
        assert self._upstream.stdout is not None
        self._upstream.stdin.close()
        self._upstream.wait(10)
        self._upstream.stdout.close()
        self.cluster.close()

    @property
    def open_jobs(self) -> list[StoredJob]:
        return [job for job in self.cluster.jobs.values() if job.state == "created"]

    def add(self, count: int) -> None:
        """More jobs, one of each kind a count."""
        for _ in range(count):
            for kind in WORK:
                doc = f"doc-job-{len(self._docs):05}"
                headers = {"outgoing": kind, "resultExpression": "= {done: response.body}"}
                job = self.cluster.add(headers, {"document": {"doc": doc}}, retries=1000)
                self._docs[job.key] = (kind, doc)

    def work(
        self, point: str = "", nth: int = 1, after: float = 0.0, outage: tuple[float, float] | None = None
    ) -> None:
        """Lets a worker work until every job has ended, or it is gone.

        Args:
            point: at which it is killed; `upstream.…` by the upstream.
            after: seconds after which it is killed.
            outage: when the cluster goes away, and for how long.
        """
        self._processes += 1
        trap = point if point.startswith("upstream.") else ""
        plan = {
            "number": self._processes, "folder": str(self.folder), "reached": str(self.folder / "reached"),
            "accepted": str(self.folder / "accepted"), "engine": "sqlite", "seed": self._processes,
            "mutants": self._mutants,
        }  # fmt: skip
        plan |= {"point": point, "nth": nth, "signal": "KILL"} if point and not trap else {}
        began = time.monotonic()
        run = self._warm(self.folder, plan, ["worker", "camunda", "-f", "connector.yaml", "--grace", "5"])
        if trap:
            self._tell("/trap", {"moment": trap, "left": nth, "pid": run.pid, "signal": signal.SIGKILL})
        timers = [threading.Timer(after, run.send, (signal.SIGKILL,))] if after else []
        if outage is not None:
            timers += [threading.Timer(outage[0], self.cluster.close), threading.Timer(sum(outage), self.cluster.open)]
            self.outages += 1
        for timer in timers:
            timer.start()
        code = self._end(run)
        for timer in timers:
            timer.join()
        self.kills += code == -signal.SIGKILL
        self.missed += [point] if point and code != -signal.SIGKILL else []
        if not point and not after:
            self.recoveries.append(time.monotonic() - began)
        if code not in (0, -signal.SIGKILL):
            raise AssertionError(f"{point}: exit code {code}\n{run.said[-3000:]}")

    def _end(self, run: Run) -> int:
        """The exit code of a worker, which is stopped when nothing is left to do."""
        ended: list[int] = []
        waiting = threading.Thread(target=lambda: ended.append(run.wait()))
        waiting.start()
        end = time.monotonic() + PATIENCE
        while waiting.is_alive() and self.open_jobs and time.monotonic() < end:
            waiting.join(0.02)
        run.send(signal.SIGTERM)
        waiting.join(PATIENCE)
        assert ended, f"the worker does not stop\n{run.said[-3000:]}"
        if self.open_jobs and ended[0] == 0:
            raise AssertionError(f"not done: {[job.told[-1:] for job in self.open_jobs]}\n{run.said[-3000:]}")
        return ended[0]

    def row(self, name: str) -> Row:
        """What the record says, held against what the cluster was told."""
        effects: Counter[tuple[str, str]] = Counter()
        path = self.folder / "effects.jsonl"
        for line in path.read_text().splitlines() if path.exists() else ():
            effect = json.loads(line)
            effects.update((effect["operation"], doc) for doc in effect["documents"])
        found = []
        for job in self.cluster.jobs.values():
            kind, doc = self._docs[job.key]
            found.append(_judge(job, doc, [effects[operation, doc] for operation in WORK[kind]]))
        kinds = Counter(kind for kind, _ in found)
        breaches = [why for _, why in found if why]
        return Row(
            name, self.kills + self.outages, len(found), kinds["lost"], kinds["twice"], 0, kinds["unknown"],
            self.recoveries, breaches,
        )  # fmt: skip

    def _configure(self) -> None:
        def to(entity: str, **more: Any) -> dict[str, Any]:
            return {"publisher": {"prototype": "openai", "parameters": {"client": "openai", "entity": entity}}, **more}

        named = {"payload": {"name": "&{doc}"}}
        step = {"client": "openai", "entity": "chat completions", "action": "create", "payload": CHAT}
        parameters = {
            "token": "${KEY}", "base_uri": f"{self._url}/v1", "retry": {"max_retries": 0},
            "timeouts": {"total": TOTAL, "settling": SETTLING},
        }  # fmt: skip
        document = {
            "clients": {
                "openai": {"prototype": "openai", "parameters": parameters},
                "cluster": {"prototype": "camunda", "parameters": {"base_uri": self.cluster.url}},
            },
            "outgoing": {
                "ask": to("chat completions", request={"payload": CHAT}),
                "store": to("vector stores", request=named),
                "think": to("vector stores", request=named, chain=[{"openai": {**step, "destination": "thought"}}]),
            },
            "camunda": {"engine": "sqlite:///calls.db", "attempts": 20, "poll": 0.2, "job_timeout": KEPT},
        }
        (self.folder / "connector.yaml").write_text(json.dumps(document))

    def _tell(self, path: str, body: Any) -> None:
        asked = Request(f"{self._url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        urlopen(asked, timeout=10).close()


def _judge(job: StoredJob, doc: str, times: list[int]) -> tuple[str, str]:
    """What became of a job: done, unknown, lost or twice; and what is wrong about it."""
    if not job.told or job.state == "created":
        return "lost", f"{doc}: the cluster was told no end: {job.state}"
    what, told = job.told[-1]
    if max(times) > 1:
        return "twice", f"{doc}: took effect {max(times)} times, and the cluster was told {what}"
    if what == "completion":
        wrong = f"{doc}: is done and took effect {times} times" if min(times) < 1 else ""
        return ("lost" if wrong else "done"), wrong
    error = told["variables"].get("openai_error") or {}
    if error.get("code") == "UNKNOWN" and not told["retries"]:
        return "unknown", "" if error.get("evidence") else f"{doc}: unknown without evidence"
    return "failed", f"{doc}: ended as {told}; effects {times}"


def _at_points(site: Site, times: int) -> None:
    """At every point, the more often the longer; a few of them where there is no time for more."""
    for nth in range(1, max(times, 1) + 1):
        for point in HOST_POINTS if times else HOST_POINTS[3::9]:
            site.add(1)
            site.work(point, nth)


def _at_random(site: Site, times: int) -> None:
    """The worker is killed, the cluster goes away, and what it is told is heard and not answered."""
    chance = Random(len(site.folder.name))
    for _ in range((2, 8, 24)[min(times, 2)]):
        site.add(3)
        site.cluster.lost = chance.randrange(3)
        outage = (chance.uniform(0.05, 0.5), chance.uniform(0.05, 0.5)) if chance.random() < 0.5 else None
        site.work(after=chance.uniform(0.1, 0.9), outage=outage)


JOB_SCENARIOS: dict[str, tuple[Callable[[Site, int], None], float]] = {
    "camunda jobs, killed at points": (_at_points, 0.0),
    "camunda jobs, worker and cluster away at random": (_at_random, 0.1),
}
"""What is done to the worker and the cluster, and how often the upstream answers badly."""
JOB_MUTANTS = {
    "keys forgotten by jobs": ("keys forgotten", "camunda jobs, killed at points"),
    "intent after sending to jobs": ("intent after sending", "camunda jobs, killed at points"),
    "unknown sent again to jobs": ("unknown sent again", "camunda jobs, killed at points"),
}
"""Mistakes that others find too, planted under a worker; each with the scenario that finds it."""


def play_jobs(
    name: str, folder: Path, warm: Begin, *, times: int = 1, seed: int = 1, mutants: tuple[str, ...] = ()
) -> Row:
    """What came of a scenario; 0 times is its shortest form."""
    act, faults = JOB_SCENARIOS[name]
    with closing(Site(folder, warm, seed=seed, faults=faults, mutants=mutants)) as site:
        act(site, times)
        if site.open_jobs:
            site.work()
        return site.row(name)


def catch_jobs(name: str, folder: Path, warm: Begin, *, times: int = 1) -> list[str]:
    """The breaches by which the account finds a mutant; none when it does not."""
    planted, scenario = JOB_MUTANTS[name]
    try:
        return play_jobs(scenario, folder, warm, times=times, mutants=(planted,)).breaches
    except AssertionError as stuck:
        return [f"came to no end: {stuck}"]
