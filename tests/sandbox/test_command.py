"""The command as a person meets it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector.cli import main

COMMAND = [sys.executable, "-m", "connector", "sandbox"]


@contextmanager
def _started(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_stops_when_it_is_told_to(number: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("answers:\n  - answer: by the script\nfaults:\n  - {operation: models list, fault: 418}\n")
    with _started("--script", str(script), "--webhook", "http://127.0.0.1:9/hook") as (process, url):
        payload = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "hi"}]}
        headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{url}/chat/completions", json.dumps(payload).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["choices"][0]["message"]["content"] == "by the script"
        process.send_signal(number)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert f"OPENAI_BASE_URL={url}" in said
    assert "signed with whsec_" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fault", "resett:0.1"], "did you mean 'reset'"),
        (["--script", "nowhere.yaml"], "nowhere.yaml: the script cannot be read; no such file"),
        (["--script", "never.yaml"], "never.yaml faults[0].fault: found 'never'"),
        (["--state", "/dev/null/x"], "--state: /dev/null/x cannot be used"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("never.yaml").write_text("faults:\n  - {operation: models list, fault: never}\n")
    monkeypatch.setattr(sys, "argv", ["openai-connector", "sandbox", "--port", "0", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code != 0
    assert said in capfd.readouterr().err


def test_what_was_answered_is_kept_when_the_sandbox_is_killed(tmp_path: Path) -> None:
    state = str(tmp_path / "sandbox.db")
    headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
    with _started("--state", state) as (process, url):
        request = urllib.request.Request(f"{url}/organization/projects", b'{"name": "kept"}', headers)
        with urllib.request.urlopen(request) as answer:
            made = json.load(answer)
        process.kill()
    with _started("--state", state) as (_, url):
        request = urllib.request.Request(f"{url}/organization/projects", headers=headers)
        with urllib.request.urlopen(request) as answer:
            assert [one["id"] for one in json.load(answer)["data"]] == [made["id"]]
