"""Runs the official SDK's own tests of its resources against the sandbox: `python -m tools.sdk_suite FOLDER PYTHON`.

FOLDER is an unpacked source distribution of the SDK, PYTHON an interpreter with the SDK of that version and what its
tests need. The sandbox invents objects for unknown ids, as the server that the tests are made for does.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from connector.sandbox import Sandbox, in_thread

__all__ = ["main", "read_failures"]

TESTS = "tests/api_resources"
FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)
KNOWN = {
    r"test_embeddings\.py::Test(Async)?Embeddings::test_(method|raw_response|streaming_response)_create\[(strict|aiohttp)\]": (
        "the SDK asks for base64 by itself, and refuses the base64 that it gets while it validates strictly"
    ),
}
"""Failures that are the SDK's own, with the reason."""


def read_failures(output: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the failed tests that nothing explains, and those that are known with their reasons."""
    unknown: list[str] = []
    known: list[tuple[str, str]] = []
    for name in FAILED.findall(output):
        reason = next((why for pattern, why in KNOWN.items() if re.search(f"{pattern}$", name)), None)
        if reason is None:
            unknown.append(name)
        else:
            known.append((name, reason))
    return unknown, known


def main(arguments: list[str]) -> int:
    """Print how many tests passed, and each failure with its reason; 1 when one is unexplained."""
    if len(arguments) != 2 or not (Path(arguments[0]) / TESTS).is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    folder, python = arguments
    with in_thread(Sandbox(lenient=True, pace=0)) as sandbox:
        command = [python, "-m", "pytest", TESTS, "-q", "-rf", "-o", "addopts=--tb=no -n auto"]
        environment = {**os.environ, "TEST_API_BASE_URL": sandbox.url}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    unknown, known = read_failures(done.stdout)
    print((done.stdout.strip() or done.stderr.strip()).splitlines()[-1])
    for name, reason in known:
        print(f"known: {name}: {reason}")
    for name in unknown:
        print(f"failed: {name}")
    return 1 if unknown or done.returncode not in (0, 1) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
