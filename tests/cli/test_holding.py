"""A run that cannot go on says why, how many tasks wait, and since when; and ends where waiting is in vain."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import socket
import sqlite3
import subprocess
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from connector.engine import Carrier, Change, NewTask, open_store
from tests import warm
from tests.timing import wait_until

SQL = """
incoming:
  rows: {subscriber: {prototype: file, parameters: {url: in.jsonl}}}
outgoing:
  to: {publisher: {prototype: sql, parameters: {url: "URL", table: rows}}}
routes:
  r: {incoming: rows, outgoing: to}
"""
FILES = """
incoming:
  rows: {subscriber: {prototype: file, parameters: {url: in.jsonl}}}
outgoing:
  to: {publisher: {prototype: file, parameters: {url: "PATH"}}}
routes:
  r: {incoming: rows, outgoing: to}
"""
CHAIN = """
clients:
  away: {prototype: http, parameters: {base_uri: "URL", retry: {max_retries: 0}}}
incoming:
  rows: {subscriber: {prototype: file, parameters: {url: in.jsonl}}}
outgoing:
  to:
    chain: [{http: {client: away, request: {method: GET, url: /x}}}]
    publisher: {prototype: file, parameters: {url: out.jsonl}}
routes:
  r: {incoming: rows, outgoing: to}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"id": number}) + "\n" for number in range(200)))
    return tmp_path


def oc(*arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    command = [*warm.command(), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)


def test_a_missing_table_ends_the_run_with_that_sentence(folder: Path) -> None:
    pytest.importorskip("sqlalchemy")
    (folder / "connector.yaml").write_text(SQL.replace("URL", "sqlite:///db.sqlite"))
    found = oc("run", "--once")
    assert found.returncode == 6, found.stderr
    assert "200 tasks of route r wait: it is paused: sql: there is no table 'rows'; create it first" in found.stderr
    summary = json.loads(found.stdout)
    assert summary["left"] == {"r": 200}
    (hold,) = summary["holds"]
    assert hold.startswith("route r: 200 tasks wait since ")
    listed = oc("tasks", "list")
    assert "route r: 200 tasks wait since" in listed.stderr
    assert "sql: there is no table 'rows'; create it first; mend that" in listed.stderr
    states = [json.loads(line)["state"] for line in listed.stdout.splitlines()]
    assert "waiting" in states
    assert "new; --all shows them" in listed.stderr
    with closing(sqlite3.connect(folder / "db.sqlite")) as database, database:
        database.execute("create table rows (id integer)")
    again = oc("run", "--once")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["tasks"] == {"finished": 200}
    listed = oc("tasks", "list")
    assert "wait since" not in listed.stderr
    assert "… 200 finished; --all shows them" in listed.stderr


def test_an_answer_whose_table_is_missing_ends_the_run_too(folder: Path) -> None:
    pytest.importorskip("sqlalchemy")
    answer = "answer: {publisher: {prototype: sql, parameters: {url: 'sqlite:///db.sqlite', table: t}}}"
    text = FILES.replace("PATH", "out.jsonl").replace("}}}\nroutes", f"}}}}, {answer}}}\nroutes")
    (folder / "connector.yaml").write_text(text)
    found = oc("run", "--once")
    assert found.returncode == 6, found.stderr
    assert "200 tasks of route r:answer wait: it is paused: sql: there is no table 't'" in found.stderr


@pytest.mark.parametrize("path", ["taken/out.jsonl", "folder.jsonl"])
def test_a_file_that_cannot_be_written_ends_the_run(folder: Path, path: str) -> None:
    (folder / "taken").write_text("a file where a folder should be")
    (folder / "folder.jsonl").mkdir()
    (folder / "connector.yaml").write_text(FILES.replace("PATH", path))
    found = oc("run", "--once")
    assert found.returncode == 6, found.stderr
    assert "its lines are kept until it can; the next run writes them" in found.stderr
    (folder / "folder.jsonl").rmdir()
    (folder / "taken").unlink()
    assert oc("run", "--once").returncode == 0
    assert len((folder / path).read_text().splitlines()) == 200


def test_files_of_their_own_that_cannot_be_written_end_the_run(folder: Path) -> None:
    (folder / "taken").write_text("a file where a folder should be")
    (folder / "connector.yaml").write_text(FILES.replace("PATH", "taken/&{id}.json"))
    found = oc("run", "--once")
    assert found.returncode == 6, found.stderr
    assert "cannot write" in found.stderr
    (folder / "taken").unlink()
    assert oc("run", "--once", seconds=120).returncode == 0


class Refuses(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def test_a_client_of_a_chain_that_is_not_let_in_ends_the_run(folder: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        text = CHAIN.replace("URL", f"http://127.0.0.1:{server.server_port}")
        (folder / "connector.yaml").write_text(text)
        found = oc("run", "--once")
    finally:
        server.shutdown()
        server.server_close()
    assert found.returncode == 5, found.stderr
    assert "check the client's key" in found.stderr
    assert "200 tasks of route r wait" in found.stderr


def test_a_dead_host_is_said_while_it_lasts_and_when_the_run_is_stopped(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    (folder / "connector.yaml").write_text(CHAIN.replace("URL", f"http://127.0.0.1:{port}"))
    command = [*warm.command(), "run", "--once"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    said = run.stderr.readline()
    while said and "tasks wait since" not in said:
        said = run.stderr.readline()
    assert "route r: 200 tasks wait since" in said
    assert "they go on when it is back" in said
    run.send_signal(signal.SIGINT)
    _, rest = run.communicate(timeout=60)
    assert "stopping" in rest
    assert rest.count("tasks wait since") >= 1
    assert run.returncode == 128 + signal.SIGINT


def test_a_disk_without_space_is_no_permanent_fault() -> None:
    from connector.publishers.output_file import is_permanent

    assert is_permanent(FileNotFoundError(errno.ENOENT, ""))
    assert not is_permanent(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))


@pytest.mark.parametrize("now", [True, False])
def test_a_retried_task_is_queued_or_delivered_now(folder: Path, now: bool) -> None:
    pytest.importorskip("sqlalchemy")
    with closing(sqlite3.connect(folder / "db.sqlite")) as database, database:
        database.execute("create table rows (id integer check (id < 1))")
    (folder / "connector.yaml").write_text(SQL.replace("URL", "sqlite:///db.sqlite"))
    assert oc("run", "--once").returncode == 1
    with closing(sqlite3.connect(folder / "db.sqlite")) as database, database:
        database.execute("drop table rows")
        database.execute("create table rows (id integer)")
    with (folder / "in.jsonl").open("a") as file:
        file.write('{"id": 999}\n')
    found = oc("tasks", "retry", "2", *(["--now"] if now else []))
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout.splitlines()[0]) == {"retried": 1}
    shown = json.loads(oc("tasks", "list", "2").stdout)
    assert shown["state"] == ("finished" if now else "new")
    if not now:
        assert "the next `run`; `tasks retry --now` delivers at once" in found.stderr
    listed = oc("tasks", "list", "--state", "all", "--limit", "1000").stdout.splitlines()
    assert len(listed) == 200, "nothing new is read"


def test_a_run_at_work_takes_what_is_retried(folder: Path) -> None:
    pytest.importorskip("sqlalchemy")
    (folder / "in.jsonl").write_text('{"id": 1}\n{"id": 2}\n')
    with closing(sqlite3.connect(folder / "db.sqlite")) as database, database:
        database.execute("create table rows (id integer check (id < 2))")
    (folder / "connector.yaml").write_text(SQL.replace("URL", "sqlite:///db.sqlite"))
    command = [*warm.command(), "run"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: '"failed"' in oc("tasks", "list", "--state", "failed").stdout)
        found = oc("tasks", "retry", "2", "--now")
        assert found.returncode == 0, found.stderr
        assert "a run is at work: it takes them by itself" in found.stderr
    finally:
        run.terminate()
        run.wait(60)


@pytest.mark.parametrize("more", ["", '{"id": 7}\n'])
async def test_tasks_in_batches_of_a_route_that_has_none_any_more_end_the_run(folder: Path, more: str) -> None:
    (folder / "in.jsonl").write_text(more)
    (folder / "connector.yaml").write_text(FILES.replace("PATH", "out.jsonl"))
    store = await open_store(f"sqlite:///{folder / 'connector.db'}")
    ids = (await store.commit(Change(accept=[NewTask(route="r", document={"id": n}) for n in range(3)]))).accepted
    await store.lease("r", 10)
    carrier = NewTask(route="r:batch", document={"file": "file-1"})
    await store.commit(Change(carry=[Carrier(carrier=carrier, members=ids)]))
    await store.close()
    found = await asyncio.to_thread(oc, "run", "--once")
    assert found.returncode == 5, found.stderr
    assert "3 tasks of route r wait: it is paused: they are in batches that are under way" in found.stderr
    assert "`transport: batch`" in found.stderr
    assert json.loads(found.stdout)["tasks"] == ({"finished": 1} if more else {})
    listed = await asyncio.to_thread(oc, "tasks", "list")
    assert "they are in batches that are under way" in listed.stderr


async def test_tasks_of_a_route_that_was_removed_or_renamed_are_told(folder: Path) -> None:
    (folder / "connector.yaml").write_text(FILES.replace("PATH", "out.jsonl"))
    store = await open_store(f"sqlite:///{folder / 'connector.db'}")
    await store.commit(Change(accept=[NewTask(route="renamed", document=1), NewTask(route="r:answer", document=1)]))
    await store.close()
    found = await asyncio.to_thread(oc, "run", "--once")
    assert "1 task of route renamed waits: the configuration has no such route" in found.stderr
    assert "1 task of route r:answer waits: the configuration has no such route" in found.stderr
