"""Copies of the examples at work against a sandbox."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connector.engine import open_store
from connector.http import Client
from connector.pipeline import Runtime, load_configuration
from connector.runtime.completion import RunResult
from connector.runtime.plan import Plan
from connector.runtime.runner import Runner
from connector.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
KEYS = {"OPENAI_API_KEY": "any", "OPENAI_ADMIN_KEY": "any"}


Make = Callable[[str], Awaitable["Example"]]


@dataclass
class Clock:
    """The sandbox's time; the connector has the real one."""

    behind: float = 0.0

    def __call__(self) -> float:
        return time.time() - self.behind


@dataclass
class Example:
    """A copy of an example, and a sandbox for it."""

    folder: Path
    sandbox: Sandbox
    clock: Clock
    environ: dict[str, str]

    async def run(self) -> RunResult:
        """Runs it until everything has come to its end."""
        configuration = load_configuration(self.folder / "connector.yaml", self.environ)
        store = await open_store(configuration.engine_url)
        try:
            async with Runtime(configuration) as runtime:
                return await Runner(runtime, store, Plan.of(configuration), once=True).run()
        finally:
            await store.close()

    def size(self, name: str) -> int:
        return (self.folder / "out" / name).stat().st_size

    def lines(self, name: str) -> list[Any]:
        """The documents of a file that was written."""
        return [json.loads(line) for line in (self.folder / "out" / name).read_text(encoding="utf-8").splitlines()]

    def asked(self, operation: str) -> list[Any]:
        """What arrived of an operation."""
        return [one for one in self.sandbox.requests if one["operation"] == operation]

    def client(self) -> Client:
        return Client(base_uri=self.sandbox.url, token="any", file_roots=[str(self.folder)])


@pytest.fixture
async def example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[str], Awaitable[Example]]]:
    """Makes a copy of an example; one a test."""
    clock = Clock()
    async with Sandbox(seed=1, pace=0.05, clock=clock) as sandbox:

        async def make(name: str) -> Example:
            folder = tmp_path / name
            shutil.copytree(EXAMPLES / name, folder)
            monkeypatch.chdir(folder)
            return Example(folder, sandbox, clock, {**KEYS, "OPENAI_BASE_URL": sandbox.url})

        yield make
