"""A studio that is killed while programs publish and put documents: what it acknowledged is there, and once."""

from __future__ import annotations

import asyncio
import json
import os
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
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from connector.config.models.gateway import hash_token
from connector.engine import Filter, open_store
from tests.crash.configuration import CHAT
from tests.crash.running import ROOT
from tests.crash.table import Row

__all__ = ["PUBLISH_SCENARIOS", "play_published"]

TOKEN = "st-of-the-harness-0123456789abcdef"
ROUNDS = (3, 10, 40)
SOME = 6
ENDED = ("finished", "unknown")


class Caller:
    """A program that repeats with the same key what was not acknowledged, to a studio that it starts anew."""

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.kills = 0
        self.asked = 0
        self.told: dict[str, dict[str, Any]] = {}
        self.put: set[str] = set()
        self.recoveries: list[float] = []
        self._chance = Random(seed)
        self._upstream = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.upstream", str(folder), str(seed), "0.1"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._upstream.stdout is not None
        self._configure(f"http://127.0.0.1:{self._upstream.stdout.readline().strip()}/v1")

    def close(self) -> None:
        assert self._upstream.stdin is not None
        assert self._upstream.stdout is not None
        self._upstream.stdin.close()
        self._upstream.wait(10)
        self._upstream.stdout.close()

    def converse(self, *, is_killed: bool) -> None:
        """Start a studio, and send everything that has no end yet until all has one, or the studio is gone."""
        began = time.monotonic()
        command = [sys.executable, "-m", "connector", "studio", "-f", "connector.yaml", "--port", "0", "--no-open"]
        given: dict[str, Any] = {"cwd": self.folder, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **given) as studio:
            assert studio.stdout is not None
            url = studio.stdout.readline().strip().partition("/#")[0]
            timer = threading.Timer(self._chance.uniform(0.02, 0.8), studio.kill)
            if is_killed:
                timer.start()
            try:
                self._send_all(url)
                self.recoveries += [] if is_killed else [time.monotonic() - began]
            except OSError:
                pass  # it is gone
            timer.cancel()
            studio.send_signal(signal.SIGTERM)
            self.kills += studio.wait(20) == -signal.SIGKILL

    def row(self, name: str) -> Row:
        """What the upstream's record and the store say, held against what was acknowledged."""
        path = self.folder / "effects.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        effects = Counter(doc for line in lines for doc in json.loads(line)["documents"])
        tasks = Counter(asyncio.run(_keys(self.folder / "tasks.db")))
        breaches = [f"{key}: it took effect {times} times" for key, times in effects.items() if times > 1]
        breaches += [f"{key}: put, and {tasks[key]} tasks" for key in self.put if tasks[key] != 1]
        twice = len(breaches)
        unknown = [key for key, told in self.told.items() if told["state"] == "unknown"]
        lost = [key for key, told in self.told.items() if told["state"] not in ENDED]
        lost += [key for key, told in self.told.items() if told["state"] == "finished" and effects[key] != 1]
        breaches += [f"{key}: acknowledged, and then {self.told[key]}" for key in lost]
        breaches += [f"{key}: unknown without evidence" for key in unknown if not self.told[key]["doubts"]]
        asked = self.asked + len(self.put)
        return Row(name, self.kills, asked, len(lost), twice, 0, len(unknown), self.recoveries, breaches)

    def _send_all(self, url: str) -> None:
        for number in range(self.asked):
            key = f"doc-published-{number:05}"
            if self.told.get(key, {}).get("state") not in ENDED:
                prefer = "respond-async" if number % 2 and key not in self.told else "wait=20"
                self.told[key] = self._post(url, "outgoing/ask/publish", {"document": {"doc": key}}, key, prefer)
        for number in range(self.asked):
            key = f"doc-put-{number:05}"
            if key not in self.put:
                self._post(url, "routes/kept/documents", {"documents": [{"doc": key}]}, key, "respond-async")
                self.put.add(key)

    def _post(self, url: str, path: str, body: Any, key: str, prefer: str) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        headers |= {"Idempotency-Key": key, "Prefer": prefer}
        try:
            with urlopen(Request(f"{url}/api/v1/{path}", json.dumps(body).encode(), headers), timeout=40) as answer:
                return json.load(answer)
        except HTTPError as refused:
            raise AssertionError(f"{path}: {refused.code} {refused.read()[:300]!r}") from None

    def _configure(self, url: str) -> None:
        parameters = {"token": "any", "base_uri": url, "retry": {"max_retries": 0}, "timeouts": {"total": 1.0}}
        asks = {"client": "openai", "entity": "chat completions", "action": "create"}
        document = {
            "clients": {"openai": {"prototype": "openai", "parameters": parameters}},
            "incoming": {"none": {"subscriber": {"prototype": "file", "parameters": {"url": "none.jsonl"}}}},
            "outgoing": {
                "ask": {"publisher": {"prototype": "openai", "parameters": asks}, "request": {"payload": CHAT}},
                "nothing": {"publisher": {"prototype": "none"}},
            },
            "routes": {"kept": {"incoming": "none", "outgoing": "nothing", "key": "doc"}},
            "engine": "sqlite:///tasks.db",
            "studio": {"tokens": {"harness": {"hash": hash_token(TOKEN), "role": "operator"}}},
        }
        (self.folder / "connector.yaml").write_text(json.dumps(document))


async def _keys(path: Path) -> list[str]:
    store = await open_store(f"sqlite:///{path}", role="admin")
    try:
        return [task.key for task in await store.tasks(Filter(route="kept"), limit=100_000)]
    finally:
        await store.close()


def _killed_at_random(caller: Caller, times: int) -> None:
    for _ in range(ROUNDS[min(times, 2)]):
        caller.asked += SOME
        caller.converse(is_killed=True)
    for _ in range(8):
        caller.converse(is_killed=False)
        if all(told["state"] in ENDED for told in caller.told.values()) and len(caller.told) == caller.asked:
            break


PUBLISH_SCENARIOS: dict[str, Callable[[Caller, int], None]] = {"documents published and put": _killed_at_random}
"""What is done to the studio."""


def play_published(name: str, folder: Path, warm: object, *, times: int = 1, seed: int = 1) -> Row:
    """Return what came of a scenario; 0 times is its shortest form. The studio is a process of its own."""
    with closing(Caller(folder, seed)) as caller:
        PUBLISH_SCENARIOS[name](caller, times)
        return caller.row(name)
