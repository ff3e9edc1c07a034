"""Pipelines of dlt in processes of their own, before a sandbox of the API, and what came of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any
from uuid import uuid4

import httpx

from tests.crash.running import Run, Warm
from tests.hosts.airbyte.rig import KEYS, furnished
from tests.hosts.judges import needed_judge, python_of
from tests.hosts.rows import row_config

__all__ = ["QUIET", "SCRIPTS", "Ended", "Judge", "Sandbox", "asking", "sandboxed", "silent"]

SCRIPTS = Path(__file__).parent / "judges"
QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}


@dataclass(frozen=True)
class Ended:
    """How a process of dlt ended.

    Attributes:
        told: its last line, where it came to its end.
    """

    code: int
    told: dict[str, Any]
    said: str


@dataclass(frozen=True)
class Sandbox:
    """The API that is read."""

    url: str
    client: httpx.Client

    def add_files(self, count: int) -> None:
        for number in range(count):
            name = f"more-{number}.txt"
            answer = self.client.post("/files", data={"purpose": "assistants"}, files={"file": (name, b"more")})
            answer.raise_for_status()

    def add_stores(self, count: int) -> None:
        for number in range(count):
            self.client.post("/vector_stores", json={"name": f"shelf {number}"}).raise_for_status()

    def wait_for_the_next_second(self) -> None:
        """What is made from now on is newer by the API's own clock, which counts seconds."""
        now = int(time.time())
        while int(time.time()) == now:
            time.sleep(0.02)

    def add_to_store(self) -> None:
        """Puts the newest file into the first vector store."""
        [store, *_], [file, *_] = self.list("/vector_stores"), self.list("/files")
        self.client.post(f"/vector_stores/{store['id']}/files", json={"file_id": file["id"]}).raise_for_status()

    def list(self, path: str) -> list[dict[str, Any]]:
        """Everything that a list has."""
        found: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            answer = self.client.get(path, params={"limit": 100, **after}).raise_for_status().json()
            found += answer["data"]
            if not answer.get("has_more"):
                return found
            after = {"after": found[-1]["id"]}


@contextmanager
def sandboxed() -> Iterator[Sandbox]:
    """A sandbox that has files, a vector store with a file, and a stored completion."""
    with furnished() as url:
        headers = {"Authorization": f"Bearer {KEYS['api_key']}", "OpenAI-Beta": "assistants=v2"}
        with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
            yield Sandbox(url, client)


class Judge:
    """Runs scripts of the folder `judges` with dlt, each in a process of its own."""

    def __init__(self) -> None:
        self._place = TemporaryDirectory()
        python = needed_judge(python_of("dlt"))
        kept = {"HOME": self._place.name, "DLT_DATA_DIR": self._place.name, **QUIET}
        words = [f"{name}={value}" for name, value in kept.items()]
        self._warm = Warm(command=("env", *words, str(python), "-m", "tests.hosts.dlt.judges.warm"))

    def close(self) -> None:
        self._warm.close()
        self._place.cleanup()

    def begin(self, folder: Path, script: str, asked: dict[str, Any], plan: dict[str, Any] | None = None) -> Run:
        """Start a script.

        Args:
            plan: what is planted in the connector.
        """
        whole = {
            "number": uuid4().hex, "folder": str(folder), "reached": str(folder / "reached"), "engine": "sqlite",
            "accepted": str(folder / "accepted"), "seed": 1, **(plan or {}),
        }  # fmt: skip
        return self._warm(folder, whole, [str(SCRIPTS / script), str(folder), json.dumps(asked)])

    def run(self, folder: Path, script: str, plan: dict[str, Any] | None = None, **asked: Any) -> Ended:
        """How a script ended."""
        run = self.begin(folder, script, asked, plan)
        code = run.wait()
        last = run.said.strip().splitlines()[-1:] or [""]
        return Ended(code, json.loads(last[0]) if code == 0 else {}, run.said)


@dataclass
class Silent:
    """An API that takes what is sent, and hangs up without an answer."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list[bytes])


@contextmanager
def silent() -> Iterator[Silent]:
    """Such an API on loopback."""
    found = Silent()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join(10)


def asking(url: str, folder: Path) -> dict[str, Any]:
    """The settings of a destination whose calls cannot be looked up afterwards."""
    config = row_config(url, folder)
    document = json.loads(config["configuration"])
    asks = {"client": "openai", "entity": "chat completions", "action": "create"}
    chat = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "&{name}"}]}
    document["outgoing"]["shelve"] = {
        "publisher": {"prototype": "openai", "parameters": asks},
        "request": {"payload": chat},
    }
    document["engine"] = config["engine"]
    return {**config, "configuration": json.dumps(document)}
