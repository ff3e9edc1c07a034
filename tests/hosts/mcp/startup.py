"""`python -m tests.hosts.mcp.startup`: from the start of the command to its first list of tools, over its pipe."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.hosts.judges import variables
from tests.hosts.mcp.rig import CONFIGURATION

__all__ = ["Started", "import_typer", "start"]

COMMAND = Path(sys.executable).with_name("openai-connector")
CLIENT = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


@dataclass(frozen=True, slots=True)
class Started:
    """How long a start took, and what came of it.

    Attributes:
        wall: seconds.
        cpu: seconds of the processor, of user and system.
    """

    wall: float
    cpu: float
    tools: list[Any]


def start(folder: Path) -> Started:
    """Starts the command on a configuration, asks for the tools, and ends it."""
    path = folder / "connector.json"
    path.write_text(json.dumps(CONFIGURATION))
    messages = [{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": CLIENT},
                {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(COMMAND), "mcp", "-f", str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables()
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(b"".join(json.dumps(message).encode() + b"\n" for message in messages))
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in messages]
        wall = time.perf_counter() - began
        process.kill()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    listed = next(answer for answer in answers if answer["id"] == 2)
    return Started(wall, cpu, listed["result"]["tools"])


def import_typer() -> float:
    """CPU seconds of an import that the command begins with: how quick this machine is now."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import typer"], env=variables(), check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    with TemporaryDirectory() as folder:
        start(Path(folder))
        runs = [start(Path(folder)) for _ in range(7)]
        imports = [import_typer() for _ in range(7)]
    size = len(json.dumps(runs[0].tools))
    for name, values in (
        ("wall", [run.wall for run in runs]),
        ("cpu", [run.cpu for run in runs]),
        ("cpu of `import typer`", imports),
    ):
        values.sort()
        sys.stdout.write(
            f"{name}: least {values[0]:.3f} s, median {values[len(values) // 2]:.3f} s, most {values[-1]:.3f} s\n"
        )
    sys.stdout.write(f"{len(runs[0].tools)} tools in {size:,} bytes\n")


if __name__ == "__main__":
    main()
