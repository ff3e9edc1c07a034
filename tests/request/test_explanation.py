"""Explanations: the exact request without its secrets, where each value came from, and a line that a shell runs."""

# ruff: noqa: E501 - a table of cases is read by its lines
from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from connector.catalogue import Catalogue
from connector.request import Explanation, Wire, explain, prepare_raw
from tests.programs import needed

Prepare = Callable[..., Wire]
SECRET = "sk-canary-0123456789abcdef"
CHAT = {"model": "gpt-4.1", "messages": [{"role": "user", "content": 'it\'s "$HOME" `id` \\ ü\n!'}]}


def explained(wire: Wire, base: str = "https://api.openai.com/v1") -> Explanation:
    return explain(
        wire,
        url=base + wire.target,
        headers={**wire.headers, "Authorization": f"Bearer {SECRET}"},
        secrets={SECRET: "OPENAI_API_KEY"},
        origins={"headers.authorization": "client parameter token (environment OPENAI_API_KEY)"},
    )


def test_a_json_call_is_shown_whole(prepare: Prepare) -> None:
    wire = prepare("POST /chat/completions", {"payload": CHAT, "headers": {"X-Trace": "1"}}, stream=True)
    assert explained(wire).as_document() == {
        "operation": "chat completions create",
        "method": "POST",
        "url": "https://api.openai.com/v1/chat/completions",
        "headers": {
            "accept": "application/json",
            "x-trace": "1",
            "content-type": "application/json",
            "authorization": "Bearer ***",
        },
        "body": {**CHAT, "stream": True},
        "effect": wire.effect.value,
        "answer": "events",
        "origins": {
            "headers.accept": "catalogue: the kinds of answer",
            "headers.x-trace": "request.headers",
            "headers.content-type": "the body's kind",
            "headers.authorization": "client parameter token (environment OPENAI_API_KEY)",
            "payload.model": "request.payload",
            "payload.messages": "request.payload",
            "payload.stream": "the call's stream",
        },
    }


def test_path_query_and_beta_say_where_they_came_from(prepare: Prepare) -> None:
    request = {"path": {"response_id": "r"}, "query": {"include": ["file_search_call.results"]}}
    origins = explained(prepare("GET /responses/{response_id}?beta=true", request)).origins
    assert origins["path.response_id"] == "request.path"
    assert origins["query.beta"] == "catalogue: fixed"
    assert origins["query.include[]"] == "request.query"
    assert explained(prepare("GET /vector_stores")).origins["headers.openai-beta"] == "catalogue"


def test_a_form_is_shown_by_its_parts(prepare: Prepare, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}")
    wire = prepare("POST /files", {"payload": {"file": {"$file": str(tmp_path / "a.jsonl")}, "purpose": "batch"}})
    assert explained(wire).body == [
        {"name": "purpose", "value": "batch"},
        {
            "name": "file",
            "filename": "a.jsonl",
            "content_type": "application/octet-stream",
            "source": str(tmp_path / "a.jsonl"),
            "bytes": 2,
        },
    ]


def test_warnings_are_shown(prepare: Prepare) -> None:
    document = explained(prepare("POST /assistants", {"payload": {"model": "m"}})).as_document()
    assert document["warnings"] == ["operation assistants create: deprecated; it still works; look for its successor"]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"json": [1]}, [1]),
        ({"data": "a,b"}, "a,b"),
        ({"data": {"a": [1]}}, [["a[]", "1"]]),
        ({"data": b"\xff"}, {"content_type": "application/octet-stream", "bytes": 1}),
        ({}, None),
    ],
)
def test_raw_bodies_are_shown_as_what_they_are(body: dict[str, Any], shown: object) -> None:
    assert explained(prepare_raw("POST", "/x", **body)).body == shown


def test_no_secret_is_shown_in_any_encoding(prepare: Prepare) -> None:
    encoded = base64.b64encode(f"user:{SECRET}".encode()).decode()
    tool = {"type": "mcp", "server_label": "x", "server_url": "https://x", "authorization": "hunter2-token"}
    payload = {"model": "m", "input": f"{SECRET} and {encoded}", "tools": [tool]}
    explanation = explained(prepare("POST /responses", {"payload": payload, "headers": {"X-Key": SECRET}}))
    shown = json.dumps(explanation.as_document())
    for text in (shown, explanation.as_curl()):
        assert SECRET not in text
        assert encoded[:-8] not in text
    assert "hunter2" not in shown
    assert SECRET not in repr(explanation)


@pytest.fixture
def upstream() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server on loopback that writes down what reaches it."""
    seen: list[dict[str, Any]] = []

    class Recorder(BaseHTTPRequestHandler):
        def record(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length) if length else self._chunked()
            seen.append({"line": f"{self.command} {self.path}", "headers": dict(self.headers), "body": body})
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_POST = do_DELETE = record  # noqa: N815 - the base class looks for these names

        def _chunked(self) -> bytes:
            body = b""
            while self.headers.get("transfer-encoding") and (size := int(self.rfile.readline(), 16)):
                body += self.rfile.read(size)
                self.rfile.readline()
            return body

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Recorder) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
        server.shutdown()
        thread.join()


FILE = {"$content": base64.b64encode(b"bytes").decode(), "filename": 'a "b".txt'}


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("POST /chat/completions", {"payload": CHAT, "headers": {"X-Note": "it's; $HOME"}}),
        ("GET /files", {"query": {"after": "a b&c='d'", "limit": 1}}),
        ("DELETE /files/{file_id}", {"path": {"file_id": "a'b c"}}),
        ("POST /batches/{batch_id}/cancel", {"path": {"batch_id": "b"}}),
        ("POST /files", {"payload": {"file": FILE, "purpose": "batch"}}),
        ("POST /videos", {"payload": {"prompt": "@x;type=y <z"}}),
        ("POST /realtime/calls", {"payload": {"sdp": "v=0\r\no=-\r\n", "session": {"type": "realtime", "instructions": 'a;"b'}}}),
        ("POST /realtime/calls", {"payload": {"sdp": "v=0\r\no=-\r\n"}}),
    ],
)  # fmt: skip
async def test_the_command_line_sends_the_same(
    operation: str, request_: dict[str, Any], prepare: Prepare, upstream: tuple[str, list[dict[str, Any]]], read: Any
) -> None:
    base, seen = upstream
    wire = prepare(operation, request_)
    line = explained(wire, base).as_curl()
    run(line)
    [call] = seen
    assert call["line"] == f"{wire.method} /v1{wire.target}"
    headers = {name.lower(): value for name, value in call["headers"].items()}
    assert headers["authorization"] == f"Bearer {SECRET}"
    for name, value in wire.headers.items():
        if name != "content-type" or "multipart" not in value:
            assert headers[name] == value
    expected = await read(wire.body) if wire.body is not None else b""
    if "multipart" in wire.headers.get("content-type", ""):
        assert parts_in(call["body"], headers["content-type"]) == parts_in(expected, wire.headers["content-type"])
    else:
        assert call["body"] == expected


def run(line: str) -> None:
    needed("curl")
    environment = {"OPENAI_API_KEY": SECRET, "PATH": os.environ["PATH"]}
    subprocess.run([needed("bash"), "-c", line], check=True, timeout=20, env=environment)


def parts_in(body: bytes, content_type: str) -> list[tuple[str, list[str], bytes]]:
    boundary = b"--" + content_type.partition("boundary=")[2].encode()
    found = []
    for part in body.split(boundary)[1:-1]:
        head, _, content = part[2:-2].partition(b"\r\n\r\n")
        disposition, *others = head.decode().split("\r\n")
        found.append((disposition.replace('\\"', "%22"), sorted(others), content))
    return found


def test_what_curl_knows_by_itself_stays_out_of_the_line(prepare: Prepare) -> None:
    headers = {"Host": "api.openai.com", "Accept-Encoding": "gzip", "User-Agent": "me"}
    line = explain(prepare("GET /models"), headers=headers).as_curl()
    assert line.splitlines() == ["curl -sS /models \\", "  -H 'accept: application/json' \\", "  -H 'user-agent: me'"]


def test_a_large_content_stays_out_of_the_line(prepare: Prepare) -> None:
    content = {"$content": base64.b64encode(b"x" * 20_000).decode(), "filename": "big.bin"}
    line = explained(prepare("POST /files", {"payload": {"file": content, "purpose": "batch"}})).as_curl()
    assert len(line) < 1000
    assert "big.bin" in line


def test_streams_and_binaries_have_their_flags(prepare: Prepare, catalogue: Catalogue) -> None:
    assert (
        explained(prepare("POST /chat/completions", {"payload": CHAT}, stream=True)).as_curl().startswith("curl -sSN ")
    )
    assert "-o answer.bin" in explained(prepare("GET /files/{file_id}/content", {"path": {"file_id": "f"}})).as_curl()
    assert "curl -sS -I " in explained(prepare_raw("HEAD", "/models", catalogue=catalogue)).as_curl()
