"""A platform that moves rows: it gives them again from the last state that came back, however often it must."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from typing import Any

from tests.crash.hosts import HOST_POINTS, MOST_PROCESSES, Asked, Begin, Client
from tests.crash.table import Row

__all__ = ["ROW_SCENARIOS", "play_rows"]

STREAM = "tickets"
EACH = 4
"""Rows between two states."""


class Platform(Client):
    """Gives rows to a destination that publishes each of them with two paid calls.

    Args:
        protocol: `airbyte` or `singer`.
    """

    def __init__(self, folder: Path, warm: Begin, *, protocol: str, seed: int, faults: float, mutants: Any) -> None:
        super().__init__(folder, warm, seed=seed, faults=faults, is_keyed=False, mutants=mutants)
        self.protocol = protocol
        self.covered = 0
        """How many rows the last state that came back covers."""
        settings = {
            "configuration": str(folder / "connector.yaml"),
            "outgoing": "think",
            "engine": f"sqlite:///{folder / 'rows.db'}",
            "attempts": 20,
        }
        (folder / "config.json").write_text(json.dumps(settings))
        stream = {"stream": {"name": STREAM}, "destination_sync_mode": "append", "primary_key": [["doc"]]}
        (folder / "catalog.json").write_text(json.dumps({"streams": [{**stream, "generation_id": 1}]}))

    def add(self, count: int) -> None:
        """More rows of the source."""
        self.asked += [Asked("think", f"doc-row-{len(self.asked) + number:05}") for number in range(count)]

    def sync(self, point: str = "", nth: int = 1, after: float = 0.0) -> bool:
        """Gives the rows since the last state, and listens until the destination ends; whether it was killed."""
        pipes = self._pipes()
        run = self._begin(self._command(), point, nth, after, pipes=pipes)
        with Path(pipes[0]).open("wb", buffering=0) as into, Path(pipes[1]).open("rb") as out:
            feeder = threading.Thread(target=self._feed, args=(into, self.covered), daemon=True)
            feeder.start()
            for line in out:
                self._hear(json.loads(line))
            feeder.join()
        code = run.wait()
        is_killed = code == -signal.SIGKILL
        self.kills += is_killed
        if code not in (0, 1) and not is_killed:
            raise AssertionError(f"{point}: exit code {code}\n{run.said[-3000:]}")
        self._take_troubles(run.said)
        return is_killed

    def settle(self) -> None:
        """Gives rows until a state covers them all, and then all of them once more, as after a reset."""
        for _ in range(MOST_PROCESSES):
            if self.covered == len(self.asked):
                break
            self.sync()
        for call in self.asked[: self.covered]:
            call.told = call.told or [{"isError": False, "structuredContent": {}}]
        self.covered = 0
        self.sync()

    def _command(self) -> list[str]:
        config = ["--config", "config.json"]
        if self.protocol == "singer":
            return ["singer", "target", *config]
        return ["airbyte", "destination", "write", *config, "--catalog", "catalog.json"]

    def _feed(self, into: Any, begin: int) -> None:
        with suppress(BrokenPipeError), into:
            if self.protocol == "singer":
                schema = {"properties": {"doc": {"type": "string"}}}
                self._send(into, {"type": "SCHEMA", "stream": STREAM, "schema": schema, "key_properties": ["doc"]})
            for place in range(begin, len(self.asked)):
                if not self.asked[place].told or not self.asked[place].told[-1]["isError"]:
                    self._send(into, self._record({"doc": self.asked[place].doc}))
                if (place + 1) % EACH == 0 or place + 1 == len(self.asked):
                    self._send(into, self._state(place + 1))

    def _record(self, row: Any) -> Any:
        if self.protocol == "singer":
            return {"type": "RECORD", "stream": STREAM, "record": row}
        return {"type": "RECORD", "record": {"stream": STREAM, "data": row, "emitted_at": 1}}

    def _state(self, place: int) -> Any:
        if self.protocol == "singer":
            return {"type": "STATE", "value": {"covered": place}}
        stream = {"stream_descriptor": {"name": STREAM}, "stream_state": {"covered": place}}
        return {"type": "STATE", "state": {"type": "STREAM", "stream": stream}}

    def _send(self, into: Any, message: Any) -> None:
        into.write(json.dumps(message).encode() + b"\n")

    def _hear(self, message: Any) -> None:
        if self.protocol == "singer":
            self.covered = message["covered"]
        elif message["type"] == "STATE":
            self.covered = message["state"]["stream"]["stream_state"]["covered"]
        elif message["type"] == "TRACE":
            self._take_troubles(message["trace"]["error"]["message"])

    def _take_troubles(self, said: str) -> None:
        """A row that may have been published waits for a person, who looks and goes on without it."""
        for line in said.splitlines():
            call = next((one for one in self.asked if f'"{one.doc}"' in line), None)
            if call is not None and "may have been published" in line:
                evidence = line.partition("[")[2]
                call.told.append({"isError": True, "structuredContent": {"state": "unknown", "evidence": evidence}})


def _at_points(platform: Platform, times: int) -> None:
    for nth in range(1, max(times, 1) + 1):
        for point in HOST_POINTS if times else HOST_POINTS[3::9]:
            platform.add(EACH + 1)
            platform.sync(point, nth)


def _at_random(platform: Platform, times: int) -> None:
    chance = Random(len(platform.folder.name))
    for _ in range((2, 10, 30)[min(times, 2)]):
        platform.add(8)
        platform.sync(after=chance.uniform(0.1, 0.8))


ROW_SCENARIOS: dict[str, tuple[Callable[[Platform, int], None], str, float]] = {
    "airbyte rows": (_at_points, "airbyte", 0.05),
    "airbyte rows, killed at random": (_at_random, "airbyte", 0.05),
    "singer rows, killed at random": (_at_random, "singer", 0.05),
}
"""What is done to the destination, by which protocol, and how often the upstream answers badly."""


def play_rows(
    name: str, folder: Path, warm: Begin, *, times: int = 1, seed: int = 1, mutants: tuple[str, ...] = ()
) -> Row:
    """What came of a scenario; 0 times is its shortest form."""
    act, protocol, faults = ROW_SCENARIOS[name]
    with closing(Platform(folder, warm, protocol=protocol, seed=seed, faults=faults, mutants=mutants)) as platform:
        act(platform, times)
        platform.settle()
        return platform.row(name)
