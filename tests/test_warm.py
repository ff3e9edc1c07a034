"""A command in a fork of a warm process is what it is in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import warm

COLD = [sys.executable, "-m", "connector"]
CONFIGURATION = """
incoming: {rows: {subscriber: {prototype: file, parameters: {url: "-", format: jsonl}}}}
outgoing: {to: {publisher: {prototype: file, parameters: {url: out.jsonl}}}}
"""


@pytest.mark.parametrize(
    "words", [["--version"], ["lint"], ["no-such-command"], ["variables"], ["call", "models", "lsit"], ["schema"]]
)
def test_it_says_the_same_and_ends_the_same(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "connector.yaml").write_text(CONFIGURATION)
    variables = {**os.environ, "OPENAI_API_KEY": "sk-none", "LANG": "C"}
    one, other = (
        subprocess.run([*begin, *words], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
        for begin in (COLD, warm.command())
    )
    assert (one.returncode, one.stdout) == (other.returncode, other.stdout)
    called = [found.stderr.replace("python -m connector", "openai-connector") for found in (one, other)]
    assert called[0] == called[1]


def begin(folder: Path) -> subprocess.Popen[str]:
    """Begin a command that goes on until it is given no more."""
    (folder / "connector.yaml").write_text(CONFIGURATION)
    command = [*warm.command(), "publish", "to"]
    found = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert found.stdin is not None
    assert found.stdout is not None
    found.stdin.write('{"id": 1}\n')
    found.stdin.flush()
    assert found.stdout.readline()
    return found


def test_a_signal_reaches_it(tmp_path: Path) -> None:
    with begin(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT


def test_a_kill_reaches_it(tmp_path: Path) -> None:
    """Nothing is left that holds the other ends of its files."""
    with begin(tmp_path) as process:
        assert process.stdout is not None
        process.kill()
        assert process.stdout.read() == ""
    assert process.returncode == -signal.SIGKILL
