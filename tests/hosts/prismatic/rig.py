"""A component package, and Spectral's own harness, which performs its actions as Prismatic would."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from connector.cli.app import app
from tests.hosts.judges import NODE, needed_judge, node_package, variables

__all__ = ["DAY", "Step", "export", "perform"]

DAY = "2026-11-29"
JUDGE = Path(__file__).parent / "judges" / "invoke.mjs"


@dataclass(frozen=True)
class Step:
    """One performance of an action.

    Attributes:
        connection: its kind, and its fields.
        context: what of the harness's context is another.
    """

    action: str
    params: dict[str, Any]
    connection: tuple[str, dict[str, str]]
    context: dict[str, Any] = field(default_factory=dict[str, Any])


def export(folder: Path, *operations: str, day: str = DAY, server: str = "") -> str:
    """Write the package; what the command prints of it."""
    chosen = [word for name in operations for word in ("--operation", name)]
    chosen += ["--server", server] if server else []
    done = CliRunner().invoke(app, ["export", "prismatic", "--into", str(folder), "--today", day, *chosen])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def perform(package: Path, *steps: Step) -> dict[str, Any]:
    """What the harness returns of steps, one after the other, and what the component has."""
    modules = needed_judge(node_package("prismatic"))
    calls = [
        {"action": one.action, "params": one.params, "connection": one.connection, "context": one.context}
        for one in steps
    ]
    done = subprocess.run(
        [str(needed_judge(NODE)), str(JUDGE), str(modules.parent)],
        input=json.dumps({"package": str(package), "calls": calls}),
        env=variables(NODE_PATH=str(modules)), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found
