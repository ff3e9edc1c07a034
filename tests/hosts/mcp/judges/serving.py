"""The command over HTTP, and a sandbox before it, each a process of its own."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hosts.judges import ROOT, variables
from tests.warm import command, mistaken

__all__ = ["TOKEN", "free_port", "sandbox", "serving", "started"]

TOKEN = "gw-a-token-for-judges-that-nobody-else-has-ever-had-0123456789"
ADDRESS = re.compile(r"http://\S+")


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


@contextmanager
def sandbox() -> Iterator[str]:
    """The address of a sandbox of the API."""
    with started([*command(), "sandbox", "--port", "0"], stream="stdout") as url:
        yield url


@contextmanager
def serving(folder: Path, document: dict[str, Any], mutant: str = "") -> Iterator[str]:
    """The address of a server of a configuration, without its path; of one with a mistake, if one is named."""
    path = folder / "connector.json"
    path.write_text(json.dumps(document))
    program = mistaken("tests.hosts.mcp.mutants", mutant) if mutant else command()
    words = [*program, "mcp", "-f", str(path), "--http", "127.0.0.1:0"]
    with started(words, stream="stderr", OPENAI_CONNECTOR_GATEWAY_TOKEN=TOKEN) as url:
        yield url.removesuffix("/mcp")


@contextmanager
def started(command: list[str], *, stream: str, folder: Path = ROOT, **more: str) -> Iterator[str]:
    """The address that a process prints, while it runs.

    Args:
        stream: where it prints that: `stdout` or `stderr`.
        more: variables of the process.
    """
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, env=variables(**more)
    )
    told, other = (process.stdout, process.stderr) if stream == "stdout" else (process.stderr, process.stdout)
    assert told is not None
    assert other is not None
    readers: list[threading.Thread] = []
    try:
        seen: list[str] = []
        for line in told:
            seen.append(line)
            found = ADDRESS.search(line)
            if found is not None:
                break
        else:
            raise AssertionError(f"{command} ended: {''.join(seen)}{other.read()}")
        readers = [threading.Thread(target=_drain, args=(pipe,), daemon=True) for pipe in (told, other)]
        for reader in readers:
            reader.start()
        yield found[0]
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for reader in readers:
            reader.join(5)
        told.close()
        other.close()


def _drain(pipe: Any) -> None:
    """Reads what is printed, so that nobody waits for somebody to read it."""
    for _ in pipe:
        pass
