"""What upstreams and documents say reaches a terminal as text: it moves no cursor, colours nothing, hides nothing."""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

import connector
from connector.cli import output
from connector.terminal import escape_controls
from tests import warm
from tests.programs import open_terminal

EVIL = "\x1b[2J\x1b]0;owned\x07 \x9b31m \x7f \u202eabc\u2066 \r overwritten \ud800"
RAW = [f"sys.{stream}.{way}" for stream in ("stdout", "stderr") for way in ("write", "buffer", "writelines")]
ACTING = ("\x1b", "\x9b", "\x07", "\x7f", "\u202e", "\u2066", "\r", "\ud800")


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "show",
    [
        output.say,
        output.print_text,
        output.print_command,
        output.print_document,
        lambda text: output.print_document({"a": text, text: 1}),
        lambda text: output.print_line({"a": text.removesuffix("\ud800")}),
        lambda text: output.print_table(["a"], [[text]]),
    ],
)
def test_nothing_that_a_terminal_acts_on_is_shown(show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")  # a table's own header is bold
    terminal = Terminal(io.BytesIO(), encoding="utf-8")
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, terminal)
    show(EVIL)
    terminal.flush()
    text = terminal.buffer.getvalue().decode()
    assert "overwritten" in text
    assert [letter for letter in ACTING if letter in text] == []


def test_ordinary_text_is_left_alone() -> None:
    text = "Grüße, 世界 👩‍👩‍👧 שלום\n\tan indented line"
    assert escape_controls(text) == text


def test_every_output_goes_through_one_door() -> None:
    """Anything else that writes to a standard stream would have to escape by itself."""
    folder = Path(connector.__file__).parent
    writers = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in RAW
    }
    writers -= {"transform/expression/jsonata.py"}  # its standard output is a pipe to the process that started it
    assert writers == {"cli/output.py"}


class Hostile(BaseHTTPRequestHandler):
    """An upstream that refuses with a message made to take over a terminal."""

    def do_GET(self) -> None:
        body = b'{"error": {"message": "\\u001b[2Jgone\\u009b31m", "code": "\\u001b]0;x\\u0007"}}'
        self.send_response(404)
        self.send_header("content-type", "application/json")
        self.send_header("x-request-id", "r\x1b[31m")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_an_upstreams_words_do_not_reach_the_terminal_raw(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Hostile) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        seen = on_a_terminal(
            [
                "call",
                "models",
                "retrieve",
                "--path",
                "model=x",
                "--base-uri",
                f"http://127.0.0.1:{server.server_port}/v1",
                "--retries",
                "0",
            ],
            tmp_path,
        )
        server.shutdown()
    assert "gone" in seen
    assert "\x1b" not in seen
    assert "\x9b" not in seen


def on_a_terminal(arguments: list[str], folder: Path) -> str:
    ours, theirs = open_terminal()
    environment = {**os.environ, "OPENAI_API_KEY": "sk-none", "PYTHONPATH": str(Path(connector.__file__).parents[1])}
    command = [*warm.command(), *arguments]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment)
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    process.wait(timeout=60)
    return seen.decode()
