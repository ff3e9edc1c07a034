"""The guide's example, whole: its configuration, its workflow, and the command as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from temporalio.worker import Worker

from connector.yaml import read_document
from tests.docs.examples import blocks
from tests.hosts.judges import ROOT
from tests.hosts.temporal.rig import Server, Upstream
from tests.warm import command

PAGE = ROOT / "docs" / "guides" / "hosts" / "temporal.md"


async def test_the_example_of_the_guide_runs_from_its_command_to_its_result(server: Server, tmp_path: Path) -> None:
    files = {block.title: block.text for block in blocks(PAGE) if block.title}
    upstream = Upstream()
    async with upstream.listen():
        document: Any = read_document(files["connector.yaml"]).value
        document["clients"]["openai"]["parameters"]["base_uri"] = upstream.url
        document["temporal"]["address"] = server.address
        (tmp_path / "connector.yaml").write_text(json.dumps(document))
        names: dict[str, Any] = {"__name__": "greetings"}
        (tmp_path / "greetings.py").write_text(files["greetings.py"])
        sys.path.insert(0, str(tmp_path))
        try:
            exec(files["greetings.py"], names)
            client = await server.connect()
            process = await asyncio.create_subprocess_exec(
                *command(), "worker", "temporal", "-f", "connector.yaml",
                cwd=tmp_path, env={**os.environ, "OPENAI_API_KEY": "sk-made-up"}, stderr=subprocess.PIPE,
            )  # fmt: skip
            assert process.stderr is not None
            said = (await process.stderr.readline()).decode()
            assert said == f"activities on 'openai' of {server.address}, default: publish greet, call\n"
            async with Worker(client, task_queue="guide", workflows=[names["Greeting"]]):
                greeted = await client.execute_workflow("Greeting", "Ada", id="guide", task_queue="guide")
            process.terminate()
            assert await process.wait() == 0
        finally:
            sys.path.remove(str(tmp_path))
    assert greeted == "re: Greet Ada."
    assert len(upstream.posts) == 1
