"""The sandbox, the gateway and the studio as processes of their own, on free ports of this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Generator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

__all__ = ["ADDRESS", "COMMAND", "TOKEN", "Server", "gateway", "sandbox", "studio"]

COMMAND = (sys.executable, "-m", "connector")
ADDRESS, TOKEN = "DEMO_BASE_URL", "DEMO_TOKEN"
"""The variables of a client that stays on this machine."""
LISTENS = re.compile(r"http://127\.0\.0\.1:\d+(/v1|/#code=[\w-]+)?")
CODE = re.compile(r"#code=[\w-]+")
"""What signs in whoever opens a link of the studio; it is in no log."""
GRACE = 10


class Server:
    """A server that has said where it listens."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self.url = url

    def wait(self) -> None:
        """Returns when it has ended."""
        self._process.wait()


@contextmanager
def sandbox(folder: Path) -> Generator[Server]:
    """The stand-in for the API; what it logs is kept in the folder."""
    with _started(["sandbox", "--port", "0"], {}, folder / "sandbox.log") as server:
        yield server


@contextmanager
def gateway(folder: Path, base_url: str, token: str) -> Generator[Server]:
    """The gateway of the folder's configuration, before another server."""
    environment = {ADDRESS: base_url, TOKEN: "any", "OPENAI_CONNECTOR_GATEWAY_TOKEN": token}
    command = ["serve", "-f", str(folder / "connector.yaml"), "--port", "0"]
    with _started(command, environment, folder / "gateway.log") as server:
        yield server


@contextmanager
def studio(folder: Path, base_url: str) -> Generator[Server]:
    """The studio of the folder's configuration, before the sandbox; its address is the link that signs in."""
    environment = {ADDRESS: base_url, TOKEN: "any"}
    command = ["studio", "-f", str(folder / "connector.yaml"), "--port", "0"]
    with _started(command, environment, folder / "studio.log") as server:
        yield server


@contextmanager
def _started(command: list[str], environment: Mapping[str, str], log: Path) -> Generator[Server]:
    """A command of the connector that runs as long as the block."""
    process = subprocess.Popen(
        [*COMMAND, *command],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C is for whoever started it
    )
    told: Future[str] = Future()
    listening = Thread(target=_listen, args=(process, log, told), name=command[0])
    listening.start()
    try:
        yield Server(process, told.result())
    finally:
        _stop(process)
        listening.join()


def _listen(process: subprocess.Popen[str], log: Path, told: Future[str]) -> None:
    """Keeps what a server says, and hears its address among it."""
    assert process.stdout is not None
    with process.stdout, log.open("w", encoding="utf-8") as kept:
        for line in process.stdout:
            kept.write(CODE.sub("", line))
            kept.flush()
            found = LISTENS.search(line)
            if found and not told.done():
                told.set_result(found[0])
    if not told.done():
        told.set_exception(SystemExit(f"nothing listens; {log} tells why"))


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
