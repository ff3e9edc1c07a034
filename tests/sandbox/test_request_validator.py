"""Wrong requests are refused as the API does, with its error body."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from connector.model import JSON

MESSAGES = [{"role": "user", "content": "hi"}]
RIGHT = {"model": "gpt-4.1", "messages": MESSAGES}


@pytest.mark.parametrize(
    ("payload", "param", "code"),
    [
        ({"model": "gpt-4.1"}, "messages", "missing_required_parameter"),
        ({**RIGHT, "temperatur": 1}, "temperatur", "unknown_parameter"),
        ({**RIGHT, "temperature": 3}, "temperature", "integer_above_max_value"),
        ({**RIGHT, "temperature": -0.5}, "temperature", "decimal_below_min_value"),
        ({**RIGHT, "temperature": "warm"}, "temperature", "invalid_type"),
        ({**RIGHT, "messages": []}, "messages", "array_below_min_length"),
        ({**RIGHT, "messages": [{"role": "usr", "content": "hi"}]}, "messages[0].role", "invalid_value"),
        ({**RIGHT, "messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
        ([1], None, "invalid_type"),
    ],
)
async def test_a_wrong_payload_is_refused_with_place_and_code(
    running: Any, payload: JSON, param: str | None, code: str
) -> None:
    status, body = await running.call("POST", "/chat/completions", payload)
    assert status == 400
    assert body["error"].keys() == {"message", "type", "param", "code"}
    assert (body["error"]["type"], body["error"]["param"], body["error"]["code"]) == (
        "invalid_request_error",
        param,
        code,
    )


@pytest.mark.parametrize("data", [b'{"model": ', b"\xff\xfe", b"[" * 5000, b"nothing at all"])
async def test_a_body_that_is_not_json_is_a_400(running: Any, data: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    status, body = await running.call("POST", "/chat/completions", data=data, headers=headers)
    assert status == 400
    assert "could not parse the JSON body" in body["error"]["message"]


async def test_json_that_is_nested_too_deeply_is_a_400(running: Any) -> None:
    data = b'{"model": "m", "messages": ' + b"[" * 900 + b"]" * 900 + b"}"
    status, _ = await running.call("POST", "/chat/completions", data=data, headers={"Content-Type": "application/json"})
    assert status == 400
    assert running.sandbox.requests[-1]["payload"] is None


async def test_json_where_a_form_is_wanted_names_what_is_taken(running: Any) -> None:
    status, body = await running.call("POST", "/files", {"purpose": "batch"})
    assert (status, body["error"]["code"]) == (400, "unsupported_content_type")
    assert "multipart/form-data" in body["error"]["message"]


async def test_text_where_a_file_is_wanted_is_refused(running: Any) -> None:
    form = aiohttp.FormData({"purpose": "batch", "file": "not a file"}, default_to_multipart=True)
    status, body = await running.call("POST", "/files", data=form)
    assert (status, body["error"]["param"]) == (400, "file")


async def test_a_query_is_read_by_its_schema_and_refused_by_it(running: Any) -> None:
    assert (await running.call("GET", "/organization/projects?limit=5&include_archived=true"))[0] == 200
    status, body = await running.call("GET", "/organization/projects?limit=many")
    assert (status, body["error"]["param"]) == (400, "limit")
    status, body = await running.call("GET", "/organization/projects?limt=5")
    assert (status, body["error"]["code"]) == (400, "unknown_parameter")
    status, body = await running.call("GET", "/organization/costs")
    assert (status, body["error"]["param"]) == (400, "start_time")


async def test_no_key_is_a_401_for_project_and_admin_operations_alike(running: Any) -> None:
    for path in ("/models", "/organization/projects"):
        status, body = await running.call("GET", path, headers={"Authorization": ""})
        assert (status, body["error"]["type"]) == (401, "invalid_request_error")
    status, _ = await running.call("GET", "/models", headers={"Authorization": "", "api-key": "as on Azure"})
    assert status == 200


async def test_an_unknown_path_is_a_404_and_another_method_a_405_that_says_which(running: Any) -> None:
    status, body = await running.call("GET", "/nothing/here")
    assert (status, body["error"]["message"]) == (404, "Invalid URL (GET /v1/nothing/here)")
    async with running.session.delete(running.sandbox.url + "/models") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")


async def test_a_beta_operation_wants_its_header_unless_the_sandbox_is_lenient(running: Any, start: Any) -> None:
    status, body = await running.call("GET", "/assistants")
    assert (status, body["error"]["code"]) == (400, "invalid_beta")
    assert "assistants=v2" in body["error"]["message"]
    assert (await running.call("GET", "/assistants", headers={"OpenAI-Beta": "assistants=v2"}))[0] == 200
    assert (await (await start(lenient=True)).call("GET", "/assistants"))[0] == 200


async def test_paths_are_known_with_and_without_the_version(running: Any) -> None:
    async with running.session.get(running.sandbox.origin + "/models") as answer:
        assert answer.status == 200


async def test_an_unknown_id_is_a_404_or_made_up_when_lenient(running: Any, start: Any) -> None:
    status, body = await running.call("GET", "/organization/projects/proj_unknown")
    assert (status, body["error"]["param"]) == (404, "id")
    status, body = await (await start(lenient=True)).call("GET", "/organization/projects/proj_unknown")
    assert (status, body["id"], body["object"]) == (200, "proj_unknown", "organization.project")


async def test_what_stands_below_an_unknown_object_is_a_404(running: Any) -> None:
    status, body = await running.call("GET", "/organization/projects/proj_unknown/service_accounts")
    assert (status, "proj_unknown" in body["error"]["message"]) == (404, True)


async def test_a_handler_that_fails_is_a_500_that_says_it_was_the_sandbox(
    running: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(call: object, backend: object) -> None:
        raise ZeroDivisionError("by design")

    handlers = {"GET /models": fails}
    monkeypatch.setattr(running.sandbox._app._dispatcher, "_handlers", handlers)
    status, body = await running.call("GET", "/models")
    assert (status, body["error"]["code"]) == (500, "sandbox_failed")
    assert "ZeroDivisionError" in capsys.readouterr().err
