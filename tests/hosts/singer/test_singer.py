"""The tap and the target as a runner starts them: selection, bookmarks, and rows that arrive once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.airbyte.rig import KEYS
from tests.hosts.rows import arrived, row_config
from tests.hosts.singer.rig import run


def _run(folder: Path, *words: str, code: int = 0, **given: Any) -> tuple[list[Any], str]:
    """What a command printed, line by line, and what it said."""
    said = run(folder, *words, **given)
    assert said.code == code, said.error
    assert "canary" not in said.error
    return said.messages, said.error


def _choose(catalog: Any, *names: str, without: tuple[str, ...] = (), **about: Any) -> Any:
    """A catalog that selects some streams, without some of their fields."""
    for stream in catalog["streams"]:
        for one in stream["metadata"]:
            if not one["breadcrumb"]:
                one["metadata"] |= {"selected": stream["stream"] in names, **about}
            elif one["breadcrumb"][1] in without:
                one["metadata"]["selected"] = False
    return catalog


def _discover(folder: Path, api: str) -> Any:
    [catalog], _ = _run(folder, "tap", "--discover", config={**KEYS, "base_uri": api})
    return catalog


def test_discover_names_keys_cursors_and_what_must_be_selected(tmp_path: Path, api: str) -> None:
    streams = {one["tap_stream_id"]: one for one in _discover(tmp_path, api)["streams"]}
    files = streams["files"]
    assert files["key_properties"] == ["id"]
    about = {tuple(one["breadcrumb"]): one["metadata"] for one in files["metadata"]}
    assert about[()]["valid-replication-keys"] == ["created_at"]
    automatic = {place[1] for place, one in about.items() if one["inclusion"] == "automatic"}
    assert automatic == {"id", "created_at"}
    assert streams["models"]["metadata"][0]["metadata"]["forced-replication-method"] == "FULL_TABLE"


def test_only_what_is_selected_is_read_with_its_schema_first_and_its_state_last(tmp_path: Path, api: str) -> None:
    catalog = _choose(_discover(tmp_path, api), "files", "vector_store_files", without=("bytes", "id"))
    said, _ = _run(tmp_path, "tap", config={**KEYS, "base_uri": api}, catalog=catalog)
    kinds = [(one["type"], one.get("stream")) for one in said]
    first = [("SCHEMA", "files"), *[("RECORD", "files")] * 3, ("STATE", None)]
    assert sorted(kinds[:5], key=str) == sorted(first, key=str) or sorted(kinds[-5:], key=str) == sorted(first, key=str)
    schema = next(one for one in said if one["type"] == "SCHEMA" and one["stream"] == "files")
    records = [one["record"] for one in said if one["type"] == "RECORD" and one["stream"] == "files"]
    assert "bytes" not in schema["schema"]["properties"]
    assert all("bytes" not in one and "id" in one for one in records)
    bookmarks = said[-1]["value"]["bookmarks"]
    newest = max(one["created_at"] for one in records)
    assert bookmarks["files"]["replication_key"] == "created_at"
    assert bookmarks["files"]["replication_key_value"] == newest
    assert list(bookmarks["vector_store_files"]["parents"])

    state = {"bookmarks": {**bookmarks, "others": {"kept": True}}}
    config = {**KEYS, "base_uri": api, "lookback_days": 0}
    later, _ = _run(tmp_path, "tap", config=config, catalog=catalog, state=state)
    assert all(
        one["record"]["created_at"] >= newest for one in later if one.get("stream") == "files" and "record" in one
    )
    assert later[-1]["value"]["bookmarks"]["others"] == {"kept": True}


def test_a_full_table_has_a_version_that_becomes_active_at_its_end(tmp_path: Path, api: str) -> None:
    catalog = _choose(_discover(tmp_path, api), "files", **{"replication-method": "FULL_TABLE"})
    said, _ = _run(tmp_path, "tap", config={**KEYS, "base_uri": api}, catalog=catalog)
    versions = {one["version"] for one in said if one["type"] in ("RECORD", "ACTIVATE_VERSION")}
    assert len(versions) == 1
    assert [one["type"] for one in said][-2:] == ["ACTIVATE_VERSION", "STATE"]


def test_a_tap_that_cannot_read_says_why(tmp_path: Path, api: str) -> None:
    catalog = _choose(_discover(tmp_path, api), "models", **{"replication-method": "INCREMENTAL"})
    _, why = _run(tmp_path, "tap", config={**KEYS, "base_uri": api}, catalog=catalog, code=2)
    assert "FULL_TABLE is expected" in why
    _, why = _run(tmp_path, "tap", config={**KEYS, "base_uri": "http://127.0.0.1:9/v1"}, catalog=_files(), code=1)
    assert "files: not sent" in why


def _files() -> Any:
    return {"streams": [{"tap_stream_id": "files", "metadata": []}]}


def _schema(*keys: str) -> str:
    properties = {"id": {"type": "integer"}, "name": {"type": "string"}}
    schema = {"type": "SCHEMA", "stream": "shelves", "schema": {"properties": properties}, "key_properties": [*keys]}
    return json.dumps(schema) + "\n"


def _record(name: str, number: int = 1) -> str:
    return json.dumps({"type": "RECORD", "stream": "shelves", "record": {"id": number, "name": name}}) + "\n"


def _state(number: int) -> str:
    return json.dumps({"type": "STATE", "value": {"at": number}}) + "\n"


def test_records_arrive_once_and_states_follow_them(tmp_path: Path, bare_api: str) -> None:
    given = _schema("id") + _record("f1") + _record("f2", 2) + _state(1) + _record("f1") + _state(2)
    config = row_config(bare_api, tmp_path)
    for _ in range(2):
        states, _ = _run(tmp_path, "target", given=given, config=config)
        assert states == [{"at": 1}, {"at": 2}]
    assert {name: times for name, times in arrived(bare_api).items() if name[0] == "f"} == {"f1": 1, "f2": 1}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (_record("g"), "comes before its SCHEMA"),
        (_schema("number"), "key_properties names number"),
        (_schema("id") + '{"type": "RECORD", "stream": "shelves", "record": {"name": "g"}}\n', "no value for its key"),
        ('{"type": "BATCH", "stream": "shelves"}\n', "'BATCH' is not taken"),
        ("{\n", "line 1"),
    ],
)
def test_a_target_says_what_it_cannot_take(tmp_path: Path, bare_api: str, given: str, why: str) -> None:
    states, said = _run(tmp_path, "target", given=given + _state(1), config=row_config(bare_api, tmp_path), code=2)
    assert states == []
    assert why in said
    assert "g" not in arrived(bare_api)


def test_a_text_that_no_document_holds_keeps_no_other_from_arriving(tmp_path: Path, bare_api: str) -> None:
    given = _schema("id") + _record("h1") + _record("h\0\ud83d2", 2) + _record("h3", 2**70) + _state(1)
    config = row_config(bare_api, tmp_path)
    states, said = _run(tmp_path, "target", given=given, config=config)
    assert states == [{"at": 1}]
    assert {name for name in arrived(bare_api) if name[0] == "h"} == {"h1", "h\ufffd2", "h3"}
    assert said.count("was changed") == 1
    assert "line 3" in said


@pytest.mark.parametrize("name", ["tap", "target"])
def test_a_plugin_says_what_it_can_do_and_what_it_is_told(tmp_path: Path, name: str) -> None:
    [about], _ = _run(tmp_path, name, "--about")
    assert about["name"] == f"{name}-openai"
    assert about["capabilities"] == (["about", "catalog", "discover", "state"] if name == "tap" else ["about"])
    secrets = {key for key, one in about["settings"]["properties"].items() if one.get("airbyte_secret")}
    assert secrets == ({"api_key", "admin_api_key"} if name == "tap" else {"engine", "variables"})
