"""A connector and its upstream in a folder of their own: documents offered, processes ended, and what came of it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import Request, urlopen

from connector.sandbox.webhooks import sign
from tests.crash.chains import SECRET
from tests.crash.cluster import Cluster
from tests.crash.configuration import PLACES, configure, offer
from tests.crash.formula import Verdict, evidence, judge
from tests.crash.running import PATIENCE, ROOT, Run

__all__ = ["ENDED", "Bench", "Stuck"]

Begin = Callable[[Path, dict[str, Any], list[str]], Run]
ENDED = (0, 1, 3)
"""The exit codes of a run in which everything has ended, well or not."""
MOST_RUNS = 8


class Stuck(AssertionError):
    """A run that was left alone did not come to its end."""


class Bench:
    """One scenario at work.

    Args:
        folder: a new one, for this scenario alone.
        begin: how a process is begun.
        faults: how often the upstream answers badly.
        server: a PostgreSQL that keeps the tasks; a file of SQLite's unless given.
    """

    def __init__(
        self,
        folder: Path,
        begin: Begin,
        *,
        seed: int = 0,
        faults: float = 0.0,
        server: Cluster | None = None,
        mutants: tuple[str, ...] = (),
    ) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder = folder
        self.begin = begin
        self.engine = server.url if server else f"sqlite:///{folder / 'tasks.db'}"
        self._server = server
        self.kills = 0
        self.recoveries: list[float] = []
        self.missed: list[str] = []
        self.later: dict[str, Any] = {}
        """What the plans of all later runs say."""
        self.seed = seed
        self._mutants = mutants
        self._runs = 0
        self._offered = 0
        self._killed_at = 0.0
        self._upstream = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.upstream", str(folder), str(seed), str(faults)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        port = self._upstream.stdout.readline().strip()  # type: ignore[union-attr]
        self.url = f"http://127.0.0.1:{port}"
        self.configured("openai")

    def configured(self, client: str, attempts: int = 200) -> None:
        """Writes the configuration, with this name for the client that everything goes through."""
        configure(self.folder, f"{self.url}/v1", self.engine, client, attempts)

    def close(self) -> None:
        self._upstream.stdin.close()  # type: ignore[union-attr]
        self._upstream.wait(10)
        self._upstream.stdout.close()  # type: ignore[union-attr]

    def offer(self, count: int) -> None:
        """More documents for every route."""
        offer(self.folder, self._offered, count)
        self._offered += count

    @contextmanager
    def torn(self, count: int) -> Generator[None]:
        """Keeps so many last bytes of every file that routes read from them."""
        held = {path: path.read_bytes()[-count:] for path in self.folder.glob("in-*.jsonl")}
        for path, end in held.items():
            os.truncate(path, path.stat().st_size - len(end))
        try:
            yield
        finally:
            for path, end in held.items():
                with path.open("ab") as file:
                    file.write(end)

    def run(self, *arguments: str, **plan: Any) -> Run:
        """Begins the command; the plan says how it is to end."""
        self._runs += 1
        whole = {
            "number": self._runs,
            "folder": str(self.folder),
            "reached": str(self.folder / "reached"),
            "accepted": str(self.folder / "accepted"),
            "engine": self.engine,
            "seed": self.seed + self._runs,
            "mutants": self._mutants,
            **self.later,
            **plan,
        }
        return self.begin(self.folder, whole, list(arguments or ("run", "--once")))

    def crash(self, point: str, nth: int = 1, how: str = "KILL", *arguments: str, **plan: Any) -> int:
        """Runs until a point is reached, and not beyond; how the process ended."""
        if point.startswith("upstream."):
            of = plan.pop("of", "")
            run = self.run(*arguments, **plan)
            number = signal.SIGTERM if how == "TERM" else signal.SIGKILL
            self.ask("/trap", {"moment": point, "left": nth, "pid": run.pid, "signal": number, "of": of})
        else:
            run = self.run(*arguments, point=point, nth=nth, signal=how, **plan)
        return self.ended(run, point)

    def ended(self, run: Run, what: str = "", also: Sequence[int] = ()) -> int:
        """Waits for the end of a run that may have been killed, or may have given up with one of these codes."""
        code = run.wait()
        self._resumed()
        if code in (-signal.SIGKILL, 128 + signal.SIGTERM, -signal.SIGTERM, *also):
            self.kills += 1
            self._killed_at = time.time()
        elif code in ENDED:
            self.missed += [what] if what else []
        else:
            raise Stuck(f"{what}: exit code {code}\n{run.said[-3000:]}")
        return code

    def behave(self, **manners: float) -> None:
        """Says how the upstream fares from now on: see its Manners."""
        self.ask("/behave", manners)

    def restart(self) -> None:
        """Kills the database's server, and starts it again."""
        if self._server is not None:
            self._server.kill()
            self.kills += 1
            self._server.start()

    def until_heard(self) -> None:
        """Returns when the upstream hears of a run that has just begun."""
        since, deadline = time.time(), time.monotonic() + PATIENCE
        while self.ask(f"/arrival?after={since}") is None:
            if time.monotonic() > deadline:
                raise Stuck("nothing was heard of a run")
            time.sleep(0.02)

    def hook(self, port: int, documents: Sequence[str]) -> list[str]:
        """Sends an event for each document; those that were not acknowledged."""
        left: list[str] = []
        for document in documents:
            body = json.dumps({"type": "made", "doc": document}).encode()
            headers = {**sign(SECRET, document, int(time.time()), body), "Content-Type": "application/json"}
            try:
                urlopen(Request(f"http://127.0.0.1:{port}/hooks/made", body, headers), timeout=10).close()
            except OSError:  # refused, cut off, or answered that it cannot be kept
                left.append(document)
                continue
            with (self.folder / "hooked").open("a") as file:
                file.write(f"{document}\n")
        return left

    def finish(self) -> Verdict:
        """Runs until everything has its end, and judges.

        One run more than that: a reading that was broken off at its very end is brought to its end by the next run, and
        what was offered meanwhile is read by the one after it.
        """
        ended = 0
        for _ in range(MOST_RUNS):
            run = self.run()
            code = run.wait()
            self._resumed()
            ended += code in ENDED
            if ended == 2:
                return self.verdict()
        raise Stuck(f"after {MOST_RUNS} runs: exit code {code}\n{run.said[-3000:]}")

    def verdict(self) -> Verdict:
        # At a kill no more calls that are repeated can be under way than one route has places, and one input chain.
        return judge(asyncio.run(evidence(self.folder, self.engine, cut=self.kills * (PLACES + 1))))

    def ask(self, path: str, body: Any = None) -> Any:
        """Asks the upstream's own control."""
        data = None if body is None else json.dumps(body).encode()
        asked = Request(f"{self.url}{path}", data, {"Content-Type": "application/json"})
        with urlopen(asked, timeout=10) as answer:
            return json.load(answer)

    @property
    def reached(self) -> set[str]:
        """The points that any run came to."""
        path = self.folder / "reached"
        return set(path.read_text().split()) if path.exists() else set()

    @property
    def recovery(self) -> float:
        """Seconds from a kill to the next run's first request, as a rule."""
        return median(self.recoveries) if self.recoveries else 0.0

    def _resumed(self) -> None:
        """Notes how long after the last kill the upstream heard of us again."""
        if self._killed_at:
            first = self.ask(f"/arrival?after={self._killed_at}")
            self._killed_at, killed = 0.0, self._killed_at
            if first is not None:
                self.recoveries.append(first - killed)
