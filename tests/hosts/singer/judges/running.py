"""Runs the Singer SDK's suites against a tap and a target: the commands themselves, or those with a mistake."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hosts.judges import ROOT, needed_judge, python_of, variables
from tests.hosts.rows import write_row
from tests.warm import command, mistaken

__all__ = ["STREAMS", "Judged", "program", "suite"]

HERE = Path(__file__).parent
RESULT = re.compile(r"^(PASSED|FAILED|ERROR) \S*::(\S+)", re.MULTILINE)
STREAMS = (
    "audit_logs", "chat_completion_messages", "chat_completions", "completions_usage", "costs", "files", "models",
    "organization_users", "vector_store_files", "vector_stores",
)  # fmt: skip
"""Streams of every kind; the sandbox has rows of each."""


@dataclass(frozen=True)
class Judged:
    """What the tests came to.

    Attributes:
        exchanges: what the target was given each time, and what it said; None where that was an error.
    """

    results: dict[str, str]
    exchanges: list[tuple[str, str | None]]
    said: str

    @property
    def rows(self) -> Counter[str]:
        """The rows that the target was given without an error, as compact JSON: each stream's equal rows once."""
        found: set[tuple[str, str]] = set()
        for given, said in self.exchanges:
            messages = [json.loads(line) for line in given.splitlines() if said is not None]
            records = [one for one in messages if one["type"] == "RECORD"]
            found |= {(one["stream"], write_row(one["record"])) for one in records}
        return Counter(row for _, row in found)


def program(mutant: str = "") -> Sequence[str]:
    """The words that begin a tap or target, of which one may have a mistake."""
    return [*(mistaken("tests.hosts.singer.mutants", mutant) if mutant else command()), "singer"]


def suite(folder: Path, tap: Any, target: Any, mutant: str = "", only: str = "Test") -> Judged:
    """Hold the SDK's tests against both, or against those of one class."""
    python = needed_judge(python_of("singer"))
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "suite.py", folder / "test_suite.py")
    for name, config in (("tap", tap), ("target", target)):
        (folder / f"{name}.json").write_text(json.dumps(config))
    asked = [str(python), "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-k", only, "test_suite.py"]
    done = subprocess.run(
        asked, cwd=folder, capture_output=True, text=True, timeout=400, check=False,
        env=variables(
            SINGER=shlex.join(program(mutant)), STREAMS=" ".join(STREAMS), PYTHONPATH=str(ROOT), PYTEST_ADDOPTS=""
        ),
    )  # fmt: skip
    notes = folder / "target.jsonl"
    found = [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []
    results = {name: result for result, name in RESULT.findall(done.stdout)}
    return Judged(results, [(one["given"], one["said"]) for one in found], done.stdout + done.stderr)
