"""Incoming connections in dlt's own pipeline: files that grow, a cursor, what cannot be a row, and what is refused."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.dlt.rig import Judge, Sandbox, sandboxed

pytestmark = pytest.mark.long


ASKS = {"client": "openai", "entity": "models", "action": "list", "destination": "models"}
PAYING = {
    "subscriber": {"prototype": "file", "parameters": {"url": "tickets.jsonl"}},
    "chain": [{"openai": ASKS}],
}
"""A connection whose chain makes calls."""


def _declare(folder: Path, **more: Any) -> None:
    subscriber = {"prototype": "file", "parameters": {"url": "tickets.jsonl"}}
    steps = [{"value-setter": {"configurations": [{"key": "shout", "value": "&{name}!"}]}}]
    document = {"incoming": {"tickets": {"subscriber": subscriber, "chain": steps}}, **more}
    (folder / "connector.yaml").write_text(json.dumps(document))


def _offer(folder: Path, *names: str) -> None:
    with (folder / "tickets.jsonl").open("a") as file:
        file.writelines((name if name.startswith("{") else json.dumps({"name": name})) + "\n" for name in names)


def _tables(judge: Judge, folder: Path, **asked: Any) -> Any:
    ended = judge.run(folder, "connect.py", **asked)
    assert ended.code == 0, ended.said[-3000:]
    return ended.told["tables"]


def test_a_file_that_grows_is_read_on_and_what_is_no_row_is_told(judge: Judge, tmp_path: Path) -> None:
    _declare(tmp_path)
    _offer(tmp_path, "a", "b", "{broken", '{"no": "name"}')
    tables = _tables(judge, tmp_path)
    assert [row["shout"] for row in tables["tickets"]] == ["a!", "b!"]
    assert [(row["place"], bool(row["reason"])) for row in tables["tickets_failed"]] == [(3, True), (4, True)]
    killed = judge.run(tmp_path, "connect.py", point="dlt.extract.after")
    assert killed.code == -signal.SIGKILL
    _offer(tmp_path, "c")
    assert judge.run(tmp_path, "connect.py", point="dlt.job.after").code == -signal.SIGKILL
    for _ in range(2):
        tables = _tables(judge, tmp_path)
        assert sorted(row["name"] for row in tables["tickets"]) == ["a", "b", "c"]
        assert len(tables["tickets_failed"]) == 2


def test_a_cursor_is_kept_and_a_connection_without_one_is_read_whole(judge: Judge, tmp_path: Path) -> None:
    with sandboxed() as api:
        _check_cursor(judge, tmp_path, api)


def _check_cursor(judge: Judge, folder: Path, api: Sandbox) -> None:
    client = {"prototype": "openai", "parameters": {"token": "any", "base_uri": api.url}}
    files = {"prototype": "openai", "parameters": {"client": "openai", "entity": "files"}}
    document = {
        "clients": {"openai": client},
        "incoming": {"files": {"subscriber": files, "cursor": {"field": "created_at"}}, "whole": {"subscriber": files}},
    }
    (folder / "connector.yaml").write_text(json.dumps(document))
    ended = judge.run(folder, "connect.py")
    assert ended.code == 0, ended.said[-3000:]
    ids = sorted(one["id"] for one in api.list("/files"))
    assert sorted(row["id"] for row in ended.told["tables"]["files"]) == ids
    newest = max(one["created_at"] for one in api.list("/files"))
    assert ended.told["state"]["incoming"]["resources"]["files"]["position"] == {"cursor": newest}
    for _ in range(2):
        assert sorted(row["id"] for row in _tables(judge, folder, source={"names": ["whole"]})["whole"]) == ids


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"storages": {"seen": {"path": "seen"}}}, "has storages"),
        ({"incoming": {}}, "tickets"),
        ({"incoming": {"tickets": PAYING}, "clients": {"openai": {"prototype": "openai"}}}, "makes calls"),
    ],
)
def test_what_a_repeat_would_break_is_refused(judge: Judge, tmp_path: Path, more: Any, why: str) -> None:
    _declare(tmp_path, **more)
    _offer(tmp_path, "a")
    ended = judge.run(tmp_path, "connect.py", source={"names": ["tickets"]})
    assert ended.code != 0
    assert why in ended.said
