"""nginx with the exported configuration, called over loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import openai
import pytest

from tests.gateway.export.conftest import BOT, OTHER, Proxied, configuration


class Recorder(ThreadingHTTPServer):
    """An API that keeps what it was asked and answers what the test says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.forget()

    def forget(self) -> None:
        """Everything as at the beginning."""
        self.seen: list[Any] = []
        self.status = 200
        self.headers = {"Content-Type": "application/json"}
        self.body = b'{"object": "list", "data": []}'
        self.go_on = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def do(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if "chunked" in self.headers.get("transfer-encoding", ""):
            body = b"chunked"
        self.server.seen.append((self.command, self.path, self.headers, body))
        if self.path.endswith("/stream"):
            self.stream()
            return
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.server.body)

    do_GET = do_POST = do_DELETE = do_HEAD = do_PUT = do  # noqa: N815  http.server's names

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: 1\n\n")
        self.wfile.flush()
        assert self.server.go_on.wait(10)
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def log_message(self, *told: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with Recorder() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def upstream(recorder: Recorder) -> Recorder:
    recorder.forget()
    return recorder


@pytest.fixture(scope="module")
def proxied(nginx: Callable[..., Proxied], recorder: Recorder) -> Proxied:
    """One nginx for all tests that need nothing special."""
    return nginx(configuration(recorder.url, body_bytes=100_000))


def test_credentials_take_the_place_of_the_callers(proxied, upstream):
    theirs = {
        "OpenAI-Organization": "theirs", "OpenAI-Project": "theirs", "Cookie": "a=b", "X-Forwarded-For": "1.2.3.4",
        "X-Team": "theirs", "api-key": "theirs", "OpenAI-Beta": "assistants=v2", "X-Gateway-Caller": "admin",
    }  # fmt: skip
    answer = proxied.call("POST", "/openai/v1/chat/completions?a=b&a=%2F", json={"model": "gpt-5"}, headers=theirs)
    assert answer.status_code == 200, answer.text
    method, path, headers, body = upstream.seen[0]
    assert (method, path, json.loads(body)) == ("POST", "/v1/chat/completions?a=b&a=%2F", {"model": "gpt-5"})
    assert headers.get_all("authorization") == ["Bearer sk-canary-upstream$1"]
    assert headers.get_all("openai-organization") == ["org-1"]
    assert headers.get_all("x-team") == ['a$b "c"']
    assert headers["host"] == upstream.url.split("/")[2]
    assert headers["openai-beta"] == "assistants=v2"
    for name in ("openai-project", "cookie", "x-forwarded-for", "api-key"):
        assert name not in headers


def test_both_forms_of_a_path_lead_to_the_same(proxied, upstream):
    for path in ("/openai/v1/files/f:1?x", "/v1/apis/http/openai/v1/files/f:1?x", "/v1/apis/http/openai/files/f:1?x"):
        assert proxied.call("GET", path).status_code == 200
    assert [path for _, path, _, _ in upstream.seen] == ["/v1/files/f:1?x"] * 3


def test_administration_has_its_own_key(nginx, upstream):
    written = configuration(upstream.url)
    written["gateway"]["tokens"]["bot"]["allow"] = ["projects *", "models list"]
    proxied = nginx(written)
    assert proxied.call("GET", "/openai/v1/organization/projects").status_code == 200
    assert proxied.call("GET", "/openai/v1/models").status_code == 200
    found = [headers["authorization"] for _, _, headers, _ in upstream.seen]
    assert found == ["Bearer sk-canary-admin", "Bearer sk-canary-upstream$1"]


@pytest.mark.parametrize(
    ("token", "method", "path", "status"),
    [
        (BOT, "POST", "/openai/v1/chat/completions", 200),
        (BOT, "GET", "/openai/v1/chat/completions", 403),
        (BOT, "GET", "/openai/v1/files", 200),
        (BOT, "HEAD", "/openai/v1/files", 200),
        (BOT, "GET", "/openai/v1/files/f/content", 403),
        (BOT, "DELETE", "/openai/v1/files/f", 200),
        (BOT, "GET", "/openai/v1/custom/a/b", 200),
        (BOT, "POST", "/openai/v1/custom/a", 403),
        (BOT, "GET", "/openai/v1/models", 403),
        (BOT, "GET", "/openai/v1/chat/completions/files", 403),
        (OTHER, "GET", "/openai/v1/models/gpt-5", 200),
        (OTHER, "GET", "/openai/v1/agents/automations", 200),
        (OTHER, "GET", "/openai/v1/organization/projects", 403),
        (OTHER, "GET", "/openai/v1/custom/a", 403),
        (OTHER, "PUT", "/openai/v1/models", 403),
        (OTHER, "OPTIONS", "/openai/v1/models", 405),
        (OTHER, "GET", "/other/v1/models", 404),
        (BOT.upper(), "GET", "/openai/v1/files", 401),
        (BOT + "x", "GET", "/openai/v1/files", 401),
        (None, "GET", "/openai/v1/files", 401),
    ],
)
def test_only_what_a_rule_allows_goes_on(proxied, upstream, token, method, path, status):
    answer = proxied.call(method, path, token)
    assert answer.status_code == status, answer.text
    assert len(upstream.seen) == (status == 200)
    if status != 200:
        assert answer.json()["error"]["type"] == "gateway_error"


@pytest.mark.parametrize(
    "path",
    [
        "/openai/v1/custom/../files", "/openai/v1/custom/%2e%2e/files", "/openai/v1/custom/..%2ffiles",
        "/openai/v1/custom//x", "/openai/v1/custom/a%5cb", "/openai/v1/custom/%00", "/openai/v1/custom/%zz",
        "/openai/v1/custom/%252e%252e/x", "//openai/v1/custom/x", "/openai/v1/./custom/x", "/openai/v1/custom/a\\b",
        "http://evil/openai/v1/custom/x", "/openai/v1/custom/{x}", "/openai/v1/custom/%41", "/../openai/v1/custom/x",
    ],
)  # fmt: skip
def test_a_path_leads_nowhere_else(proxied, upstream, path):
    head = f"GET {path} HTTP/1.1\r\nHost: localhost:{proxied.port}\r\nAuthorization: Bearer {BOT}\r\n"
    answer = proxied.raw(f"{head}Connection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert upstream.seen == []


def test_hosts_and_origins(proxied, upstream):
    for host, status in (("localhost:PORT", 200), ("evil.example", 421), ("localhost", 421)):
        answer = proxied.call("GET", "/openai/v1/files", headers={"Host": host.replace("PORT", str(proxied.port))})
        assert answer.status_code == status
    assert proxied.call("GET", "/openai/v1/files", headers={"Origin": "https://evil.example"}).status_code == 403
    assert len(upstream.seen) == 1
    assert proxied.call("GET", "/healthz", None, headers={"Host": "10.0.0.7"}).json() == {"status": "ok"}


def test_answers_go_back_without_what_is_upstreams_own(proxied, upstream):
    upstream.status = 404
    upstream.headers |= {
        "x-request-id": "req_1", "Set-Cookie": "a=b", "Access-Control-Allow-Origin": "*", "Alt-Svc": "h3=:443",
        "X-Accel-Redirect": "/healthz", "x-ratelimit-remaining-requests": "41",
        "Strict-Transport-Security": "max-age=1",
    }  # fmt: skip
    upstream.body = b'{"error": {"message": "no such file"}}'
    answer = proxied.call("GET", "/openai/v1/files/f")
    assert (answer.status_code, answer.content) == (404, upstream.body)
    assert (answer.headers["x-request-id"], answer.headers["x-ratelimit-remaining-requests"]) == ("req_1", "41")
    for name in ("set-cookie", "access-control-allow-origin", "alt-svc", "strict-transport-security"):
        assert name not in answer.headers


@pytest.mark.parametrize(("status", "code"), [(401, "client_refused"), (302, "redirected"), (307, "redirected")])
def test_refusals_that_are_not_for_the_caller(proxied, upstream, status, code):
    upstream.status = status
    upstream.headers["Location"] = "https://evil.example/"
    answer = proxied.call("GET", "/openai/v1/files")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, code)
    assert "location" not in answer.headers
    assert len(upstream.seen) == 1


def test_streams_are_not_held_back(proxied, upstream):
    import httpx

    headers = {"Authorization": f"Bearer {BOT}"}
    with (
        httpx.Client(trust_env=False, timeout=60) as http,
        http.stream("GET", f"{proxied.url}/openai/v1/custom/stream", headers=headers) as answer,
    ):
        pieces = answer.iter_raw()
        assert next(pieces) == b"data: 1\n\n"  # while upstream waits for us to say so
        upstream.go_on.set()
        assert next(pieces) == b"data: [DONE]\n\n"


def test_bodies_have_a_bound_and_are_not_held_back(proxied, upstream):
    assert proxied.call("POST", "/openai/v1/files", content=b"x" * 100_001).status_code == 413
    assert upstream.seen == []
    assert proxied.call("POST", "/openai/v1/files", content=b"x" * 100_000).status_code == 200


def test_requests_a_minute(nginx, upstream):
    written = configuration(upstream.url)
    written["gateway"]["tokens"]["bot"]["requests_per_minute"] = 2
    proxied = nginx(written)
    found = [proxied.call("GET", "/openai/v1/files").status_code for _ in range(4)]
    assert found == [200, 200, 429, 429]
    assert proxied.call("GET", "/openai/v1/files", OTHER).status_code == 200
    assert proxied.call("GET", "/openai/v1/files").json()["error"]["code"] == "rate_limit_exceeded"


def test_an_upstream_that_is_gone(nginx):
    answer = nginx(configuration("http://127.0.0.1:1/v1")).call("GET", "/openai/v1/files")
    assert answer.status_code == 502


def test_the_place_behind_the_rules_is_not_to_be_called(proxied, upstream):
    assert proxied.call("GET", "/gateway-client/openai", OTHER).status_code == 404
    assert upstream.seen == []


def test_the_official_sdk_sees_no_difference(proxied, upstream):
    completion = {"id": "1", "object": "chat.completion", "created": 1, "model": "gpt-5", "choices": []}
    upstream.body = json.dumps(completion).encode()
    with openai.OpenAI(base_url=f"{proxied.url}/openai/v1", api_key=BOT, max_retries=0) as sdk:
        asked = {"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]}
        assert sdk.chat.completions.create(**asked).id == "1"
        file = sdk.files.create(file=("tickets.jsonl", b"{}\n" * 1000), purpose="batch")
        assert b"tickets.jsonl" in upstream.seen[1][3]
        assert file.id == "1"
        with pytest.raises(openai.PermissionDeniedError):
            sdk.models.list()


def test_no_secret_is_logged(proxied, upstream):
    proxied.call("GET", "/openai/v1/files?key=sk-in-the-query")
    proxied.call("GET", "/openai/v1/models")
    logged = (proxied.folder / "access.log").read_text() + (proxied.folder / "error.log").read_text()
    assert '"bot" "openai" GET "/openai/v1/files" 200' in logged
    for secret in (BOT, "sk-canary", "sk-in-the-query"):
        assert secret not in logged
