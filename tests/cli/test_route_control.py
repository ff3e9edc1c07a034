"""`route pause`, `resume` and `run`: kept in the store, for the run that is at work or the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from typer.testing import CliRunner

from connector.cli.app import app
from connector.engine import Store, open_store
from connector.runtime.route_control import RUNS, read_pauses

Result = TypeVar("Result")
CONFIGURATION = """
incoming:
  in: {subscriber: {prototype: file, parameters: {url: in.jsonl}}}
  next: {subscriber: {prototype: route, parameters: {route: first}}}
outgoing: {out: {publisher: {prototype: none}, answer: {}}}
routes: {first: {incoming: in, outgoing: out}, second: {incoming: next, outgoing: out}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "connector.yaml").write_text(CONFIGURATION, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    look(lambda store: store.counts(), role="runner")
    return tmp_path


def look(question: Callable[[Store], Awaitable[Result]], role: str = "admin") -> Result:
    async def ask() -> Result:
        store = await open_store("sqlite:///connector.db", role="runner" if role == "runner" else "admin")
        try:
            return await question(store)
        finally:
            await store.close()

    return asyncio.run(ask())


def run(*words: str) -> str:
    done = CliRunner().invoke(app, ["route", *words])
    return done.output if done.exit_code == 0 else str(done.exception)


@pytest.mark.usefixtures("folder")
def test_a_route_is_paused_and_resumed() -> None:
    assert "route first is paused" in run("pause", "first", "--reason", "closed")
    assert look(read_pauses)["first"].reason == "closed"
    assert "goes on" in run("resume", "first")
    assert look(read_pauses) == {}
    assert "is not paused by hand" in run("resume", "first")


@pytest.mark.usefixtures("folder")
def test_a_route_is_to_be_read() -> None:
    assert "as soon as there is a run" in run("run", "first")
    assert list(look(lambda store: store.records(RUNS))) == ["first"]
    assert "reads the answers of route 'first'" in run("run", "second")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", ["pause", "resume", "run"])
def test_an_unknown_route_is_named(command: str) -> None:
    assert "did you mean 'first'" in run(command, "fisrt")
