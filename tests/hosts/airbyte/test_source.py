"""The source as Airbyte starts it: every stream of the catalogue before a sandbox, and what is told when it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.hosts.streams.row_schema import types_of
from tests.hosts.airbyte.rig import KEYS, Said, catalog_of, run

TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


@pytest.fixture(scope="module")
def config(api: str) -> dict[str, Any]:
    return {**KEYS, "base_uri": api}


@pytest.fixture(scope="module")
def streams(config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    said = run(tmp_path_factory.mktemp("discover"), "airbyte", "source", "discover", config=config)
    assert said.code == 0, said.error
    return {one["name"]: one for one in said.of("CATALOG")[0]["streams"]}


@pytest.fixture(scope="module")
def everything(config: dict[str, Any], streams: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Said:
    catalog = catalog_of(*streams.values())
    return run(tmp_path_factory.mktemp("read"), "airbyte", "source", "read", config=config, catalog=catalog)


def _breaches(schema: Any, value: Any, where: str) -> list[str]:
    """Where a value is not what the schema says, at any depth."""
    types = types_of(schema)
    if types and not any(_is(value, name) for name in types):
        return [f"{where}: {value!r} is none of {types}"]
    found: list[str] = []
    if isinstance(value, dict):
        known = schema.get("properties", {})
        found += [
            one for name in known.keys() & value for one in _breaches(known[name], value[name], f"{where}.{name}")
        ]
    if isinstance(value, list) and "items" in schema:
        found += [one for item in value for one in _breaches(schema["items"], item, f"{where}[]")]
    return found


def _is(value: Any, name: str) -> bool:
    return isinstance(value, TYPES[name]) and (name == "boolean") == isinstance(value, bool)  # type: ignore[arg-type]


def test_spec_tells_which_settings_are_secret(tmp_path: Path) -> None:
    [spec] = run(tmp_path, "airbyte", "source", "spec").of("SPEC")
    properties = spec["connectionSpecification"]["properties"]
    assert [name for name, one in properties.items() if one.get("airbyte_secret")] == list(KEYS)
    assert properties["start_date"]["format"] == "date"


def test_check_tells_that_keys_work_and_what_does_not(tmp_path: Path, config: dict[str, Any]) -> None:
    assert run(tmp_path, "airbyte", "source", "check", config=config).of("CONNECTION_STATUS") == [
        {"status": "SUCCEEDED"}
    ]
    wrong: dict[str, Any] = {
        "give api_key, admin_api_key, or both": {},
        "api_kye: unknown; did you mean 'api_key'": {"api_kye": "sk-canary-0123456789"},
        "start_date: Input should be a valid date": {**KEYS, "start_date": "soon"},
        "a file of JSON is expected": '{"api_key": "sk-canary-0123456789",',
        "not sent": {**KEYS, "base_uri": "http://127.0.0.1:9/v1"},
    }
    for message, given in wrong.items():
        said = run(tmp_path, "airbyte", "source", "check", config=given)
        [status] = said.of("CONNECTION_STATUS")
        assert status["status"] == "FAILED"
        assert message in status["message"]
        assert "canary" not in str(said)


def test_every_list_of_the_catalogue_is_a_stream(streams: dict[str, Any]) -> None:
    assert len(streams) > 70
    assert {"costs", "completions_usage", "files", "batches", "models", "chat_completions", "fine_tuning_jobs"} <= {
        *streams
    }
    assert streams["files"]["source_defined_primary_key"] == [["id"]]
    assert streams["files"]["default_cursor_field"] == ["created_at"]
    assert streams["vector_store_files"]["source_defined_primary_key"] == [["vector_store_id"], ["id"]]
    assert streams["models"]["supported_sync_modes"] == ["full_refresh"]


def test_a_key_sees_the_streams_that_are_its_own(tmp_path: Path, config: dict[str, Any]) -> None:
    project = {name: value for name, value in config.items() if name != "admin_api_key"}
    said = run(tmp_path, "airbyte", "source", "discover", config=project)
    names = {one["name"] for one in said.of("CATALOG")[0]["streams"]}
    assert "files" in names
    assert "costs" not in names


def test_every_stream_is_read_and_its_rows_are_as_it_says(everything: Said, streams: dict[str, Any]) -> None:
    assert everything.code == 0, everything.errors
    assert everything.errors == []
    breaches: list[str] = []
    for name, stream in streams.items():
        assert everything.stages(name)[0] == "STARTED"
        assert everything.stages(name)[-1] == "COMPLETE"
        rows = everything.rows(name)
        key = [field for [field] in stream["source_defined_primary_key"]]
        assert len({tuple(row[field] for field in key) for row in rows}) == len(rows) or not key
        breaches += [one for row in rows for one in _breaches(stream["json_schema"], row, name)]
    assert breaches == []
    assert len(everything.rows("files")) == 3
    assert len(everything.rows("costs")) > 30
    assert everything.rows("vector_store_files")[0]["vector_store_id"] == everything.rows("vector_stores")[0]["id"]
    assert [one["choices"][0]["message"]["role"] for one in everything.rows("chat_completions")] == ["assistant"]


def test_a_state_comes_after_the_rows_that_it_covers_and_counts_them(everything: Said) -> None:
    counted: dict[str, int] = {}
    for message in everything.messages:
        if message["type"] == "RECORD":
            stream = message["record"]["stream"]
            counted[stream] = counted.get(stream, 0) + 1
        elif message["type"] == "STATE":
            told = message["state"]
            stream = told["stream"]["stream_descriptor"]["name"]
            assert told["sourceStats"]["recordCount"] == counted.pop(stream, 0)
    assert "files" not in counted
    assert "costs" not in counted


def test_the_next_sync_begins_where_this_one_ended(
    tmp_path: Path, everything: Said, config: dict[str, Any], streams: dict[str, Any]
) -> None:
    states = [one for one in everything.of("STATE") if one["stream"]["stream_descriptor"]["name"] in ("costs", "files")]
    catalog = catalog_of(streams["costs"], streams["files"])
    words = ("airbyte", "source", "read")
    said = run(tmp_path, *words, config={**config, "lookback_days": 0}, catalog=catalog, state=states)
    newest = max(row["start_time"] for row in everything.rows("costs"))
    assert {row["start_time"] for row in said.rows("costs")} <= {newest, newest + 86_400}
    ids = {row["id"] for row in everything.rows("costs") if row["start_time"] == newest}
    assert ids <= {row["id"] for row in said.rows("costs")}


def test_what_cannot_be_read_is_told_and_the_rest_is_read(
    tmp_path: Path, config: dict[str, Any], streams: dict[str, Any]
) -> None:
    catalog = catalog_of(streams["files"], streams["models"])
    state = [
        {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": "files"}, "stream_state": {"cursor": "yesterday"}},
        }
    ]
    said = run(tmp_path, "airbyte", "source", "read", config=config, catalog=catalog, state=state)
    assert said.code == 1
    assert said.stages("files") == ["STARTED", "INCOMPLETE"]
    assert said.stages("models")[-1] == "COMPLETE"
    assert said.rows("models")
    [error] = said.errors
    assert error["failure_type"] == "config_error"
    assert error["stream_descriptor"] == {"name": "files"}


@pytest.mark.parametrize(
    ("catalog", "message"),
    [
        ({"streams": [{"stream": {"name": "fils"}, "sync_mode": "full_refresh"}]}, "did you mean 'files'"),
        ({"streams": [{"stream": {"name": "files"}, "sync_mode": "INVALID"}]}, "'INVALID'"),
        ([], "list of streams"),
        ("{", "a file of JSON is expected"),
    ],
)
def test_a_wrong_catalog_is_an_error_of_the_configuration(
    tmp_path: Path, config: dict[str, Any], catalog: Any, message: str
) -> None:
    said = run(tmp_path, "airbyte", "source", "read", config=config, catalog=catalog)
    assert said.code == 1
    [error] = said.errors
    assert error["failure_type"] == "config_error"
    assert message in error["message"]


def test_only_the_chosen_fields_are_given(tmp_path: Path, config: dict[str, Any], streams: dict[str, Any]) -> None:
    schema = {"type": "object", "properties": {name: {} for name in ("id", "created_at")}}
    catalog = catalog_of({**streams["files"], "json_schema": schema})
    said = run(tmp_path, "airbyte", "source", "read", config=config, catalog=catalog)
    assert {tuple(sorted(row)) for row in said.rows("files")} == {("created_at", "id")}
