"""A PostgreSQL server of the harness's own, which can be killed without harm to anybody else's."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["Cluster", "programs"]

OWNER = "postgres"
"""Who runs the server when we are root, which PostgreSQL will not be."""
SETTINGS = "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c shared_buffers=32MB"


def programs() -> Path | None:
    """The folder of PostgreSQL's own programs, of the newest version that is installed."""
    known = shutil.which("initdb")
    if known:
        return Path(known).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Cluster:
    """A server over a folder of its own, with one empty database."""

    def __init__(self) -> None:
        found = programs()
        if found is None:
            raise FileNotFoundError("initdb is not installed; a server of our own needs PostgreSQL's programs")
        self._programs = found
        self._folder = Path(tempfile.mkdtemp(prefix="crash-"))
        if os.getuid() == 0:
            shutil.chown(self._folder, OWNER)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._run("initdb", "-A", "trust", "-U", "crash", "-D", str(self._data))
        self.start()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self._port), "-U", "crash", "tasks")

    @property
    def url(self) -> str:
        return f"postgresql://crash@127.0.0.1:{self._port}/tasks"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        settings = SETTINGS.format(port=self._port, folder=self._folder)
        log = str(self._folder / "log")
        self._run("pg_ctl", "-w", "-t", "60", "-D", str(self._data), "-l", log, "-o", settings, "start")

    def kill(self) -> None:
        """Every process of the server ends at once, and nothing is brought to rest."""
        self._run("pg_ctl", "-w", "-D", str(self._data), "-m", "immediate", "stop")

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str) -> None:
        as_owner: dict[str, Any] = {"user": OWNER, "group": OWNER, "extra_groups": []} if os.getuid() == 0 else {}
        command = [str(self._programs / program), *arguments]
        # Into a file: a server that has begun would keep a pipe open.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(
                command, cwd="/", stdout=said, stderr=subprocess.STDOUT, timeout=120, check=False, **as_owner
            )
            said.seek(0)
            if done.returncode:
                raise RuntimeError(f"{program}: {said.read()}")
