"""The destination as Airbyte starts it: rows arrive once, and a state comes back when the rows before it have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.airbyte.rig import run
from tests.hosts.rows import arrived, row_config

WRITE = ("airbyte", "destination", "write")


def _catalog(mode: str = "append", **more: Any) -> dict[str, Any]:
    stream = {"name": "shelves", "json_schema": {"type": "object"}, "supported_sync_modes": ["full_refresh"]}
    key = {"primary_key": [["id"]]}
    return {"streams": [{"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": mode, **key, **more}]}


def _record(name: str, number: Any = 1, stream: str = "shelves") -> str:
    data = {"id": number, "name": name}
    return json.dumps({"type": "RECORD", "record": {"stream": stream, "data": data, "emitted_at": 1}}) + "\n"


def _state(number: int) -> str:
    stream = {"stream_descriptor": {"name": "shelves"}, "stream_state": {"cursor": number}}
    return json.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": stream}}) + "\n"


def test_rows_arrive_and_states_come_back_with_how_many(tmp_path: Path, bare_api: str) -> None:
    given = _record("a1") + _record("a2", 2) + _state(2) + "printed by mistake\n" + _record("a3", 3) + _state(3)
    said = run(tmp_path, *WRITE, given=given, config=row_config(bare_api, tmp_path), catalog=_catalog())
    assert said.code == 0, said.messages
    told = [(one["stream"]["stream_state"]["cursor"], one["destinationStats"]) for one in said.of("STATE")]
    assert told == [(2, {"recordCount": 2.0}), (3, {"recordCount": 1.0})]
    assert {name: times for name, times in arrived(bare_api).items() if name[0] == "a"} == {"a1": 1, "a2": 1, "a3": 1}
    assert "this is no message: printed by mistake" in str(said.of("LOG"))


def test_a_sync_that_is_repeated_publishes_only_what_changed(tmp_path: Path, bare_api: str) -> None:
    config, catalog = row_config(bare_api, tmp_path), _catalog(generation_id=1, sync_id=1)
    first = _record("b1") + _record("b2", 2) + _state(2)
    assert run(tmp_path, *WRITE, given=first, config=config, catalog=catalog).code == 0
    again = _record("b1") + _record("b2 changed", 2) + _record("b1") + _state(3)
    said = run(tmp_path, *WRITE, given=again, config=config, catalog=_catalog(generation_id=1, sync_id=2))
    assert said.code == 0
    assert {name: times for name, times in arrived(bare_api).items() if name[0] == "b"} == {
        "b1": 1,
        "b2": 1,
        "b2 changed": 1,
    }
    for more in ({"generation_id": 2}, {"generation_id": 2}):
        assert run(tmp_path, *WRITE, given=_record("b1"), config=config, catalog=_catalog(**more)).code == 0
    assert arrived(bare_api)["b1"] == 2


def test_each_sync_publishes_all_rows_when_it_is_told_to(tmp_path: Path, bare_api: str) -> None:
    config = row_config(bare_api, tmp_path, each_sync=True)
    for number in (1, 2, 2):
        said = run(tmp_path, *WRITE, given=_record("c1"), config=config, catalog=_catalog(sync_id=number))
        assert said.code == 0
    assert arrived(bare_api)["c1"] == 2


def test_a_state_after_a_row_that_failed_does_not_come_back(tmp_path: Path, bare_api: str) -> None:
    config = row_config(bare_api, tmp_path)
    given = (
        _record("d1")
        + _state(1)
        + json.dumps({"type": "RECORD", "record": {"stream": "shelves", "data": {"id": 2}, "emitted_at": 1}})
    )
    said = run(
        tmp_path, *WRITE, given=given + "\n" + _state(2) + _record("d3") + _state(3), config=config, catalog=_catalog()
    )
    assert said.code == 1
    assert [one["stream"]["stream_state"]["cursor"] for one in said.of("STATE")] == [1]
    [error] = said.errors
    assert error["failure_type"] == "system_error"
    assert "name" in error["message"]
    assert "d3" not in arrived(bare_api)


@pytest.mark.parametrize(
    ("catalog", "given", "message"),
    [
        (_catalog("overwrite"), "", "cannot be taken back"),
        ({}, "", "no list of streams"),
        (_catalog(), _record("e", stream="others"), "is not in the catalog"),
        (_catalog(), _record("e", None), "no value for its key (id)"),
    ],
)
def test_what_cannot_be_written_is_an_error_of_the_configuration(
    tmp_path: Path, bare_api: str, catalog: Any, given: str, message: str
) -> None:
    said = run(tmp_path, *WRITE, given=given, config=row_config(bare_api, tmp_path), catalog=catalog)
    assert said.code == 1
    [error] = said.errors
    assert error["failure_type"] == "config_error"
    assert message in error["message"]


def test_a_row_that_was_cut_is_an_error_and_one_that_no_document_holds_is_not(tmp_path: Path, bare_api: str) -> None:
    config, catalog = row_config(bare_api, tmp_path), _catalog()
    given = _record("i\0\ud83d1") + _record("i2", 2**70) + _state(1) + _record("i3", 3)[:-10] + "\n" + _state(2)
    said = run(tmp_path, *WRITE, given=given, config=config, catalog=catalog)
    assert said.code == 1
    assert [one["stream"]["stream_state"]["cursor"] for one in said.of("STATE")] == [1]
    [error] = said.errors
    assert error["failure_type"] == "system_error"
    assert error["message"].startswith("line 4: ")
    [log] = [one for one in said.of("LOG") if "was changed" in one["message"]]
    assert (log["level"], "line 1" in log["message"]) == ("WARN", True)
    assert {name for name in arrived(bare_api) if name[0] == "i"} == {"i\ufffd1", "i2"}


def test_check_says_what_is_wrong_with_a_connection(tmp_path: Path, bare_api: str) -> None:
    good = row_config(bare_api, tmp_path)
    wrong: dict[str, dict[str, Any]] = {
        "": good,
        "shelf": {**good, "outgoing": "shelf"},
        "KEY": {**good, "variables": "OTHER=1"},
        "NAME=value": {**good, "variables": "sk-canary-0123456789"},
        "outgoing: Field required": {name: value for name, value in good.items() if name != "outgoing"},
        "engine": {**good, "engine": "mysql://u:sk-canary-0123456789@h/d"},
    }
    for message, config in wrong.items():
        [status] = run(tmp_path, "airbyte", "destination", "check", config=config).of("CONNECTION_STATUS")
        assert status["status"] == ("FAILED" if message else "SUCCEEDED"), status
        assert message in status.get("message", "")
        assert "canary" not in str(status)


def test_spec_names_the_mode_and_hides_the_journals_address(tmp_path: Path) -> None:
    [spec] = run(tmp_path, "airbyte", "destination", "spec").of("SPEC")
    assert spec["supported_destination_sync_modes"] == ["append"]
    properties = spec["connectionSpecification"]["properties"]
    assert [name for name, one in properties.items() if one.get("airbyte_secret")] == ["engine", "variables"]
    assert spec["connectionSpecification"]["required"] == ["configuration", "outgoing", "engine"]
