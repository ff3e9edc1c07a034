"""A PostgreSQL of a test's own, to be killed and restarted."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

__all__ = ["Cluster"]

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


class Cluster:
    """Data in a folder of its own, a server on a free port of loopback."""

    def __init__(self) -> None:
        found = shutil.which("initdb") or next((str(path / "initdb") for path in BINARIES), "")
        if not found:
            if os.environ.get("CONNECTOR_REQUIRE_SERVICES"):
                pytest.fail("PostgreSQL's server programs are not installed")
            pytest.skip("PostgreSQL's server programs are not installed")
        self._programs = Path(found).parent
        self._folder = Path(tempfile.mkdtemp(prefix="connector-cluster-"))
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-A", "trust", "-U", "tester", "--no-sync", "-E", "UTF8")
        self.url = f"postgresql://tester@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        # What no commit asks for stays in memory for ten seconds, so that a crash can take it.
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self._folder} -c fsync=on -c wal_writer_delay=10s"
        self._control("start", "-w", "-o", options, "-l", str(self._folder / "log"))

    def stop(self, mode: str = "immediate") -> None:
        """`immediate` is how it goes when the machine loses power: nothing is written any more."""
        self._control("stop", "-m", mode)

    def remove(self) -> None:
        self._control("stop", "-m", "immediate", check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _control(self, *arguments: str, check: bool = True) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), *arguments, check=check)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command: Sequence[str] = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        subprocess.run(command, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder)
