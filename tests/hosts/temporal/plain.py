"""The same workflows over activities as most people write them: what is killed is paid for again.

`python -m tests.hosts.temporal.plain` kills their worker as `python -m tests.crash "killed at random"` kills ours, and
prints the same table. `python -m tests.hosts.temporal.plain ADDRESS QUEUE URL` is such a worker.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from tests.crash.hosts import TOOLS
from tests.crash.running import ROOT, Run, Warm
from tests.crash.table import table
from tests.crash.temporal import QUEUE, Workflows, play
from tests.hosts.temporal.rig import Server


class Plain(Workflows):
    """Workflows whose worker knows no journal."""

    def work(self, point: str = "", nth: int = 1) -> Run:
        assert not point
        said = self.folder / "said"
        with said.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.hosts.temporal.plain", self.server.address, QUEUE, self.url],
                cwd=ROOT, stdout=output, stderr=output,
            )  # fmt: skip
        return Run(process.pid, lambda: process.wait(90), said)


async def work(address: str, queue: str, url: str) -> None:
    """Posts what it is asked to, and lets Temporal repeat what failed."""
    async with httpx.AsyncClient(base_url=url, timeout=5) as http:

        def make(tool: str) -> Any:
            async def post(document: dict[str, Any]) -> Any:
                beat = asyncio.create_task(_beat())
                try:
                    for operation in TOOLS[tool]:
                        answer = await http.post(f"/v1{operation.partition(' ')[2]}", json=document)
                        answer.raise_for_status()
                    return answer.json()
                finally:
                    beat.cancel()

            return activity.defn(name=f"publish {tool}")(post)

        client = await Client.connect(address)
        async with Worker(client, task_queue=queue, activities=[make(tool) for tool in TOOLS]):
            await asyncio.Event().wait()


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.3)


def main() -> None:
    if sys.argv[1:]:
        asyncio.run(work(*sys.argv[1:]))
        return
    with TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            with closing(Plain(Path(folder) / "plain", Warm(), server, seed=1, mutants=())) as own:
                asyncio.run(play(own, "random", 1))
                sys.stdout.write(f"{table([own.row('plain activities, killed at random')])}\n")
        finally:
            server.kill()


if __name__ == "__main__":
    main()
