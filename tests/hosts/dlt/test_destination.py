"""The destination in dlt's own pipeline: rows arrive once, and dlt is told of those that did not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.dlt.rig import Ended, run
from tests.hosts.mcp.judges.serving import sandbox
from tests.hosts.rows import arrived, row_config

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with sandbox() as address:
        yield address


def _offer(folder: Path, *names: str) -> None:
    with (folder / "rows.jsonl").open("a") as file:
        file.writelines(json.dumps({"doc": name, "name": name}) + "\n" for name in names)


def _publish(folder: Path, url: str, *, settings: dict[str, Any] | None = None, **asked: Any) -> Ended:
    config = row_config(url, folder)
    ended = run(folder, "publish.py", settings={**config, **(settings or {})}, **asked)
    assert ended.code == 0, ended.said[-3000:]
    assert "canary" not in ended.said
    return ended


def _arrived(url: str, letter: str) -> Counter[str]:
    return Counter({name: times for name, times in arrived(url).items() if name[0] == letter})


def test_rows_of_a_load_arrive_once_each_and_those_of_the_next_one_again(tmp_path: Path, url: str) -> None:
    _offer(tmp_path, "a1", "a2", "a1")
    told = _publish(tmp_path, url).told
    assert told["error"] == ""
    assert _arrived(url, "a") == {"a1": 2, "a2": 1}, "two rows that say the same are two rows"
    _offer(tmp_path, "a2")
    assert _publish(tmp_path, url).told["error"] == ""
    assert _arrived(url, "a") == {"a1": 2, "a2": 2}
