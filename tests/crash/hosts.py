"""An MCP client that repeats its tool calls when the server is killed, and what the upstream's record says of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.request import Request, urlopen

from tests.crash.configuration import CHAT
from tests.crash.host_mutants import HOST_MUTANTS
from tests.crash.planting import WIRE
from tests.crash.running import ROOT, Run
from tests.crash.table import Row
from tests.crash.upstream import MOMENTS

__all__ = ["HOST_POINTS", "HOST_SCENARIOS", "catch_host", "play_host"]

TOOLS = {
    "ask": ("POST /chat/completions",),
    "store": ("POST /vector_stores",),
    "think": ("POST /chat/completions", "POST /vector_stores"),
}
"""The tools, and what a call of each brings about upstream."""
KINDS, PLACES = ("accept", "intend", "end", "settle", "records"), ("before", "written", "committed")
HOST_POINTS = (
    *(f"sqlite.{kind}.{place}" for kind in KINDS for place in PLACES),
    "delivery.doubts.resolved", "delivery.intent.before", "delivery.intent.committed", "delivery.outcome.seen",
    "delivery.requests.done", *WIRE, *MOMENTS,
)  # fmt: skip
"""Where the server is killed."""
MOST_PROCESSES = 12
TOTAL, SETTLING = 1.0, 0.3
"""Seconds that a call may take, and that a list then has to show what it made."""
Begin = Callable[[Path, dict[str, Any], list[str]], Run]


@dataclass(slots=True)
class Asked:
    """One tool call of the client, and all that it was ever told of it."""

    tool: str
    doc: str
    told: list[dict[str, Any]] = field(default_factory=list)

    @property
    def last(self) -> dict[str, Any] | None:
        return self.told[-1] if self.told else None


class Client:
    """An MCP client with a server of its own, which it starts anew when it is gone.

    Args:
        is_keyed: whether it names its calls; else it only asks for the same again.
    """

    def __init__(
        self, folder: Path, warm: Begin, *, seed: int, faults: float, is_keyed: bool, mutants: tuple[str, ...]
    ) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.kills = 0
        self.asked: list[Asked] = []
        self.recoveries: list[float] = []
        self.missed: list[str] = []
        self.is_keyed = is_keyed
        self._warm = warm
        self._mutants = mutants
        self._processes = 0
        self._upstream = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.upstream", str(folder), str(seed), str(faults)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._upstream.stdout is not None
        self.url = f"http://127.0.0.1:{self._upstream.stdout.readline().strip()}"
        self._configure()

    def close(self) -> None:
        assert self._upstream.stdin is not None
        assert self._upstream.stdout is not None
        self._upstream.stdin.close()
        self._upstream.wait(10)
        self._upstream.stdout.close()

    def ask(self, count: int) -> None:
        """More calls, one of each tool a count."""
        for _ in range(count):
            self.asked += [Asked(tool, f"doc-mcp-{len(self.asked) + n:05}") for n, tool in enumerate(TOOLS)]

    def converse(self, calls: list[Asked], point: str = "", nth: int = 1, after: float = 0.0) -> bool:
        """Starts a server, makes calls, and listens until all are answered or it is gone; whether it was killed.

        Args:
            point: at which it is killed; `upstream.…` by the upstream.
            after: seconds after which it is killed.
        """
        pipes = self._pipes()
        run = self._begin(["mcp", "-f", "connector.yaml"], point, nth, after, pipes=pipes)
        began, open_calls = time.monotonic(), {str(number): call for number, call in enumerate(calls)}
        with Path(pipes[0]).open("wb", buffering=0) as into, Path(pipes[1]).open("rb") as out:
            with suppress(BrokenPipeError):
                into.writelines(self._line(number, call) for number, call in open_calls.items())
            for line in out:
                message = json.loads(line)
                call = open_calls.pop(str(message.get("id")), None)
                if call is not None:
                    call.told.append(message["result"])
                if not open_calls:
                    break
        is_killed = self._ended(run, point, sorted(open_calls))
        if not point and not after:
            self.recoveries.append(time.monotonic() - began)
        return is_killed

    def _pipes(self) -> list[str]:
        """The ends of a process that is told and tells."""
        pipes = [str(self.folder / f"{name}-{self._processes + 1}") for name in ("in", "out")]
        for path in pipes:
            os.mkfifo(path)
        return pipes

    def _begin(self, words: list[str], point: str = "", nth: int = 1, after: float = 0.0, **more: Any) -> Run:
        """Starts a process that is killed at a point, after some seconds, or not at all."""
        self._processes += 1
        trap = point if point.startswith("upstream.") else ""
        plan: dict[str, Any] = {
            "number": self._processes, "folder": str(self.folder), "reached": str(self.folder / "reached"),
            "accepted": str(self.folder / "accepted"), "engine": "sqlite", "seed": self._processes,
            "mutants": self._mutants, **more,
        }  # fmt: skip
        plan |= {"point": point, "nth": nth, "signal": "KILL"} if point and not trap else {}
        run = self._warm(self.folder, plan, words)
        if trap:
            self._tell("/trap", {"moment": trap, "left": nth, "pid": run.pid, "signal": signal.SIGKILL})
        if after:
            threading.Timer(after, run.send, (signal.SIGKILL,)).start()
        return run

    def _ended(self, run: Run, point: str, open_calls: list[str]) -> bool:
        """Waits for the end of a server; whether it was killed."""
        code = run.wait()
        is_killed = code == -signal.SIGKILL
        self.kills += is_killed
        if not is_killed and (code != 0 or open_calls):
            raise AssertionError(f"{point}: exit code {code}, not answered: {open_calls}\n{run.said[-3000:]}")
        self.missed += [point] if point and not is_killed else []
        return is_killed

    def settle(self) -> None:
        """Repeats what was not answered, and then everything that has a key, twice: no kill hides the second time."""
        for _ in range(MOST_PROCESSES):
            left = [call for call in self.asked if not call.told]
            if not left:
                break
            self.converse(left)
        for _ in range(2 if self.is_keyed else 0):
            self.converse(self.asked)

    def row(self, name: str) -> Row:
        """What the record says, held against what the client was told."""
        effects: Counter[tuple[str, str]] = Counter()
        path = self.folder / "effects.jsonl"
        for line in path.read_text().splitlines() if path.exists() else ():
            effect = json.loads(line)
            effects.update((effect["operation"], doc) for doc in effect["documents"])
        found = [_judge(call, [effects[operation, call.doc] for operation in TOOLS[call.tool]]) for call in self.asked]
        breaches = [why for _, why in found if why]
        kinds = Counter(kind for kind, _ in found)
        return Row(
            name, self.kills, len(found), kinds["lost"], kinds["twice"], 0, kinds["unknown"], self.recoveries, breaches
        )

    def _line(self, number: str, call: Asked) -> bytes:
        meta = {"_meta": {"openai-connector/key": call.doc}} if self.is_keyed else {}
        params = {"name": call.tool, "arguments": {"doc": call.doc}, **meta}
        return json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}).encode() + b"\n"

    def _configure(self) -> None:
        def to(entity: str, **more: Any) -> dict[str, Any]:
            return {"publisher": {"prototype": "openai", "parameters": {"client": "openai", "entity": entity}}, **more}

        named = {"payload": {"name": "&{doc}"}}
        thinks = {
            "openai": {
                "client": "openai",
                "entity": "chat completions",
                "action": "create",
                "payload": CHAT,
                "destination": "thought",
            }
        }
        parameters = {
            "token": "${KEY}", "base_uri": f"{self.url}/v1", "retry": {"max_retries": 0},
            "timeouts": {"total": TOTAL, "settling": SETTLING},
        }  # fmt: skip
        document = {
            "clients": {"openai": {"prototype": "openai", "parameters": parameters}},
            "outgoing": {
                "ask": to("chat completions", request={"payload": CHAT}),
                "store": to("vector stores", request=named),
                "think": to("vector stores", request=named, chain=[thinks]),
            },
            "mcp": {"engine": "sqlite:///calls.db", "attempts": 20},
        }
        (self.folder / "connector.yaml").write_text(json.dumps(document))

    def _tell(self, path: str, body: Any) -> None:
        asked = Request(f"{self.url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        urlopen(asked, timeout=10).close()


def _judge(call: Asked, times: list[int]) -> tuple[str, str]:
    """What became of a call: done, unknown, lost or twice; and what is wrong about it."""
    if call.last is None:
        return "lost", f"{call.doc}: {call.tool} was never answered"
    texts = {json.dumps(one.get("structuredContent"), sort_keys=True) for one in call.told if not one["isError"]}
    if len(texts) > 1:
        return "twice", f"{call.doc}: {call.tool} was answered in two ways"
    if max(times) > 1:
        return "twice", f"{call.doc}: {call.tool} took effect {max(times)} times, and its client was told {call.last}"
    state = (call.last.get("structuredContent") or {}).get("state")
    if not call.last["isError"]:
        wrong = f"{call.doc}: {call.tool} is done and took effect {times} times" if min(times) < 1 else ""
        return ("lost" if wrong else "done"), wrong
    if state == "unknown":
        has_evidence = bool(call.last["structuredContent"].get("evidence"))
        return "unknown", "" if has_evidence else f"{call.doc}: unknown without evidence"
    return "failed", f"{call.doc}: {call.tool} ended as {call.last['content'][0]['text'][:200]!r}; effects {times}"


def _at_points(client: Client, times: int) -> None:
    """At every point, the more often the longer; a few of them where there is no time for more."""
    for nth in range(1, max(times, 1) + 1):
        for point in HOST_POINTS if times else HOST_POINTS[3::9]:
            client.ask(1)
            client.converse([call for call in client.asked if not call.told][-6:], point, nth)


def _at_random(client: Client, times: int) -> None:
    chance = Random(len(client.folder.name))
    for _ in range((2, 6, 20)[min(times, 2)]):
        client.ask(3)
        client.converse([call for call in client.asked if not call.told], after=chance.uniform(0.1, 0.8))


HOST_SCENARIOS: dict[str, tuple[Callable[[Client, int], None], bool, float]] = {
    "tool calls repeated with a key": (_at_points, True, 0.1),
    "tool calls asked for again": (_at_points, False, 0.0),
    "tool calls, killed at random": (_at_random, True, 0.1),
}
"""What is done to the server, whether the client names its calls, and how often the upstream answers badly."""


def play_host(
    name: str, folder: Path, warm: Begin, *, times: int = 1, seed: int = 1, mutants: tuple[str, ...] = ()
) -> Row:
    """What came of a scenario; 0 times is its shortest form."""
    act, is_keyed, faults = HOST_SCENARIOS[name]
    with closing(Client(folder, warm, seed=seed, faults=faults, is_keyed=is_keyed, mutants=mutants)) as client:
        act(client, times)
        client.settle()
        return client.row(name)


def catch_host(name: str, folder: Path, warm: Begin, *, times: int = 1) -> list[str]:
    """The breaches by which a client finds a mutant; none when it does not."""
    try:
        return play_host(HOST_MUTANTS[name][1], folder, warm, times=times, mutants=(name,)).breaches
    except AssertionError as stuck:
        return [f"came to no end: {stuck}"]
