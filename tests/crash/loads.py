"""Pipelines of dlt that publish rows and are killed; what dlt gives again is counted on the upstream's record."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from connector.delivery.call_records import find_doubtful
from connector.engine import CallRecord, Task, open_store
from connector.model import members
from tests.crash.hosts import HOST_POINTS, MOST_PROCESSES, Asked, Begin, Client
from tests.crash.running import Run
from tests.crash.table import Row
from tests.hosts.dlt.judges.names import POINTS
from tests.hosts.dlt.rig import Judge

__all__ = ["LOAD_SCENARIOS", "play_loads"]

EACH = 4
"""Rows of a load."""
TROUBLE = re.compile(r"\(task (\d+)\) may have been published, and is not repeated by itself: [^[]*\[(.*?)\]\. Look")
OPERATIONS = {"chat completions create": "POST /chat/completions", "vector stores create": "POST /vector_stores"}
KEPT = "pipelines"


class Loads(Client):
    """Gives dlt rows, and starts its pipeline anew until all of them are loaded.

    Args:
        warm: begins commands of ours.
        judge: has dlt.
        disposition: `append` or `merge`.
        mistake: one that is put into the destination.
    """

    def __init__(
        self, folder: Path, warm: Begin, judge: Judge, *, disposition: str, seed: int, faults: float, mistake: str
    ) -> None:
        super().__init__(folder, warm, seed=seed, faults=faults, is_keyed=False, mutants=())
        self._commands, self._warm, self._judge = warm, self._start, judge
        self._disposition, self._mistake = disposition, mistake
        self._place = KEPT
        self.doubts: dict[str, str] = {}
        """The evidence for rows that may have been published, by their document."""
        path = folder / "connector.yaml"
        path.write_text(json.dumps({**json.loads(path.read_text()), "engine": "sqlite:///rows.db"}))
        (folder / "rows.jsonl").touch()

    def add(self, count: int) -> None:
        """More rows of the source."""
        self.asked += [Asked("think", f"doc-load-{len(self.asked) + number:05}") for number in range(count)]
        with (self.folder / "rows.jsonl").open("w") as file:
            file.writelines(json.dumps({"doc": one.doc}) + "\n" for one in self.asked)

    def load(self, point: str = "", nth: int = 1, after: float = 0.0) -> dict[str, Any]:
        """Runs the pipeline; what it came to, and nothing when it was killed."""
        run = self._begin(["publish.py", point, str(nth)], point, nth, after)
        code = run.wait()
        self.kills += code == -signal.SIGKILL
        self.missed += [point] if point and code == 0 else []
        if code not in (0, -signal.SIGKILL):
            raise AssertionError(f"{point}: exit code {code}\n{run.said[-3000:]}")
        told: dict[str, Any] = json.loads(run.said.strip().splitlines()[-1]) if code == 0 else {}
        if "DestinationTerminalException" in told.get("kinds", ()):
            self._look(told["error"])
        return told

    def settle(self) -> None:
        """Runs the pipeline until nothing is pending, and then all of it once more, as after its folder was lost."""
        for place in (KEPT, "elsewhere"):
            self._place = place
            for _ in range(MOST_PROCESSES):
                told = self.load()
                if told and not told["error"] and not told["pending"]:
                    break
            else:
                raise AssertionError(f"it never came to an end: {told}")
        for call in self.asked:
            call.told.append({"isError": False, "structuredContent": {}})

    def row(self, name: str) -> Row:
        judged = super().row(name)
        bare = [f"{doc}: unknown without evidence" for doc, evidence in self.doubts.items() if not evidence]
        return replace(judged, unknown=len(self.doubts), breaches=[*judged.breaches, *bare])

    def _look(self, said: str) -> None:
        """A person looks on the upstream's record whether rows took effect, and says so."""
        found = TROUBLE.findall(said)
        if not found:
            raise AssertionError(f"a job failed terminally, and no row was named: {said[:3000]}")
        effects = self._effects()
        for number, evidence in found:
            task, calls = asyncio.run(self._read_doubts(int(number)))
            doc = str(members(task.document)["doc"])
            self.doubts[doc] = evidence
            is_done = all(effects[OPERATIONS[call.operation], doc] for call in calls)
            words = ["tasks", "done"] if is_done else ["tasks", "retry", "--repeat-unknown"]
            self._run_command([*words, number, "-f", "connector.yaml"])

    async def _read_doubts(self, number: int) -> tuple[Task, Sequence[CallRecord]]:
        store = await open_store(f"sqlite:///{self.folder / 'rows.db'}", role="admin")
        try:
            task = await store.task(number)
            assert task is not None
            return task, find_doubtful(task.calls, task.retried)
        finally:
            await store.close()

    def _effects(self) -> Counter[tuple[str, str]]:
        lines = (self.folder / "effects.jsonl").read_text().splitlines()
        found = [json.loads(line) for line in lines]
        return Counter((one["operation"], doc) for one in found for doc in one["documents"])

    def _run_command(self, words: list[str]) -> None:
        """One of our own commands, as the person types it."""
        self._warm = self._commands
        try:
            run = self._begin(words)
            if run.wait():
                raise AssertionError(f"{words}: {run.said[-3000:]}")
        finally:
            self._warm = self._start

    def _start(self, folder: Path, plan: dict[str, Any], words: Sequence[str]) -> Run:
        """Begins the pipeline in the environment that has dlt."""
        script, point, nth = words
        settings = {"configuration": str(folder / "connector.yaml"), "outgoing": "think", "attempts": 20}
        asked = {
            "settings": {**settings, "engine": f"sqlite:///{folder / 'rows.db'}"}, "place": self._place,
            "hints": {"write_disposition": self._disposition}, "mutant": self._mistake,
            **({"point": point, "nth": int(nth)} if point.startswith("dlt.") else {}),
        }  # fmt: skip
        return self._judge.begin(folder, script, asked, plan)


def _at_points(loads: Loads, times: int) -> None:
    for nth in range(1, max(times, 1) + 1):
        for point in (*HOST_POINTS, *POINTS) if times else ("delivery.outcome.seen", "dlt.job.after"):
            loads.add(EACH)
            loads.load(point, nth)


def _at_random(loads: Loads, times: int) -> None:
    chance = Random(len(loads.folder.name))
    for _ in range((2, 10, 30)[min(times, 2)]):
        loads.add(2 * EACH)
        loads.load(after=chance.uniform(0.2, 2.0))


LOAD_SCENARIOS: dict[str, tuple[Callable[[Loads, int], None], str, float]] = {
    "dlt loads": (_at_points, "append", 0.05),
    "dlt loads that are merged": (_at_points, "merge", 0.05),
    "dlt loads, killed at random": (_at_random, "append", 0.05),
}
"""What is done to the pipeline, its write disposition, and how often the upstream answers badly."""


def play_loads(
    name: str,
    folder: Path,
    warm: Begin,
    *,
    judge: Judge | None = None,
    times: int = 1,
    seed: int = 1,
    mistake: str = "",
) -> Row:
    """What came of a scenario; 0 times is its shortest form."""
    if judge is None:
        with closing(Judge()) as own:
            return play_loads(name, folder, warm, judge=own, times=times, seed=seed, mistake=mistake)
    act, disposition, faults = LOAD_SCENARIOS[name]
    how: dict[str, Any] = {"disposition": disposition, "seed": seed, "faults": faults, "mistake": mistake}
    with closing(Loads(folder, warm, judge, **how)) as loads:
        act(loads, times)
        loads.settle()
        return loads.row(name)
