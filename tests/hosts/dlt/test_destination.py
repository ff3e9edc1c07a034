"""The destination in dlt's own pipeline: rows arrive once, and dlt is told of those that did not."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.dlt.judges.mistakes import DESTINATIONS
from tests.hosts.dlt.mutants import mispublished
from tests.hosts.dlt.rig import Ended, Judge, asking, silent
from tests.hosts.mcp.judges.serving import sandbox
from tests.hosts.rows import arrived, row_config
from tests.warm import command

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with sandbox() as address:
        yield address


def _offer(folder: Path, *names: str) -> None:
    with (folder / "rows.jsonl").open("a") as file:
        file.writelines(json.dumps({"doc": name, "name": name}) + "\n" for name in names)


def _publish(judge: Judge, folder: Path, url: str, *, settings: dict[str, Any] | None = None, **asked: Any) -> Ended:
    config = row_config(url, folder)
    ended = judge.run(folder, "publish.py", settings={**config, **(settings or {})}, **asked)
    assert ended.code == 0, ended.said[-3000:]
    assert "canary" not in ended.said
    return ended


def _arrived(url: str, letter: str) -> Counter[str]:
    return Counter({name: times for name, times in arrived(url).items() if name[0] == letter})


def test_the_rows_of_a_load_arrive_once_and_those_of_the_next_again(judge: Judge, tmp_path: Path, url: str) -> None:
    _offer(tmp_path, "a1", "a2", "a1")
    keyless = {"primary_key": None}
    told = _publish(judge, tmp_path, url, hints=keyless).told
    assert told["error"] == ""
    assert _arrived(url, "a") == {"a1": 2, "a2": 1}, "two rows that say the same are two rows"
    _offer(tmp_path, "a2")
    assert _publish(judge, tmp_path, url, hints=keyless).told["error"] == ""
    assert _arrived(url, "a") == {"a1": 2, "a2": 2}


@pytest.mark.parametrize("disposition", ["append", "merge"])
def test_a_row_with_a_key_is_published_again_only_when_it_has_changed(
    judge: Judge, tmp_path: Path, disposition: str
) -> None:
    merge = {"write_disposition": disposition}
    with sandbox() as url:
        _change_rows(judge, tmp_path, url, merge)


def _change_rows(judge: Judge, tmp_path: Path, url: str, merge: dict[str, str]) -> None:
    for place, names in {"here": ("b1", "b2"), "elsewhere": ("b1",), "a third folder": ()}.items():
        _offer(tmp_path, *names)
        assert _publish(judge, tmp_path, url, place=place, hints=merge).told["error"] == ""
    assert _arrived(url, "b") == {"b1": 1, "b2": 1}
    (tmp_path / "rows.jsonl").write_text(json.dumps({"doc": "b1", "name": "b1 changed"}))
    assert _publish(judge, tmp_path, url, place="a fourth", hints=merge).told["error"] == ""
    assert _arrived(url, "b") == {"b1": 1, "b2": 1, "b1 changed": 1}


def test_what_is_published_cannot_be_taken_back(judge: Judge, tmp_path: Path, url: str) -> None:
    _offer(tmp_path, "c1")
    told = _publish(judge, tmp_path, url, hints={"write_disposition": "replace"}).told
    assert "DestinationTerminalException" in told["kinds"]
    assert "tickets: its write disposition is 'replace'" in told["error"]
    assert _arrived(url, "c") == {}


def test_a_document_is_the_row_as_it_was_given(judge: Judge, tmp_path: Path, url: str) -> None:
    row = {"doc": "d", "name": "d &", "Nested": {"list": [1, {"x": None}]}}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    config = row_config(url, tmp_path)
    document = json.loads(config["configuration"])
    document["outgoing"]["shelve"]["publisher"] = {
        "prototype": "file",
        "parameters": {"url": "published.jsonl", "append": True},
    }
    del document["outgoing"]["shelve"]["request"]
    assert (
        _publish(judge, tmp_path, url, settings={"configuration": json.dumps(document)}, types=True).told["error"] == ""
    )
    [line] = (tmp_path / "published.jsonl").read_text().splitlines()
    typed = {"decimal": "1.50", "time": "2026-01-02T03:04:00+00:00", "bytes": "AAE="}
    assert json.loads(line) == {**row, **typed}


def test_a_row_that_is_refused_keeps_its_package_until_it_is_not(judge: Judge, tmp_path: Path, url: str) -> None:
    _offer(tmp_path, "e1", "e2")
    config = row_config(url, tmp_path)
    wrong = config["configuration"].replace('"&{name}"', '"&{no_such_name}"')
    told = _publish(judge, tmp_path, url, settings={"configuration": wrong}).told
    assert "DestinationTerminalException" in told["kinds"]
    assert "tickets: 2 rows were not published" in told["error"]
    assert "no_such_name" in told["error"]
    assert told["pending"]
    told = _publish(judge, tmp_path, url, is_resumed=True).told
    assert (told["error"], told["pending"]) == ("", False)
    assert _arrived(url, "e") == {"e1": 1, "e2": 1}


def test_a_key_that_is_refused_is_told_without_it(judge: Judge, tmp_path: Path) -> None:
    _offer(tmp_path, "f1")
    nowhere = "http://127.0.0.1:9/v1"
    told = _publish(judge, tmp_path, nowhere, settings={"patience": 0.1}).told
    assert "LoadClientJobRetry" in told["kinds"]
    assert "DestinationTransientException" in told["kinds"]
    assert told["pending"]
    for settings, why in (
        ({"outgoing": "shelf"}, "shelve"),
        ({"variables": "sk-canary-0123456789"}, "NAME=value"),
        ({"concurrency": 0}, "concurrency"),
        ({"engine": "mysql://u:sk-canary-0123456789@h/d"}, "engine"),
    ):
        told = _publish(judge, tmp_path, nowhere, settings=settings, is_resumed=True).told
        assert "DestinationTerminalException" in told["kinds"], told
        assert why in told["error"]


def test_a_row_that_may_have_been_published_is_told_and_waits_for_a_person(judge: Judge, tmp_path: Path) -> None:
    with silent() as posts:
        _offer(tmp_path, "g1")
        config = asking(posts.url, tmp_path)
        for number in range(2):
            told = judge.run(tmp_path, "publish.py", settings=config, is_resumed=number > 0).told
            assert "DestinationTerminalException" in told["kinds"]
            assert "(task 1) may have been published" in told["error"]
            assert "[chat completions create in attempt 1]" in told["error"]
            assert told["pending"]
        assert len(posts.bodies) == 1
        (tmp_path / "connector.yaml").write_text(config["configuration"])
        done = subprocess.run(
            [*command(), "tasks", "done", "1", "-f", "connector.yaml"],
            cwd=tmp_path, env={**os.environ, "KEY": "any"}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told = judge.run(tmp_path, "publish.py", settings=config, is_resumed=True).told
        assert (told["error"], told["pending"]) == ("", False)
        assert len(posts.bodies) == 1


@pytest.mark.parametrize("mutant", ["", *DESTINATIONS])
def test_mistakes_of_destinations_are_found(judge: Judge, tmp_path: Path, mutant: str) -> None:
    assert bool(mispublished(judge, tmp_path, mutant)) is bool(mutant)
