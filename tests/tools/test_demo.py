"""`make run` as a person sees it: a run, servers that stay, commands that work as they are printed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.sandbox import Sandbox, in_thread

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-W", "error", "-m", "tools.demo"]


@pytest.fixture
def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    return kept | {"PYTHONPATH": str(ROOT)}


def run(arguments: list[str], environment: dict[str, str], folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [*DEMO, *arguments], env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        input="",
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def kept(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*DEMO, "--keep", "--tickets", "30"],
        env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def test_it_leaves_the_servers_up_and_prints_commands_that_work(
    kept: subprocess.Popen[str], environment: dict[str, str], tmp_path: Path
) -> None:
    assert kept.stdout is not None
    told: list[str] = []
    for line in kept.stdout:
        told.append(line)
        if "Ctrl-C" in line:
            break
    commands = [line.strip() for line in told if "openai-connector " in line]
    assert len(commands) == 3, told
    again, explained, models = [printed(command, environment, tmp_path) for command in commands]
    assert (again["calls"], again["read"]) == ({}, {"triage": 0, "moderation": 0, "vectors": 0})
    assert "It arrived broken." in explained["body"]["messages"][1]["content"]
    assert "gpt-5-mini" in models

    link = next(line.strip() for line in told if "#code=" in line)
    address, _, code = link.partition("/#code=")
    signed_in = httpx.post(f"{address}/api/v1/session", json={"code": code})
    assert signed_in.json()["environment"] == "sandbox"
    seen = httpx.get(f"{address}/api/v1/overview", cookies=signed_in.cookies).json()
    assert {route["name"]: route["counts"] for route in seen["routes"]}["triage"] == {"finished": 30}
    logs = [log.read_text() for log in tmp_path.rglob("*.log")]
    assert not any(code in log for log in logs)

    kept.send_signal(signal.SIGINT)
    assert kept.wait(20) == 0
    assert kept.stdout.read().split() == ["stopped"]
    for port in re.findall(r"http://127\.0\.0\.1:(\d+)", "".join(told[:2])):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(port)), timeout=5)


def printed(command: str, environment: dict[str, str], folder: Path) -> Any:
    done = subprocess.run(command, shell=True, env=environment, cwd=folder, capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout)


def test_without_a_terminal_it_ends_by_itself_and_never_calls_the_real_api(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with in_thread(Sandbox()) as real:
        keyed = environment | {"OPENAI_BASE_URL": real.url, "OPENAI_API_KEY": "sk-real"}
        code, told = run(["--tickets", "30"], keyed, tmp_path)
        assert not real.requests
    assert code == 0, told
    assert '"triage":{"finished":30}' in told
    assert "triaged.jsonl: 30 lines" in told
    assert "Traceback" not in told
    assert "warning" not in told.lower()


def test_live_needs_a_key(environment: dict[str, str], tmp_path: Path) -> None:
    code, told = run(["--live"], environment, tmp_path)
    assert (code, told) == (2, "--live needs a key: set OPENAI_API_KEY\n")


def test_live_says_what_it_costs_and_sends_what_is_new(environment: dict[str, str], tmp_path: Path) -> None:
    with in_thread(Sandbox()) as real:
        live = environment | {"OPENAI_BASE_URL": real.url, "OPENAI_API_KEY": "sk-real"}
        code, told = run(["--live"], live, tmp_path)
        assert code == 1
        assert "21 calls" in told
        assert "about 0.0" in told
        assert " USD at the prices that the connector knows" in told
        assert "nobody is there to ask" in told
        assert not real.requests

        code, told = run(["--live", "--yes"], live, tmp_path)
        assert code == 0, told
        assert len(real.requests) == 21
        code, told = run(["--live", "--yes", "--tickets", "12"], live, tmp_path)
        assert code == 0, told
        assert len(real.requests) == 21 + 2 + 2 + 1
