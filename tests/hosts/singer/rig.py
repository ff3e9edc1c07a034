"""The tap and the target as a runner starts them: files in, lines of JSON in and out."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hosts.judges import ROOT
from tests.warm import command

__all__ = ["Said", "run"]


@dataclass
class Said:
    """What a process said, line by line, and how it ended."""

    code: int
    messages: list[Any]
    error: str

    def records(self, stream: str) -> list[Any]:
        return [one["record"] for one in self.messages if one["type"] == "RECORD" and one["stream"] == stream]


def run(folder: Path, *words: str, given: str = "", program: Sequence[str] = (), **files: Any) -> Said:
    """Run `openai-connector singer`, or another program, with words, and with files of JSON as options."""
    options: list[str] = []
    for name, content in files.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content))
        options += [f"--{name}", str(path)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    kept |= {"PYTHONPATH": str(ROOT)} if program else {}
    asked = [*(program or (*command(), "singer")), *words, *options]
    done = subprocess.run(
        asked, cwd=folder, env=kept, input=given, capture_output=True, text=True, timeout=60, check=False
    )
    return Said(done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr)
