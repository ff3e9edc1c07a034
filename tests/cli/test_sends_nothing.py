"""What only shows reaches nobody: every command and every option, watched by a listener and by the interpreter."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.main import get_command
from typer.testing import CliRunner

from connector.cli.app import app
from connector.errors import ConnectorError

EVENTS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")


@dataclass
class Watch:
    """What this process tried to reach while it was watched."""

    reached: list[str] = field(default_factory=list[str])
    awake: bool = False

    def hear(self, event: str, arguments: Sequence[Any]) -> None:
        if self.awake and event in EVENTS and not (event == "socket.connect" and isinstance(arguments[1], str | bytes)):
            self.reached.append(f"{event} {arguments!r}")


WATCH = Watch()
sys.addaudithook(WATCH.hear)  # an audit hook cannot be taken away again, so it sleeps between the tests


@contextmanager
def watched() -> Generator[list[str]]:
    WATCH.reached.clear()
    WATCH.awake = True
    try:
        yield WATCH.reached
    finally:
        WATCH.awake = False


@dataclass
class Listener:
    """Counts who comes, whatever process they come from, and answers nothing."""

    port: int
    visits: list[int] = field(default_factory=list[int])


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = Listener(server.getsockname()[1])

        def accept() -> None:
            while True:
                try:
                    visitor, address = server.accept()
                except OSError:
                    return
                found.visits.append(address[1])
                visitor.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield found
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


CONFIGURATION = """
clients:
  team:
    prototype: openai
    parameters:
      {{token: sk-team-0123456789abcdef, base_uri: "http://127.0.0.1:{port}/v1", file_roots: ["http://127.0.0.1:{port}/"]}}
gateway:
  tokens: {{app: {{hash: "sha256:{hash}", clients: [team]}}}}
incoming:
  listed: {{subscriber: {{prototype: openai, parameters: {{client: team, entity: files}}}}}}
  asked:
    input: [{{openai: {{client: team, entity: models, action: list, destination: found}}}}]
    subscriber: {{prototype: openai, parameters: {{client: team, entity: files}}}}
  raw: {{subscriber: {{prototype: http, parameters: {{client: team, request: {{path: /files}}}}}}}}
  table: {{subscriber: {{prototype: sql, parameters: {{url: "postgresql://u:p@127.0.0.1:{port}/d", query: SELECT 1}}}}}}
  distant: {{subscriber: {{prototype: file, parameters: {{url: "http://127.0.0.1:{port}/a.jsonl"}}}}}}
  distant-many: {{subscriber: {{prototype: file, parameters: {{url: "http://127.0.0.1:{port}/a*.jsonl"}}}}}}
  distant-folder: {{subscriber: {{prototype: folder, parameters: {{url: "http://127.0.0.1:{port}/a*.png"}}}}}}
outgoing:
  greet:
    request: {{payload: {{model: gpt-5-mini, messages: [{{role: user, content: "&{{text}}"}}]}}}}
    publisher: {{prototype: openai, parameters: {{client: team, entity: chat completions}}}}
  greet-many:
    transport: batch
    publisher: {{prototype: openai, parameters: {{client: team, entity: chat completions}}}}
  judged:
    chain: [{{openai: {{client: team, entity: moderations, payload: {{input: "&{{text}}"}}, destination: verdict}}}}]
    publisher: {{prototype: none}}
  post: {{publisher: {{prototype: http, parameters: {{client: team, path: /files, method: POST}}}}}}
  upload:
    request:
      payload: {{purpose: batch, file: {{$file: "http://127.0.0.1:{port}/b.jsonl"}}}}
    publisher: {{prototype: openai, parameters: {{client: team, entity: files}}}}
routes:
  greetings: {{incoming: listed, outgoing: greet}}
  by-eight: {{incoming: listed, outgoing: greet-many, needed_by: "08:00"}}
chains:
  shout: [{{value-mapper: {{accessor: text, mappers: [{{string-case: upper}}]}}}}]
"""
REQUESTS = """\
{"operation": "GET /models"}
{"entity": "files", "action": "delete", "path": {"file_id": "file-1"}}
{"entity": "files", "action": "retreive"}
{"entity": "moderations", "payload": {"input": "a"}}
not json
"""
CASES = """
- {name: remote file, incoming: distant, output: 1}
- {name: remote folder, incoming: distant-folder, output: 1}
- {name: database, incoming: table, output: 1}
- {name: list, incoming: listed, output: 1}
- {name: asked, incoming: asked, output: 1}
- {name: upload, outgoing: upload, input: {}, output: 1}
- {name: judged, outgoing: judged, input: {text: a}, output: 1}
"""
DOCUMENT = {
    "openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "servers": [{"url": "http://127.0.0.1:9"}],
    "paths": {"/orders": {"get": {"operationId": "listOrders", "responses": {"200": {"description": "d"}}}}},
}  # fmt: skip


@pytest.fixture
def folder(listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import json

    monkeypatch.chdir(tmp_path)
    address = f"http://127.0.0.1:{listener.port}/v1"
    for name in ("OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"):
        monkeypatch.setenv(name, address)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789abcdef")
    (tmp_path / "connector.yaml").write_text(CONFIGURATION.format(port=listener.port, hash="0" * 64))
    (tmp_path / "r.jsonl").write_text(REQUESTS)
    (tmp_path / "source.json").write_text(json.dumps({"api_key": "sk-other-0123456789"}))
    rows = {"configuration": "connector.yaml", "outgoing": "post", "engine": "sqlite:///rows.db"}
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    (tmp_path / "all.test.yaml").write_text(CASES)
    (tmp_path / "openapi.json").write_text(json.dumps(DOCUMENT))
    (tmp_path / "alumio.jsonl").write_text(ALUMIO)
    (tmp_path / "atlas.yaml").write_text(ATLAS)
    return tmp_path


def commands() -> dict[str, Any]:
    """Every command of the program, as a person types it."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        if hasattr(command, "commands"):
            for name, inner in command.commands.items():
                yield from walk(inner, (*path, name))
        else:
            yield " ".join(path), command

    return dict(walk(get_command(app), ()))


COMMANDS = commands()
ALUMIO = (
    '{"type": "http-client", "identifier": "a", "name": "a", "object": {"prototype": "openai-http-client", '
    '"parameters": {"baseUri": "http://127.0.0.1:9/v1", "token": "${KEY}"}}}\n'
)
ATLAS = (
    "apiVersion: moment.dev/adapters/v1alpha1\nkind: HTTP\nmetadata: {name: a}\n"
    "spec: {baseUrl: 'http://127.0.0.1:9/v1'}\n"
)
CHAT = '{"model": "gpt-5", "messages": [{"role": "user", "content": "a"}]}'
ASKED = ["chat completions", "create", "--payload", CHAT]
UPLOAD = [
    "files",
    "create",
    "--request",
    '{"payload": {"purpose": "batch", "file": {"$file": "http://127.0.0.1:%d/c"}}}',
]
SHOWS: dict[str, list[list[str]]] = {
    "explain": [
        ASKED, ["models"], ["files", "delete", "--path", "file_id=a"], ["--from", "r.jsonl"],
        ["moderations", "--from", "r.jsonl"], UPLOAD, ["files", "delete", "file-1"],
        *[[name] for name in ("listed", "asked", "raw", "table", "distant", "distant-many", "distant-folder")],
        *[[name, "--document", '{"text": "a"}'] for name in ("greet", "judged", "upload")],
        ["post", "--document", '{"payload": {"a": 1}}'], ["by-eight", "--transport"],
    ],
    "call": [
        [*ASKED, "--dry-run"], ["models", "--dry-run"], ["--from", "r.jsonl", "--dry-run"], [*UPLOAD, "--dry-run"],
    ],
    "curl": [["/v1/files", "--dry-run"], ["/v1/files", "-d", "{}", "-X", "DELETE", "--dry-run"]],
    "subscribe": [
        ["files", "--dry-run"], ["listed", "--dry-run"], ["asked", "--dry-run"], ["--from", "r.jsonl", "--dry-run"],
    ],
    "lint": [[]],
    "schema": [[]],
    "variables": [[]],
    "steps": [[]],
    "chains": [[]],
    "test": [[]],
    "transform": [["shout"]],
    "entities list": [[]],
    "entities show": [["files"]],
    "entities import": [["openapi.json", "--into", "made"]],
    "entities drift": [["openapi.json"]],
    "models list": [[]],
    "models show": [["gpt-6-luna"]],
    "models check": [["openapi.json"]],
    "client list": [[]],
    "client add": [["other", "--base-url", "http://127.0.0.1:9/v1"]],
    "client edit": [["team", "--set", "description=ours"]],
    "client remove": [["team", "--force"]],
    "client prototypes": [[]],
    "incoming add": [["new", "--prototype", "file", "--parameter", "url=in.jsonl"]],
    "incoming edit": [["raw", "--set", "description=ours"]],
    "incoming list": [[]],
    "incoming remove": [["raw"]],
    "outgoing add": [["new", "--prototype", "file", "--parameter", "url=out.jsonl"]],
    "outgoing edit": [["post", "--set", "description=ours"]],
    "outgoing list": [[]],
    "outgoing remove": [["post"]],
    "route add": [["new", "--incoming", "raw", "--outgoing", "post"]],
    "route edit": [["greetings", "--set", "description=ours"]],
    "route list": [[]],
    "route remove": [["greetings"]],
    "route pause": [["greetings"], ["greetings", "--reason", "a"]],
    "route resume": [["greetings"]],
    "route run": [["greetings"]],
    "init": [["fresh"]],
    "export camunda": [["--seed"], ["--operation", "files *", "--folder", "forms"]],
    "export airbyte": [["--into", "connectors"]],
    "export prismatic": [["--into", "component"], ["--into", "component", "--operation", "files *"]],
    "airbyte source spec": [[]],
    "airbyte destination spec": [[]],
    "airbyte destination check": [["--config", "rows.json"]],
    "airbyte source discover": [["--config", "source.json"]],
    "openapi export": [[], ["--format", "3.0"], ["--operation", "files *"]],
    "import alumio": [["alumio.jsonl", "--into", "from-alumio"]],
    "import atlas": [["atlas.yaml", "--into", "from-atlas"]],
    "serve": [["--export", "nginx"], ["--export", "envoy"]],
    "gateway-token": [["app"]],
    "studio-token": [["app"], ["app", "--role", "operator"]],
    "backup": [["copy.db"]],
    "budget show": [[], ["greetings"]],
    "tasks list": [[]],
    "tasks show": [["1"]],
    "tasks export": [[]],
    "tasks skip": [["1"]],
    "tasks purge": [[]],
    "tasks retry": [["1"]],
    "tasks done": [["1"]],
}  # fmt: skip
"""Each command that only shows, or changes what lies on this machine, in the forms that do."""
SENDS = {
    "bill reconcile", "forecast", "publish", "run", "client test", "mcp", "sandbox", "studio", "models update",
    "entities update",
    "worker camunda", "worker temporal", "airbyte source check", "airbyte source read", "airbyte destination write",
    "singer tap", "singer target",
    "webhooks list", "webhooks register", "webhooks test", "webhooks rotate", "webhooks remove",
}  # fmt: skip
"""Commands that call, or serve, whatever is said with them."""
NO_LONGER_SHOWS = {"--dry-run", "--export", "--now"}
"""Options without which a form is another one; `tasks retry --now` runs."""
SAMPLES = {
    "--workers": "2",
    "--operation": "files list", "--folder": "forms",
    "--path": "file_id=a", "--query": "limit=1", "--payload": '{"input": "a"}', "--request": "{}",
    "--set": "query.limit=1",
    "--file": "file=r.jsonl", "--from": "r.jsonl", "--concurrency": "2", "--validate": "off", "--limit": "1",
    "--client": "openai", "--base-uri": "http://127.0.0.1:9/v1", "--base-url": "http://127.0.0.1:9/v1",
    "--token": "sk-other-0123456789", "--organization": "o", "--project": "p", "--parameter": "retry.max_retries=1",
    "--header": "X-A: b", "--timeout": "3", "--retries": "1", "--entities": "made", "--config": "connector.yaml",
    "--to": "answer.bin", "--as": "curl", "--select": "url", "--document": "{}", "--documents": "r.jsonl",
    "--errors": "errors.jsonl", "--data": "{}", "--form": "file=@r.jsonl", "--gateway": "http://127.0.0.1:9",
    "--answer": "text", "--format": "json", "--junit": "cases.xml", "--area": "files", "--search": "batch",
    "--into": "made-2", "--prototype": "openai", "--export": "nginx", "--port": "0", "--route": "greetings",
    "--state": "failed", "--key": "a", "--reason": "a", "--older-than": "1d", "--newer-than": "1d", "--after": "1",
    "--incoming": "raw", "--outgoing": "greet", "--unset": "description", "--edit": "r.jsonl",
    "--log-level": "debug", "--method": "GET", "--kind": "text", "--today": "2026-11-28", "--within": "30",
    "--accept": "gpt-5-mini", "--role": "viewer",
    "--sdk": "made", "--call": "1.0", "--server": "http://127.0.0.1:9/v1",
    "--repository": "registry.example/team", "--image": "openai-connector:1",
}  # fmt: skip
"""A value for each option that takes one."""


def options(command: str) -> dict[str, list[str]]:
    """Each option of a command with a value, as words of a command line."""
    found: dict[str, list[str]] = {}
    for option in COMMANDS[command].params:
        if option.param_type_name == "option" and not option.hidden:
            name = next(name for name in option.opts if name.startswith("--"))
            if name != "--help" and name not in NO_LONGER_SHOWS:
                found[name] = [name] if option.is_flag else [name, SAMPLES[name]]
    return found


REFUSED = {
    "asked", "judged", "r.jsonl", "test", "entities drift", "backup",
    "tasks list", "tasks show", "tasks export", "tasks skip", "tasks purge", "tasks retry", "tasks done",
    "route pause", "route resume", "route run",
}  # fmt: skip
"""What needs an answer to go on, has faults, finds a difference, or has no tasks yet."""
FORMS = [(command, form) for command, forms in SHOWS.items() for form in forms]


def run(command: str, words: Sequence[str], listener: Listener) -> Any:
    """The command's result; fails when anything was reached, or when it ended in a way that no one meant."""
    placed = [word.replace("%d", str(listener.port)) for word in words]
    before = len(listener.visits)
    with watched() as reached:
        result = CliRunner().invoke(app, [*command.split(), *placed], input='{"text": "a"}\n')
    assert reached == []
    assert len(listener.visits) == before
    assert result.exception is None or isinstance(result.exception, ConnectorError | SystemExit), result.exception
    return result


def test_every_command_is_known_to_send_or_to_show() -> None:
    assert SHOWS.keys() | SENDS == COMMANDS.keys()
    assert not SHOWS.keys() & SENDS


@pytest.mark.parametrize(
    ("command", "form"), FORMS, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_what_shows_sends_nothing_whatever_option_is_added(
    command: str, form: list[str], folder: Path, listener: Listener
) -> None:
    shown = run(command, form, listener)
    assert (shown.exit_code == 0) == (not any(word in REFUSED for word in (command, *form))), shown.output
    for words in options(command).values() if form == SHOWS[command][0] else ():
        run(command, [*form, *words], listener)


COMBINED = [(command, form) for command, form in FORMS if command in ("explain", "call", "curl", "subscribe")]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_no_combination_of_options_sends(data: st.DataObject, folder: Path, listener: Listener) -> None:
    command, form = data.draw(st.sampled_from(COMBINED))
    added = data.draw(st.lists(st.sampled_from(sorted(options(command))), max_size=5, unique=True))
    run(command, [*form, *(word for name in added for word in options(command)[name])], listener)


@pytest.mark.parametrize(
    "words",
    [["call", "models"], ["subscribe", "distant"], ["curl", "/v1/models"],
     ["call", "models", "--client", "openai", "--base-uri", "https://nowhere.invalid/v1"]],
    ids=" ".join,
)  # fmt: skip
def test_the_watch_sees_what_is_sent(words: list[str], folder: Path) -> None:
    with watched() as reached:
        CliRunner().invoke(app, [*words, *(["--retries", "0"] if words[0] != "subscribe" else [])])
    assert reached


@pytest.mark.parametrize(
    "words",
    [["explain", "--from", "r.jsonl"], ["call", "--from", "r.jsonl", "--dry-run"],
     ["explain", "--from", "r.jsonl", "--concurrency", "3"], ["call", "--dry-run", "--from", "-"]],
    ids=" ".join,
)  # fmt: skip
def test_each_request_of_a_file_is_shown_or_its_faults_are(words: list[str], folder: Path, listener: Listener) -> None:
    import json

    before = len(listener.visits)
    with watched() as reached:
        result = CliRunner().invoke(app, words, input=REQUESTS)
    assert (reached, len(listener.visits)) == ([], before)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["line"] for line in lines] == [1, 2, 3, 4, 5]
    assert [line.get("method") for line in lines] == ["GET", "DELETE", None, "POST", None]
    assert lines[1]["url"].endswith("/files/file-1")
    assert [line.get("state") for line in lines] == [None, None, "not_sent", None, "not_sent"]
    assert "did you mean 'retrieve'" in lines[2]["reason"]
    assert result.exit_code == 2
    assert "3 shown, 2 invalid" in result.stderr


def test_requests_of_a_file_are_shown_as_command_lines(folder: Path, listener: Listener) -> None:
    result = run("explain", ["--from", "r.jsonl", "--as", "curl"], listener)
    assert result.stdout.count("\ncurl -sS") == 3
    assert "# line 2\ncurl -sS -X DELETE" in result.stdout
    assert "line 3: unknown action 'retreive'" in result.stderr
