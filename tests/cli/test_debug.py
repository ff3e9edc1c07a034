"""`--debug`, `--log-level` and a client's `logging`: both sides of a call on standard error, and no secret in it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from typer.testing import CliRunner

from connector.cli.app import app

KEY = "sk-canary/+&=\"'0123456789abcdef"
FORMS = (
    KEY, base64.b64encode(KEY.encode()).decode(), base64.urlsafe_b64encode(KEY.encode()).decode().rstrip("="),
    quote(KEY), quote(KEY, safe=""), json.dumps(KEY)[1:-1], KEY.encode().hex(),
)  # fmt: skip
CONFIGURATION = """
clients:
  c: {{prototype: openai, parameters: {{token: "${{KEY}}", base_uri: "http://127.0.0.1:{port}/v1"{logging}}}}}
incoming:
  files: {{subscriber: {{prototype: openai, parameters: {{client: c, entity: files}}}}}}
outgoing:
  judge:
    request: {{payload: {{input: "&{{text}}"}}}}
    publisher: {{prototype: openai, parameters: {{client: c, entity: moderations}}}}
routes:
  judged: {{incoming: files, outgoing: judge}}
chains:
  ask: [{{openai: {{client: c, entity: moderations, payload: {{input: "&{{text}}"}}}}}}]
"""


class Echo(BaseHTTPRequestHandler):
    """Answers with the key in every form, as a careless server would."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        files = {"object": "list", "data": [{"id": "file-1", "text": "a", "echo": list(FORMS)}], "has_more": False}
        self.answer(json.dumps(files).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if asked.get("stream"):
            events = "".join(f"data: {json.dumps({'delta': form})}\n\n" for form in FORMS) + "data: [DONE]\n\n"
            self.answer(events.encode(), "text/event-stream")
        else:
            self.answer(json.dumps({"id": "modr-1", "echo": [*FORMS, "word " * 20_000]}).encode())

    def answer(self, body: bytes, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-echo", quote(KEY))
        self.send_header("x-request-id", FORMS[1])
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name
        """Says nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEY", KEY)

    def run(*words: str, logging: str = "") -> Any:
        given = f", logging: {logging}" if logging else ""
        (tmp_path / "connector.yaml").write_text(CONFIGURATION.format(port=port, logging=given))
        for file in (*tmp_path.glob("connector.db*"), *tmp_path.glob(".connector.db*")):
            file.unlink()
        result = CliRunner().invoke(app, list(words), input='{"text": "a"}\n')
        assert result.exit_code == 0, (result.output, result.exception)
        assert not [form for form in FORMS if form in result.stderr]
        return result

    return run


COMMANDS = {
    "GET http://127.0.0.1:{port}/v1/files": [
        ["call", "files"], ["call", "files", "--all"], ["subscribe", "files"], ["curl", "/v1/files"],
    ],
    "GET http://127.0.0.1:{port}/v1/models": [["client", "test", "c"]],
    "POST http://127.0.0.1:{port}/v1/moderations": [
        ["publish", "judge"], ["run", "--once"], ["transform", "ask"],
        ["call", "moderations", "--set", "payload.input=a"],
    ],
}  # fmt: skip
CASES = [(asked, words) for asked, commands in COMMANDS.items() for words in commands]


def lines(text: str) -> str:
    """What a log says, whether its records are lines of text or JSON."""
    found: list[str] = []
    for line in text.splitlines():
        try:
            found.append(str(json.loads(line)["message"]))
        except (ValueError, TypeError, KeyError):
            found.append(line)
    return "\n".join(found)


@pytest.mark.parametrize(
    ("asked", "words"), CASES, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_both_sides_of_a_call_are_logged(asked: str, words: list[str], run: Run, port: int) -> None:
    wanted = f"> {asked.format(port=port)}"
    assert wanted not in lines(run(*words).stderr)
    for told in (run(*words, "--debug"), run(*words, logging="full")):
        said = lines(told.stderr)
        assert wanted in said
        assert "> authorization: Bearer ***" in said
        assert "< 200 done" in said
        assert "< x-request-id: ***" in said
        assert len(told.stderr) < 40_000


@pytest.mark.parametrize("words", [["call", "files"], ["subscribe", "files"], ["publish", "judge"], ["run", "--once"]])
def test_as_much_is_logged_as_is_asked_for(words: list[str], run: Run) -> None:
    line = "/v1/files 200 done in" if words[0] in ("call", "subscribe") else "/moderations 200 done in"
    line = line.removeprefix("/v1")
    assert line in lines(run(*words, logging="basic").stderr)
    assert line in lines(run(*words, "--log-level", "info").stderr)
    for quiet in (["--log-level", "debug"], []):
        assert line not in lines(run(*words, *quiet, logging="none").stderr)
    assert line not in lines(run(*words, "--log-level", "error", logging="full").stderr)


def test_the_events_of_a_stream_are_logged(run: Run) -> None:
    chat = '{"model": "gpt-5", "messages": [{"role": "user", "content": "Hi"}]}'
    said = lines(run("call", "chat completions", "create", "--payload", chat, "--stream", "--debug").stderr)
    assert '"delta"' in said


@pytest.mark.parametrize(
    ("words", "told"),
    [(["call", "files", "--debug", "--log-level", "info"], "leave out --debug or --log-level"),
     (["explain", "files", "--debug"], "nothing is sent here"),
     (["curl", "/v1/files", "--dry-run", "--debug"], "nothing is sent here")],
)  # fmt: skip
def test_what_says_two_things_is_refused(words: list[str], told: str, tmp_path: Path) -> None:
    assert told in str(CliRunner().invoke(app, words).exception)
