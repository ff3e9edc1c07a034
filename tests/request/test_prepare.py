"""Whole requests: all faults of all sections at once, bodies by kind, streams and answers."""

# ruff: noqa: E501 - a table of cases is read by its lines
from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from connector.catalogue import Catalogue
from connector.model import Effect, InvalidRequest, Request
from connector.request import Preparer, Wire
from connector.request.multipart import MultipartBody
from tests.timing import within

Prepare = Callable[..., Wire]
FaultsOf = Callable[..., list[str]]
Read = Callable[[Any], Awaitable[bytes]]
CHAT: dict[str, Any] = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "hi"}]}
FILE = {"$content": "eA=="}


def test_all_faults_of_all_sections_come_at_once(faults_of: FaultsOf) -> None:
    faults = faults_of(
        "POST /conversations/{conversation_id}/items",
        {"path": {"conversation": ""}, "query": {"inclde": []}, "payload": {"itms": []}, "headers": {"Host": "x"}},
    )
    assert [fault.split(":")[0] for fault in faults] == [
        "path.conversation_id", "path.conversation", "query.inclde", "headers.Host", "payload.items", "payload.itms",
    ]  # fmt: skip


def test_the_error_names_the_operation(catalogue: Catalogue, preparer: Preparer) -> None:
    with pytest.raises(
        InvalidRequest, match=r"^files list: nothing was sent, 1 fault:\n  query\.limt: unknown parameter"
    ):
        preparer.prepare(catalogue.find("files", "list"), {"query": {"limt": 1}})
    with pytest.raises(InvalidRequest, match=r"^files list: nothing was sent, 1 fault:\n  quer: no such section"):
        preparer.prepare(catalogue.find("files", "list"), {"quer": {}})


def test_a_request_can_be_a_request_a_document_or_nothing(prepare: Prepare) -> None:
    asked = Request(payload=CHAT)
    assert prepare("POST /chat/completions", asked) == prepare("POST /chat/completions", {"payload": CHAT})
    assert prepare("GET /models").path == "/models"


def test_texts_of_a_command_line_are_read_as_they_are_wanted(prepare: Prepare, faults_of: FaultsOf) -> None:
    request = {"query": {"start_time": "1767225600", "group_by": "project_id", "limit": "7"}}
    assert prepare("GET /organization/costs", request, from_text=True).query == (
        ("start_time", "1767225600"), ("group_by[]", "project_id"), ("limit", "7"),
    )  # fmt: skip
    assert len(faults_of("GET /organization/costs", request)) == 3
    assert len(faults_of("GET /organization/costs", {"query": {"start_time": "soon"}}, from_text=True)) == 1


@pytest.mark.parametrize(
    ("operation", "payload", "headers", "content_type"),
    [
        ("POST /images/edits", {"image": FILE, "prompt": "p"}, {}, "multipart/form-data"),
        ("POST /images/edits", {"images": [{"file_id": "f"}], "prompt": "p"}, {}, "application/json"),
        ("POST /images/edits", {"image": [], "prompt": "p"}, {}, "multipart/form-data"),
        ("POST /videos", {"prompt": "p"}, {}, "multipart/form-data"),
        ("POST /videos", {"prompt": "p"}, {"content-type": "application/json; charset=utf-8"}, "application/json"),
        ("POST /videos", {"prompt": "p", "input_reference": FILE}, {}, "multipart/form-data"),
        ("POST /videos", {"prompt": "p", "input_reference": {"file_id": "f"}}, {}, "application/json"),
        ("POST /videos/edits", {"prompt": "p", "video": {"id": "v"}}, {}, "application/json"),
        ("POST /videos/edits", {"prompt": "p", "video": FILE}, {}, "multipart/form-data"),
        ("POST /skills", {"files": FILE}, {}, "multipart/form-data"),
        ("POST /skills", {"files": [FILE]}, {}, "multipart/form-data"),
        ("POST /realtime/calls", {"sdp": "v=0"}, {}, "application/sdp"),
        ("POST /realtime/calls", "v=0", {}, "application/sdp"),
        ("POST /realtime/calls", {"sdp": "v=0"}, {"Content-Type": "multipart/form-data"}, "multipart/form-data"),
        ("POST /realtime/calls", {"sdp": "v=0", "session": {"type": "realtime"}}, {}, "multipart/form-data"),
        ("POST /chat/completions", CHAT, {}, "application/json"),
    ],
)
def test_the_body_s_kind_is_chosen(
    operation: str, payload: object, headers: dict[str, str], content_type: str, prepare: Prepare
) -> None:
    wire = prepare(operation, {"payload": payload, "headers": headers})
    assert wire.body is not None
    assert wire.headers["content-type"] == wire.body.content_type
    assert wire.body.content_type.partition(";")[0] == content_type


def test_a_body_of_another_kind_is_refused(faults_of: FaultsOf) -> None:
    headers = {"Content-Type": "text/plain"}
    assert faults_of("POST /videos", {"payload": {"prompt": "p"}, "headers": headers}) == [
        "headers.content-type: found 'text/plain'; allowed: multipart/form-data, application/json"
    ]


async def test_bodies_hold_what_was_asked(prepare: Prepare, read: Read) -> None:
    payload = {**CHAT, "metadata": {"note": "ü\u2028"}, "temperature": None}
    data = await read(prepare("POST /chat/completions", {"payload": payload}).body)
    assert data == json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def test_every_post_without_a_body_has_none(catalogue: Catalogue, prepare: Prepare) -> None:
    for operation in catalogue.operations():
        if operation.method == "POST" and not operation.body and not operation.removed:
            wire = prepare(operation.wire_name, {"path": dict.fromkeys(operation.parameters, "x")}, validate="off")
            assert wire.body is None
            assert wire.headers["content-type"] == "application/json"


def test_every_operation_can_be_prepared_without_validation(catalogue: Catalogue, preparer: Preparer) -> None:
    for operation in catalogue.operations():
        payload = {"sdp": "v=0"} if "sdp" in operation.body else None
        request = {"path": {name: f"{name}/ü" for name in operation.parameters}, "payload": payload}
        wire = preparer.prepare(operation, request, validate="off")
        assert wire.path.count("/") == operation.template.count("/")
        assert (wire.body is None) is not operation.body
        assert wire.operation is operation


@pytest.mark.parametrize(
    ("operation", "request_", "answer"),
    [
        ("POST /chat/completions", {"payload": CHAT}, "json"),
        ("POST /chat/completions", {"payload": {**CHAT, "stream": False}}, "json"),
        ("POST /chat/completions", {"payload": {**CHAT, "stream": None}}, "json"),
        ("POST /chat/completions", {"payload": {**CHAT, "stream": True}}, "events"),
        ("GET /responses/{response_id}", {"path": {"response_id": "r"}, "query": {"stream": True}}, "events"),
        ("GET /responses/{response_id}", {"path": {"response_id": "r"}}, "json"),
        ("POST /audio/speech", {"payload": {"model": "m", "input": "x", "voice": "alloy"}}, "binary"),
        ("POST /audio/speech", {"payload": {"model": "m", "input": "x", "voice": "alloy", "stream_format": "sse"}}, "events"),
        ("POST /audio/transcriptions", {"payload": {"file": FILE, "model": "m"}}, "json"),
        ("POST /audio/transcriptions", {"payload": {"file": FILE, "model": "m", "response_format": "srt"}}, "text"),
        ("POST /audio/transcriptions", {"payload": {"file": FILE, "model": "m", "response_format": "verbose_json"}}, "json"),
        ("POST /audio/translations", {"payload": {"file": FILE, "model": "m", "response_format": "vtt"}}, "text"),
        ("GET /files/{file_id}/content", {"path": {"file_id": "f"}}, "binary"),
        ("DELETE /responses/{response_id}", {"path": {"response_id": "r"}}, "empty"),
        ("POST /realtime/calls", {"payload": {"sdp": "v=0"}}, "text"),
    ],
)  # fmt: skip
def test_the_answer_that_is_due_is_known(
    operation: str, request_: dict[str, Any], answer: str, prepare: Prepare
) -> None:
    assert prepare(operation, request_).answer == answer


async def test_the_stream_can_be_switched_by_the_call(prepare: Prepare, read: Read, faults_of: FaultsOf) -> None:
    request = {"payload": CHAT}
    wire = prepare("POST /chat/completions", request, stream=True)
    assert (wire.answer, json.loads(await read(wire.body))["stream"]) == ("events", True)
    assert wire.origins == {"payload.stream": "the call's stream"}
    assert "stream" not in CHAT
    wire = prepare("POST /chat/completions", {"payload": {**CHAT, "stream": True}}, stream=False)
    assert (wire.answer, json.loads(await read(wire.body))) == ("json", CHAT)
    wire = prepare("GET /responses/{response_id}", {"path": {"response_id": "r"}}, stream=True)
    assert (wire.answer, wire.query) == ("events", (("stream", "true"),))
    assert faults_of("POST /embeddings", {"payload": {"model": "m", "input": "x"}}, stream=True) == [
        "stream: embeddings create cannot stream; call it without the stream"
    ]
    assert prepare("GET /models", stream=False).answer == "json"


def test_deprecated_and_removed_operations_say_so(catalogue: Catalogue, preparer: Preparer) -> None:
    for operation in catalogue.operations():
        request = {
            "path": dict.fromkeys(operation.parameters, "x"),
            "payload": {"sdp": "x"} if operation.body else None,
        }
        warnings = [str(warning) for warning in preparer.prepare(operation, request, validate="off").warnings]
        assert bool(warnings) is bool(operation.deprecated or operation.removed)
        if operation.removed:
            assert f"removed from the API on {operation.removed}" in warnings[0]


def test_null_fields_of_a_form_are_left_out(prepare: Prepare) -> None:
    payload = {"file": FILE, "model": "m", "language": None}
    wire = prepare("POST /audio/transcriptions", {"payload": payload})
    assert isinstance(wire.body, MultipartBody)
    assert [part.name for part in wire.body.parts] == ["model", "file"]


def test_a_payload_that_is_not_json_is_one_fault(faults_of: FaultsOf) -> None:
    for value, found in [
        (float("nan"), "NaN"),
        ("\ud800", "lone surrogate"),
        ("\0", "NUL"),
        (2**64, "64 bits"),
        (b"", "bytes"),
    ]:
        for operation in ("POST /chat/completions", "POST /files"):
            [fault] = faults_of(operation, {"payload": {"model": value}})
            assert fault.startswith("payload.model: ")
            assert found in fault


def test_a_query_that_is_not_json_is_one_fault(faults_of: FaultsOf) -> None:
    for value in (float("inf"), "\ud800", "\0", {1}):
        [fault] = faults_of("GET /files", {"query": {"after": value}})
        assert fault.startswith("query.after: ")


def test_the_caller_s_request_is_left_alone(prepare: Prepare) -> None:
    payload = {"file": dict(FILE), "purpose": "batch", "expires_after": {"anchor": "created_at", "seconds": 3600}}
    request = {"payload": payload, "headers": {"X-A": "b", "Content-Type": "multipart/form-data"}}
    before = json.dumps(request)
    prepare("POST /files", request)
    assert json.dumps(request) == before


def test_a_small_request_is_prepared_at_once(prepare: Prepare) -> None:
    prepare("POST /chat/completions", {"payload": CHAT})
    within(20 * 0.001, lambda: [prepare("POST /chat/completions", {"payload": CHAT}) for _ in range(20)])


@pytest.mark.parametrize(
    ("store", "effect"), [(True, Effect.RECONCILABLE), (False, Effect.OPAQUE), (None, Effect.OPAQUE)]
)
def test_a_completion_can_be_found_again_only_if_it_is_stored(
    prepare: Prepare, store: bool | None, effect: Effect
) -> None:
    payload = {"model": "gpt-5", "messages": [{"role": "user", "content": "Hi"}], "store": store}
    assert prepare("chat completions create", {"payload": payload}).effect is effect
    assert prepare("files delete", {"path": {"file_id": "f"}}).effect is Effect.IDEMPOTENT
