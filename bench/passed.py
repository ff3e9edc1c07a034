"""Which files of the connector one document passes, counted in a command that has already done the same many times.

python -m bench.passed run|publish|call|client|gateway    prints the files as JSON
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from types import FrameType

from bench.exchange import ANSWER

HOME = str(Path(__file__).parents[1] / "connector") + os.sep
DOCUMENTS = 200
WARM = 100
"""The document that is counted is the next one after so many."""
CONFIGURATION = """
clients:
  local:
    prototype: openai-compatible
    parameters: {{base_uri: "http://127.0.0.1:{port}/v1", token: sk-bench-0123456789}}
incoming:
  tickets:
    subscriber: {{prototype: file, parameters: {{url: tickets.jsonl}}}}
    chain: [{{value-setter: {{configurations: {{kind: ticket}}}}}}]
outgoing:
  summaries:
    publisher:
      prototype: openai
      parameters: {{client: local, entity: chat completions, action: create}}
    request:
      payload:
        model: gpt-6-luna
        messages: [{{role: user, content: "&{{text}}"}}]
    answer:
      chain: [{{value-setter: {{configurations: {{"": {{summary: "&{{body.id}}"}}}}}}}}]
      publisher: {{prototype: file, parameters: {{url: summaries.jsonl, append: true}}}}
    concurrency: 1
routes:
  summarise: {{incoming: tickets, outgoing: summaries}}
gateway:
  listen: 127.0.0.1:{gateway}
  tokens:
    bench:
      hash: sha256:{hash}
      clients: [local]
      allow: [chat completions create]
      requests_per_minute: 100000
      tokens_per_minute: 100000000
      budget: {{amount: 5000.00, every: day}}
prices:
  gpt-6*: {{input: 0.1, cached_input: 0.01, output: 0.5}}
"""


class Trace:
    """The files whose functions run while it records."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}
        self.recording = False

    def install(self) -> None:
        """Record in every thread from now on."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def _note(self, frame: FrameType, event: str, _argument: object) -> None:
        if self.recording and event == "call":
            code = frame.f_code
            if code.co_filename.startswith(HOME) and code.co_name != "<module>":
                name = code.co_filename.removeprefix(HOME)
                self.calls[name] = self.calls.get(name, 0) + 1


class Upstream(BaseHTTPRequestHandler):
    """Answers every chat completion, and calls `arrived` with the number of the request."""

    protocol_version = "HTTP/1.1"
    arrived: Callable[[int], None]
    count = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        type(self).count += 1
        type(self).arrived(type(self).count)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def upstream(arrived: Callable[[int], None]) -> Iterator[int]:
    """A server on loopback, in a thread that is not traced."""
    handler = type("Handler", (Upstream,), {"arrived": staticmethod(arrived)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()


def command(*arguments: str) -> None:
    """Run the command line in this process, and show what it says when it fails."""
    from connector.cli import main

    sys.argv = ["openai-connector", *arguments]
    output, errors = TextIOWrapper(BytesIO(), "utf-8"), StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            main()
        except SystemExit as end:
            if end.code not in (0, None):
                print(errors.getvalue(), file=sys.__stderr__)


def documents(trace: Trace, verb: str) -> None:
    """One of many documents that a command reads and publishes one after the other."""

    def arrived(number: int) -> None:
        trace.recording = number == WARM

    with upstream(arrived) as port:
        _write(port)
        trace.install()
        if verb == "run":
            command("run", "summarise", "--once", "-f", "connector.yaml")
        else:
            sys.stdin = Path("tickets.jsonl").open(encoding="utf-8")  # noqa: SIM115 - closed with the process
            command("publish", "summaries", "-f", "connector.yaml")


def call(trace: Trace) -> None:
    """A whole `call`, the second one of its process."""
    with upstream(lambda _: None) as port:
        payload = json.dumps({"model": "gpt-6-luna", "messages": [{"role": "user", "content": "hello"}]})
        where = (
            "--client",
            "openai-compatible",
            "--base-uri",
            f"http://127.0.0.1:{port}/v1",
            "--token",
            "sk-bench-0123456789",
        )
        words = ("call", "chat completions", "create", *where, "--payload", payload)
        command(*words)
        trace.install()
        trace.recording = True
        command(*words)
        trace.recording = False


def client(trace: Trace) -> None:
    """One call of a client that has made others."""
    import asyncio

    from connector import Client, Publisher

    async def press(port: int) -> None:
        where = {"base_uri": f"http://127.0.0.1:{port}/v1", "token": "sk-bench-0123456789"}
        payload = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "hello"}]}
        async with Client("openai-compatible", **where) as client:
            publisher = Publisher(client, "chat completions", "create")
            for number in range(6):
                trace.recording = number == 5
                (await publisher.publish({"payload": payload})).require()
            trace.recording = False

    with upstream(lambda _: None) as port:
        trace.install()
        asyncio.run(press(port))


def gateway(trace: Trace) -> None:
    """One request through the gateway, on a connection that has carried others."""
    with upstream(lambda _: None) as port:
        listen = _write(port)
        trace.install()
        threading.Thread(target=_ask, args=(trace, listen), daemon=True).start()
        command("serve", "-f", "connector.yaml")


def _ask(trace: Trace, port: int) -> None:
    sys.setprofile(None)
    import http.client

    body = json.dumps({"model": "gpt-6-luna", "messages": [{"role": "user", "content": "hello"}]})
    headers = {"authorization": "Bearer bench-token-0123456789abcdef", "content-type": "application/json"}
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for number in range(6):
        trace.recording = number == 5
        connection.request("POST", "/local/v1/chat/completions", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            print("gateway answered", answer.status, file=sys.__stderr__)
        time.sleep(0.1)
    trace.recording = False
    os.kill(os.getpid(), signal.SIGTERM)


def _write(port: int) -> int:
    from hashlib import sha256

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = int(free.getsockname()[1])
    token = sha256(b"bench-token-0123456789abcdef").hexdigest()
    Path("connector.yaml").write_text(CONFIGURATION.format(port=port, gateway=listen, hash=token), encoding="utf-8")
    lines = "".join(json.dumps({"text": f"ticket {number}"}) + "\n" for number in range(DOCUMENTS))
    Path("tickets.jsonl").write_text(lines, encoding="utf-8")
    return listen


def main() -> None:
    trace = Trace()
    what = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        match what:
            case "call":
                call(trace)
            case "client":
                client(trace)
            case "gateway":
                gateway(trace)
            case _:
                documents(trace, what)
        sys.setprofile(None)
        os.chdir("/")
    print(json.dumps(trace.calls, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
