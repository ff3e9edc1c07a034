"""What a run against the real API will cost, and whether somebody agrees to that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from connector.pipeline import load_configuration
from connector.telemetry.costs import Prices, Usage
from tools.demo_servers import ADDRESS, COMMAND, TOKEN, sandbox

__all__ = ["agreed"]

MODEL = "gpt-6-luna"
THOUGHT = 1000
"""Tokens that a model may think for each ticket, which are paid for like those it says."""


def agreed(rehearsal: Path, tickets: int, *, yes: bool) -> bool:
    """Says what it will cost, by a rehearsal in the sandbox and the known prices, and asks."""
    print(f"rehearsing {tickets} tickets in the sandbox to see what they need …", flush=True)
    found = _rehearsed(rehearsal)
    configuration = load_configuration(rehearsal / "connector.yaml")
    prices = Prices.over_registry(configuration.prices, configuration.currency)
    thought = tickets * THOUGHT
    cost = found["cost"] + (prices.compute_cost(MODEL, Usage(output=thought)) or 0.0)
    print(
        f"{sum(found['calls'].values())} calls to the real API, about {found['tokens']['input']:,} tokens in, "
        f"{found['tokens']['output']:,} out and at most {thought:,} of thought: about {cost:.3f} {found['currency']} "
        "at the prices that the connector knows",
        flush=True,
    )
    if yes:
        return True
    if not sys.stdin.isatty():
        print("nobody is there to ask; say --yes if that is fine")
        return False
    return input("send them? [y/N] ").strip().lower() in ("y", "yes")


def _rehearsed(folder: Path) -> dict[str, Any]:
    """The summary of a run against a sandbox."""
    with sandbox(folder) as api:
        command = [*COMMAND, "run", "--once", "--json", "-f", str(folder / "connector.yaml")]
        environment = {**os.environ, ADDRESS: api.url, TOKEN: "any"}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    return dict(json.loads(done.stdout))
