"""`run`: once, as a service, stopped, refused."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connector.cli.app import app
from tests import warm
from tests.timing import wait_until
from tests.upstream import upstream

CONFIGURATION = """
clients:
  openai: {prototype: openai, parameters: {token: "${TRY_KEY}", base_uri: "URL", retry: {max_retries: 0}}}
incoming:
  tickets: {subscriber: {prototype: file, parameters: {url: in.jsonl}}}
outgoing:
  ask:
    request: {payload: {model: gpt-5-mini, messages: [{role: user, content: "&{text}"}]}}
    publisher: {prototype: openai, parameters: {client: openai, entity: chat completions}}
    answer:
      chain: [{expression: {expression: "{said: body.choices[0].message.content}"}}]
      publisher: {prototype: file, parameters: {url: out.jsonl}}
routes:
  asking: {incoming: tickets, outgoing: ask}
prices: {"gpt-5*": {input: 1.0, output: 10.0}}
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with upstream() as address:
        yield address


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> Path:
    """A folder with a configuration, which is the current one."""
    (tmp_path / "connector.yaml").write_text(CONFIGURATION.replace("URL", url))
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": f"t{n}"}) + "\n" for n in range(5)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRY_KEY", "sk-canary-0123456789")
    return tmp_path


@pytest.fixture
def run() -> Callable[..., Any]:
    def run(*arguments: str, documents: str = "") -> Any:
        return CliRunner().invoke(app, list(arguments), input=documents)

    return run


def test_once_prints_a_summary_and_a_second_run_has_nothing_to_do(folder: Path, run: Any) -> None:
    found = run("run", "--once")
    assert found.exit_code == 0, found.output
    summary = json.loads(found.stdout)
    assert summary["tasks"] == {"finished": 5}
    assert summary["tokens"] == {"input": 45, "cached_input": 0, "output": 15}
    assert summary["cost"] == pytest.approx(45e-6 + 150e-6)
    assert summary["read"] == {"asking": 5}
    assert len((folder / "out.jsonl").read_text().splitlines()) == 5
    again = json.loads(run("run", "--once").stdout)
    assert again["tasks"] == {}
    assert again["calls"] == {}


def test_a_reset_route_is_read_and_delivered_again(folder: Path, run: Any) -> None:
    run("run", "--once")
    found = run("run", "--once", "--reset", "asking")
    assert json.loads(found.stdout)["tasks"] == {"finished": 5}
    assert "goes out again" in found.stderr


def test_failed_tasks_are_told_by_the_exit_code(folder: Path, run: Any) -> None:
    (folder / "in.jsonl").write_text('{"text": "a"}\n{"none": 1}\n')
    found = run("run", "--once")
    assert found.exit_code == 1
    assert "1 task failed; `openai-connector tasks list --state failed` tells why" in found.stderr
    assert "sk-canary" not in found.output


@pytest.mark.parametrize(("arguments", "says"), [
    (["run", "--once", "askin"], "did you mean 'asking'"),
    (["run", "--once", "--workers", "4"], "belongs to one process"),
    (["run", "--once", "--reset", "nothing"], "unknown route 'nothing'"),
])  # fmt: skip
def test_what_cannot_run_is_said(folder: Path, run: Any, arguments: list[str], says: str) -> None:
    found = run(*arguments)
    assert found.exit_code != 0
    assert says in str(found.exception)


def test_a_key_that_is_missing_is_named_before_anything_is_taken(folder: Path, run: Any, monkeypatch: Any) -> None:
    monkeypatch.delenv("TRY_KEY")
    found = run("run", "--once")
    assert "TRY_KEY" in str(found.exception)


def test_two_runs_on_one_file_are_not_possible(folder: Path) -> None:
    first = _service()
    try:
        _wait_for(first, folder)
        second = subprocess.run(_command("run", "--once"), capture_output=True, timeout=60, check=False)
        assert second.returncode == 6
        assert str(first.pid).encode() in second.stderr
    finally:
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=30)


def test_a_service_goes_on_until_it_is_told_to_stop(folder: Path) -> None:
    process = _service()
    _wait_for(process, folder)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert json.loads(out)["tasks"] == {"finished": 5}
    assert b"stopping" in err
    assert b"Traceback" not in err


def test_a_second_signal_breaks_off(folder: Path) -> None:
    (folder / "connector.yaml").write_text(CONFIGURATION.replace("URL", "http://127.0.0.1:9"))
    process = _service("--once")
    wait_until(lambda: (folder / "connector.db").exists() or process.poll() is not None)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode in (128 + signal.SIGINT, -signal.SIGINT)


def _command(*arguments: str) -> list[str]:
    return [*warm.command(), *arguments]


def _service(*arguments: str) -> subprocess.Popen[bytes]:
    """Begins a run from nothing: its process has the number that others are told."""
    command = [sys.executable, "-m", "connector", "run", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ)


def _wait_for(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Returns when all documents have been answered."""
    out = folder / "out.jsonl"

    def is_done() -> bool:
        assert process.poll() is None, process.communicate()
        return out.exists() and len(out.read_text().splitlines()) >= 5

    wait_until(is_done)


def test_a_database_that_is_gone_is_begun_anew_only_when_asked(folder: Path, run: Any) -> None:
    run("run", "--once")
    for file in folder.glob("connector.db*"):
        if not file.name.endswith(".lock"):
            file.unlink()
    refused = subprocess.run(_command("run", "--once"), capture_output=True, timeout=60, check=False, text=True)
    assert refused.returncode == 6
    assert "it is not there any more, though earlier runs kept 5 tasks in it" in refused.stderr
    assert not (folder / "connector.db").exists()
    assert json.loads(run("run", "--once", "--new").stdout)["tasks"] == {"finished": 5}
    assert json.loads(run("run", "--once").stdout)["tasks"] == {}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_disk_that_is_full_at_the_start_is_waited_for(
    folder: Path, run: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    opens, left = os.open, [number, number]

    def fails(path: Any, *rest: Any, **more: Any) -> int:
        if "connector.db" in str(path) and left:
            raise OSError(left.pop(), os.strerror(number))
        return opens(path, *rest, **more)

    monkeypatch.setattr(os, "open", fails)
    found = run("run", "--once")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["tasks"] == {"finished": 5}
    told = f"connector.db: {os.strerror(number).lower()}; nothing was done; nothing is lost, it is tried again"
    assert [record.getMessage() for record in caplog.records if told in record.getMessage()]


def _changed(folder: Path, *changes: tuple[str, str]) -> None:
    text = (folder / "connector.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "connector.yaml").write_text(text)


RENAMED = ("  asking: {", "  renamed: {")


@pytest.mark.parametrize("also", [(), (("tickets", "reports"),), (("in.jsonl", "./in.jsonl"),)])
def test_a_route_of_another_name_reads_nothing_anew_unless_asked(
    folder: Path, run: Any, also: tuple[tuple[str, str], ...]
) -> None:
    run("run", "--once")
    _changed(folder, RENAMED, *also)
    refused = run("run", "--once")
    assert refused.exit_code != 0
    assert "route 'renamed' is new and reads incoming connection" in str(refused.exception)
    assert "from its start, as route 'asking' did" in str(refused.exception)
    assert json.loads(run("run", "--once", "--new").stdout)["tasks"] == {"finished": 5}
    assert json.loads(run("run", "--once").stdout)["tasks"] == {}


def test_a_route_that_has_its_name_back_goes_on(folder: Path, run: Any) -> None:
    run("run", "--once")
    text = (folder / "connector.yaml").read_text()
    _changed(folder, RENAMED)
    assert run("run", "--once").exit_code != 0
    (folder / "connector.yaml").write_text(text)
    assert json.loads(run("run", "--once").stdout)["tasks"] == {}


def test_a_route_beside_those_that_there_are_is_no_other_name(folder: Path, run: Any) -> None:
    run("run", "--once")
    _changed(folder, ("routes:\n", "routes:\n  second: {incoming: tickets, outgoing: ask}\n"))
    assert json.loads(run("run", "--once").stdout)["routes"]["second"] == {"finished": 5}


def test_a_route_that_reads_something_else_is_no_other_name(folder: Path, run: Any) -> None:
    run("run", "--once")
    (folder / "more.jsonl").write_text('{"text": "t9"}\n')
    _changed(folder, RENAMED, ("tickets", "more"), ("in.jsonl", "more.jsonl"))
    assert json.loads(run("run", "--once").stdout)["routes"]["renamed"] == {"finished": 1}


def test_another_engine_delivers_nothing_anew_unless_asked(folder: Path, run: Any) -> None:
    run("run", "--once")
    text = (folder / "connector.yaml").read_text()
    (folder / "connector.yaml").write_text(f"engine: sqlite:///other.db\n{text}")
    refused = run("run", "--once")
    assert refused.exit_code != 0
    assert f"whose earlier runs kept their tasks in {folder / 'connector.db'}" in str(refused.exception)
    (folder / "connector.yaml").write_text(text)
    assert json.loads(run("run", "--once").stdout)["tasks"] == {}
    (folder / "connector.yaml").write_text(f"engine: sqlite:///other.db\n{text}")
    assert json.loads(run("run", "--once", "--new").stdout)["tasks"] == {"finished": 5}
    assert json.loads(run("run", "--once").stdout)["tasks"] == {}


def test_a_database_that_was_moved_with_its_engine_goes_on(folder: Path, run: Any) -> None:
    run("run", "--once")
    for file in folder.glob("connector.db*"):
        file.rename(file.with_name(file.name.replace("connector", "moved")))
    text = (folder / "connector.yaml").read_text()
    (folder / "connector.yaml").write_text(f"engine: sqlite:///moved.db\n{text}")
    assert json.loads(run("run", "--once").stdout)["tasks"] == {}


def test_a_file_that_is_no_database_stops_nobody(folder: Path, run: Any) -> None:
    (folder / "poetry").write_text("not ours")
    (folder / "poetry.lock").write_text('{"database": "theirs"}')
    before = (folder / "poetry").stat().st_mode
    assert json.loads(run("run", "--once").stdout)["tasks"] == {"finished": 5}
    assert (folder / "poetry").read_text() == "not ours"
    assert (folder / "poetry").stat().st_mode == before
