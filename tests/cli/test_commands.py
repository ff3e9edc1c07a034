"""The commands as a person or a script meets them: output, sentences, exit codes."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.cli import main
from tests.upstream import upstream

CHAT = '{"model": "gpt-5", "messages": [{"role": "user", "content": "Hi"}]}'


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[object]:
        return [json.loads(line) for line in self.out.splitlines()]


Command = Callable[..., Done]


@pytest.fixture(scope="module")
def base_uri() -> Iterator[str]:
    with upstream() as address:
        yield address


@pytest.fixture
def command(
    base_uri: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_BASE_URL", base_uri)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-123456789")

    def run(*words: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "argv", ["openai-connector", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfdbinary.readouterr()
        done = Done(int(ended.value.code or 0), printed.out.decode(), printed.err.decode())
        assert "sk-canary" not in done.out + done.err
        assert "Traceback" not in done.err
        return done

    return run


def test_call_prints_the_envelope(command: Command) -> None:
    done = command("call", "models", "list")
    envelope = done.lines[0]
    assert (done.code, envelope["state"], envelope["status"], envelope["request_id"]) == (0, "done", 200, "req_example")
    assert [model["id"] for model in envelope["body"]["data"]] == ["gpt-6.1-terra", "gpt-6-luna"]


@pytest.mark.parametrize(
    "words",
    [
        ["call", "POST /chat/completions"],
        ["call", "createChatCompletion"],
        ["call", "chat.completions.create"],
        ["call", "Chat-Completions", "create"],
    ],
)
def test_every_spelling_calls_the_same(command: Command, words: list[str]) -> None:
    done = command(*words, "--payload", CHAT, "--select", "body.choices[0].message.content")
    assert (done.code, done.lines) == (0, ["Good morning!"])


def test_the_request_is_put_together_from_its_parts(command: Command) -> None:
    base = '{"query": {"limit": 3, "order": "asc"}, "headers": {"x-a": "1"}}'
    done = command("explain", "files", "list", "--request", base, "--query", "limit=5", "--header", "X-B: 2")
    shown = done.lines[0]
    assert shown["url"].endswith("/files?limit=5&order=asc")
    assert {"x-a", "x-b"} <= {name.lower() for name in shown["headers"]}


def test_all_follows_pages_and_limit_ends_them(command: Command) -> None:
    assert command("call", "files", "list", "--all", "--select", "id").lines == [f"file-{n}" for n in range(1, 6)]
    assert command("subscribe", "files", "--limit", "3", "--select", "id").lines == ["file-1", "file-2", "file-3"]


def test_a_stream_prints_its_events(command: Command) -> None:
    done = command(
        "call", "chat completions", "create", "--payload", CHAT, "--stream", "--select", "choices[0].delta.content"
    )
    assert (done.code, done.lines) == (0, ["Good", " morning", "!"])


def test_a_file_goes_up_and_an_answer_down(command: Command, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("{}\n", encoding="utf-8")
    up = command("call", "files", "create", "--set", "payload.purpose=batch", "--file", "file=t.jsonl")
    assert up.lines[0]["body"]["filename"] == "t.jsonl"
    down = command("call", "file content", "--path", "file_id=file-1", "--to", "copy.jsonl")
    assert down.code == 0
    assert (tmp_path / "copy.jsonl").read_bytes() == b'{"custom_id": "1"}\n'


def test_binary_answers_stay_json(command: Command) -> None:
    body = command("call", "file content", "--path", "file_id=file-1").lines[0]["body"]
    assert body == {"$content": "eyJjdXN0b21faWQiOiAiMSJ9Cg==", "content_type": "application/octet-stream"}


def test_a_refusal_is_told_in_words_and_by_code(command: Command) -> None:
    done = command("call", "files", "retrieve", "--path", "file_id=nope")
    assert done.code == 1
    assert done.err.startswith("refused with status 404: No such File object: nope")


def test_every_fault_is_named_and_nothing_sent(command: Command) -> None:
    done = command("call", "chat completions", "create", "--payload", '{"modle": "x", "temperature": 3}')
    assert (done.code, done.out) == (2, "")
    for where in ("payload.messages: missing", "payload.model: missing", "payload.modle", "payload.temperature"):
        assert where in done.err
    assert "did you mean 'model'" in done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["call", "fles", "list"], "did you mean 'files'"),
        (["call", "files", "lsit"], "did you mean 'list'?"),
        (["call"], "which operation?"),
        (["call", "models", "--query", "limit"], "write it as name=value"),
        (["call", "models", "--payload", "{"], "--payload"),
        (["call", "models", "--payload", "@none.json"], "cannot read 'none.json'"),
        (["call", "models", "--client", "opnai"], "did you mean 'openai'?"),
        (["call", "models", "--parameter", "retyr.max_retries=1"], "retry"),
        (["call", "models", "--select", "a["], "--select 'a['"),
        (["call", "models", "--entities", "nowhere"], "is not a folder"),
        (["call", "models", "--base-uri", "http://example.com"], "http"),
        (["call", "--from", "none.jsonl"], "cannot read 'none.jsonl'"),
        (["call", "models", "--validate", "hard"], "strict"),
        (["explain", "models", "--as", "wget"], "json or curl"),
        (["curl", "https://elsewhere.example/v1/models"], "path"),
        (["curl", "/v1/models", "-d", "{}", "-F", "a=b"], "either --data or --form"),
        (["client", "prototypes", "nope"], "openai-compatible"),
    ],
)
def test_wrong_input_is_answered_with_a_sentence(command: Command, words: list[str], told: str) -> None:
    done = command(*words)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_a_missing_key_says_which_variable_to_set(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    done = command("call", "models")
    assert done.code == 2
    assert "OPENAI_API_KEY" in done.err


def test_a_dead_host_is_a_network_error(command: Command) -> None:
    done = command("call", "models", "--base-uri", "http://127.0.0.1:1/v1", "--retries", "0")
    assert (done.code, done.lines[0]["state"]) == (4, "not_sent")
    assert "connection refused" in done.err


def test_explain_needs_no_key_and_sends_nothing(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    done = command("explain", "chat completions", "create", "--payload", CHAT, "--base-uri", "http://127.0.0.1:1/v1")
    shown = done.lines[0]
    assert (done.code, shown["method"], shown["body"]) == (0, "POST", json.loads(CHAT))
    assert "headers.authorization: missing; chat completions create needs a key: set OPENAI_API_KEY" in done.err
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-123456789")
    pasted = command("explain", "chat completions", "create", "--payload", CHAT, "--as", "curl")
    assert "$OPENAI_API_KEY" in pasted.out
    assert pasted.out.startswith("curl ")


def test_many_lines_come_back_in_order_with_their_numbers(command: Command) -> None:
    lines = b"\n".join(
        [
            b'{"operation": "GET /models"}',
            b'{"entity": "files", "action": "retreive"}',
            b"",
            b"not json",
            b'{"entity": "files", "action": "retrieve", "path": {"file_id": "x"}}',
            b'{"entity": "moderations", "action": "create", "payload": {"inputt": 1}}',
            b'{"entity": "moderations", "action": "create", "payload": {"input": "a"}}',
        ]
    )
    done = command("call", "--from", "-", "--concurrency", "2", "--select", "[line, state, status]", stdin=lines)
    assert done.lines == [
        [1, "done", 200],
        [2, "not_sent", None],
        [4, "not_sent", None],
        [5, "refused", 404],
        [6, "not_sent", None],
        [7, "done", 200],
    ]
    assert done.code == 1
    assert "2 done" in done.err


def test_curl_sends_any_path(command: Command, tmp_path: Path) -> None:
    assert command("curl", "/v1/models", "--select", "status").lines == [200]
    assert command("curl", "/models", "--select", "status").lines == [200]
    done = command("curl", "/v1/moderations", "-d", '{"input": "x"}', "--select", "body.id")
    assert done.lines == ["modr-1"]
    (tmp_path / "t.jsonl").write_text("{}\n", encoding="utf-8")
    up = command("curl", "/v1/files", "-F", "purpose=batch", "-F", "file=@t.jsonl", "--select", "body.filename")
    assert up.lines == ["t.jsonl"]
    shown = command("curl", "/v1/models?a=1", "--query", "b=2", "--dry-run").lines[0]
    assert shown["url"].endswith("/models?a=1&b=2")


def test_entities_are_listed_searched_and_shown(command: Command) -> None:
    assert len(command("entities", "list").lines) > 388
    assert {row["area"] for row in command("entities", "list", "--area", "files").lines} == {"files"}
    assert "batches" in {row["entity"] for row in command("entities", "list", "--search", "batch").lines}
    nothing = command("entities", "list", "--search", "zzz")
    assert (nothing.out, nothing.code) == ("", 0)
    shown = command("entities", "show", "embeddings", "create").lines[0]
    assert {"path", "payload", "answer", "effect", "example"} <= shown.keys()
    assert [one["action"] for one in command("entities", "show", "files").lines[0]] == [
        "list",
        "retrieve",
        "create",
        "delete",
    ]
    text = command("entities", "show", "chat", "completions", "create", "--text").out
    assert text.startswith("chat completions create    POST /chat/completions\n")
    head, example = text.split("\nexample\n")
    assert all(len(line) <= 80 for line in head.splitlines())
    assert example.startswith("  openai-connector call chat completions create --request '{")


def test_prototypes_are_listed_with_their_parameters(command: Command) -> None:
    names = [kind["name"] for kind in command("client", "prototypes").lines[0]]
    assert names == ["openai", "azure-openai", "openai-compatible", "http", "camunda"]
    parameters = {row["name"]: row for row in command("client", "prototypes", "openai").lines[0]}
    assert parameters["token"]["environment"] == "OPENAI_API_KEY"


def test_steps_are_listed_with_their_origin(command: Command) -> None:
    rows = command("steps").lines[0]
    assert {row["kind"] for row in rows} == {"step", "mapper", "condition", "accessor"}
    assert {row["origin"] for row in rows} == {"openai-connector"}
    setter = command("steps", "value-setter").lines[0]
    names = [field["name"] for field in setter[0]["fields"]]
    assert names == ["configurations", *(f"configurations[].{name}" for name in ("key", "value", "mappers"))]
    wrong = command("steps", "value-seter")
    assert (wrong.code, "did you mean 'value-setter'" in wrong.err) == (2, True)


def test_help_names_every_command(command: Command) -> None:
    done = command("--help")
    assert done.code == 0
    for name in ("call", "explain", "subscribe", "curl", "entities", "client"):
        assert f"  {name} " in done.out
    assert command("--version").out.strip() == "0.1.0"
