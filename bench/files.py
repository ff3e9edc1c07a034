"""How many of the connector's files one document passes, from the command to the wire and back."""

from __future__ import annotations

import json
import subprocess
import sys

from bench.measure import ROOT, note
from bench.scale import Scale
from bench.table import Section, Target

__all__ = ["run"]

HEAD = ("one", "files", "calls")
WAYS = (
    ("run", "document of a run, with two chains and an answer in a file", 60),
    ("publish", "document of `publish`, with the same", 60),
    ("call", "`call`, from the command on", 50),
    ("client", "call of a client in Python", 50),
    ("gateway", "request through the gateway, with token, limits and budget", 30),
)


def run(_: Scale) -> Section:
    """Each way in a process of its own."""
    rows, targets, left_out = [], [], []
    for name, text, most in WAYS:
        note(f"files: {text}")
        try:
            passed = _passed(name)
        except subprocess.TimeoutExpired as error:
            left_out.append(f"{text} is left out: no result within {error.timeout:.0f} s.")
            continue
        rows.append((text, str(len(passed)), str(sum(passed.values()))))
        targets.append(Target(f"{text}: at most {most} files", len(passed) <= most, str(len(passed))))
    notes = ("Files of `connector/` whose functions run, in a process that has done the same before.", *left_out)
    return Section("files", HEAD, rows, targets, notes)


def _passed(name: str) -> dict[str, int]:
    command = [sys.executable, "-m", "bench.passed", name]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, timeout=120)
    if ended.returncode:
        sys.exit(f"bench: `{' '.join(command[1:])}` ended with {ended.returncode}")
    found: dict[str, int] = json.loads(ended.stdout)
    return found
