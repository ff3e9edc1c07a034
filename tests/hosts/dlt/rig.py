"""Pipelines of dlt in processes of their own, before a sandbox of the API, and what came of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.crash.running import environment
from tests.hosts.airbyte.rig import KEYS, furnished
from tests.hosts.judges import ROOT, needed_judge, python_of, variables

__all__ = ["Ended", "Sandbox", "begin", "run", "sandboxed"]

HERE = Path(__file__).parent / "judges"
QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}

Plan = dict[str, Any] | None


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


def begin(
    folder: Path, script: str, asked: dict[str, Any], plan: dict[str, Any] | None = None
) -> subprocess.Popen[str]:
    """Start a process of dlt.

    Args:
        script: of the folder `judges`.
        plan: what is planted in the connector.
    """
    python = needed_judge(python_of("dlt"))
    planted = environment(plan) if plan is not None else {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [str(python), str(HERE / script), str(folder), json.dumps(asked)],
        cwd=folder, env={**variables(HOME=str(folder), DLT_DATA_DIR=str(folder / "dlt"), **QUIET), **planted},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def run(folder: Path, script: str, plan: Plan = None, **asked: Any) -> Ended:
    """How a process of dlt ended."""
    process = begin(folder, script, asked, plan)
    said, _ = process.communicate(timeout=200)
    last = said.strip().splitlines()[-1:] or [""]
    told = json.loads(last[0]) if process.returncode == 0 and last[0].startswith("{") else {}
    return Ended(process.returncode, told, said)
