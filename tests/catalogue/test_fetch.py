"""Documents by their address: what a server may do, and what a catalogue is left as."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from connector.catalogue import Catalogue
from connector.catalogue.importer import fetch
from connector.catalogue.importer.fetch import fetch_document, show_address
from connector.errors import ConfigurationError
from tests.catalogue.small_sdk import DOCUMENT, contents, run

TEXT = json.dumps({**DOCUMENT, "paths": {**DOCUMENT["paths"], "/dogs": {"get": {"responses": {"204": {}}}}}}).encode()
YAML = (
    b"openapi: 3.1.0\nservers: [{url: 'https://api.openai.com/v1'}]\npaths: {/dogs: {get: {responses: {'204': {}}}}}\n"
)


class Answers(BaseHTTPRequestHandler):
    """Answers each path in its own way."""

    gate = threading.Event()

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/document.json":
                self._answer(TEXT)
            case "/document.yaml":
                self._answer(YAML)
            case "/moved":
                self._answer(b"", 302, Location="/document.json")
            case "/circle":
                self._answer(b"", 302, Location="/circle")
            case "/truncated":
                self._answer(TEXT[:100], length=len(TEXT))
            case "/page":
                self._answer(b"<html><body>Sign in</body></html>")
            case "/large":
                self._answer(b" " * 3_000_000 + TEXT)
            case "/slow":
                self._answer(TEXT[:100], length=len(TEXT), wait=True)
            case _:
                self._answer(b"nothing", 404)

    def _answer(
        self, body: bytes, status: int = 200, *, length: int | None = None, wait: bool = False, **headers: str
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body) if length is None else length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if wait:
            self.wfile.flush()
            self.gate.wait(30)

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Answers.gate.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("path", ["/document.json", "/document.yaml", "/moved", "/document.json?token=s3cret"])
def test_a_document_is_fetched_and_written(path: str, address: str, cats: Path) -> None:
    shown = run("update", "--document", address + path, "--text")
    assert shown.exit_code == 0, (shown.output, shown.exception)
    assert "added    operation  GET /dogs (dogs retrieve)" in shown.stdout
    assert Catalogue.open(cats / "entities").find("GET /dogs")
    assert run("drift", address + path).exit_code == 0


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/missing", "/missing: answers 404 Not Found; save the document and name the file"),
        ("/circle", "/circle: cannot be fetched: Exceeded maximum allowed redirects"),
        ("/truncated", "/truncated: cannot be fetched: peer closed connection"),
        ("/page", "/page: no openapi version; an OpenAPI 3.0 or 3.1 document is needed"),
        ("/large", "/large: more than 2 MB; is it an OpenAPI document?"),
    ],
)
def test_what_is_no_document_changes_nothing(
    path: str, said: str, address: str, cats: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "LARGEST", 2 * 2**20)
    before = contents(cats)
    refused = run("update", "--document", f"{address.replace('//', '//me:hunter2@')}{path}?token=s3cret", "--text")
    assert isinstance(refused.exception, ConfigurationError), (refused.output, refused.exception)
    assert f"{address}{said}" in str(refused.exception)
    assert "hunter2" not in str(refused.exception)
    assert "s3cret" not in str(refused.exception)
    assert contents(cats) == before


def test_a_server_that_stalls_is_not_waited_for(address: str) -> None:
    with pytest.raises(ConfigurationError, match="/slow: cannot be fetched: timed out"):
        fetch_document(f"{address}/slow", timeout=httpx.Timeout(0.1))
    with pytest.raises(ConfigurationError, match="not whole after -1 s; save the document"):
        fetch_document(f"{address}/document.json", longest=-1)


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"^http://127.0.0.1:9/x: cannot be fetched: .*; save the document"):
        fetch_document("http://127.0.0.1:9/x")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:hunter2@example.com/a?token=x#y", "https://example.com/a#y"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("https://me:hunter2@example.com:port/a?token=x", "example.com:port/a"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert show_address(url) == shown
