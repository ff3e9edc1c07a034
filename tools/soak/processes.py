"""The three processes of a soak, each with a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tools.soak.load import CALLER, TOKEN

__all__ = ["Soaked", "Trio", "start_all"]

FAULTS = ("429:0.02", "503:0.01", "500:0.01", "reset:0.01")
"""Five of a hundred calls."""
PATIENCE = 60.0
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Soaked:
    """A process that is watched, and the folder with its databases and what it says."""

    name: str
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def said(self) -> str:
        """The end of what it said."""
        return (self.folder / "said.txt").read_text(encoding="utf-8", errors="replace")[-2000:]


@dataclass(frozen=True)
class Trio:
    """All of them.

    Attributes:
        port: where the gateway listens.
        lines: the file that the run reads.
        configuration: that of the run.
    """

    processes: tuple[Soaked, ...]
    port: int
    lines: Path
    configuration: Path


@contextmanager
def start_all(folder: Path) -> Generator[Trio]:
    """Start a sandbox with faults, and a run and a gateway that call it; they are stopped at the end of the block."""
    with ExitStack() as stack:
        sandbox_port, port = _free_port(), _free_port()
        faults = [word for fault in FAULTS for word in ("--fault", fault)]
        sandbox = stack.enter_context(
            _started("sandbox", folder, ["sandbox", "--port", str(sandbox_port), "--seed", "1", *faults])
        )
        _wait_for(sandbox_port, sandbox)
        base = f"http://127.0.0.1:{sandbox_port}/v1"
        run = _configure(folder / "run", _run_document(base))
        lines = run.parent / "lines.jsonl"
        lines.touch()
        running = stack.enter_context(_started("run", folder, ["run", "-f", str(run)]))
        gateway = _configure(folder / "gateway", _gateway_document(base))
        serving = stack.enter_context(_started("gateway", folder, ["serve", "-f", str(gateway), "--port", str(port)]))
        _wait_for(port, serving)
        yield Trio((running, serving, sandbox), port, lines, run)


def _client(base: str) -> dict[str, Any]:
    return {"api": {"prototype": "openai-compatible", "parameters": {"base_uri": base, "token": TOKEN}}}


def _run_document(base: str) -> dict[str, Any]:
    asks = {"prototype": "openai", "parameters": {"client": "api", "entity": "chat completions", "action": "create"}}
    return {
        "clients": _client(base),
        "incoming": {"lines": {"subscriber": {"prototype": "file", "parameters": {"url": "lines.jsonl"}}}},
        "outgoing": {"asks": {"publisher": asks}},
        "routes": {"soak": {"incoming": "lines", "outgoing": "asks"}},
        "schedules": {"often": {"run": ["soak"], "every": "1s"}},
        "engine": "sqlite:///tasks.db",
    }


def _gateway_document(base: str) -> dict[str, Any]:
    token = {"hash": f"sha256:{sha256(CALLER.encode()).hexdigest()}", "clients": ["api"]}
    return {"clients": _client(base), "gateway": {"tokens": {"soak": token}}}


def _configure(folder: Path, document: dict[str, Any]) -> Path:
    folder.mkdir()
    file = folder / "connector.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


@contextmanager
def _started(name: str, folder: Path, words: list[str]) -> Generator[Soaked]:
    own = folder / name
    own.mkdir(exist_ok=True)
    with (own / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "connector", *words], cwd=own, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            env=_environment(),
        )  # fmt: skip
    try:
        yield Soaked(name, process, own)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def _wait_for(port: int, soaked: Soaked) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and soaked.process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit(f"soak: {soaked.name} does not listen: {soaked.said}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
