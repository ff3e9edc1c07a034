"""What people type: unquoted names, wrong quotes, forgotten signs, curl's forms, images, and nothing picked."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connector.cli.app import app
from connector.sandbox import Sandbox, in_thread
from tests import warm

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUg==")


@pytest.fixture(scope="module")
def api() -> Iterator[Any]:
    with in_thread(Sandbox()) as running:
        yield running


@pytest.fixture
def run(api: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_BASE_URL", api.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-any")
    return lambda *words, stdin="": CliRunner().invoke(app, list(words), input=stdin)


@pytest.mark.parametrize("typed", [
    ["chat", "completions", "create"], ["chat completions", "create"], ["POST", "/chat/completions"],
    ["createChatCompletion"],
])  # fmt: skip
def test_names_need_no_quotes(run: Any, typed: list[str]) -> None:
    request = '{"payload": {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Hi"}]}}'
    for command in ("call", "explain"):
        done = run(command, *typed, "--request", request, "--select", "body")
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)


def test_values_of_the_path_follow_the_name(run: Any) -> None:
    Path("t.jsonl").write_text("{}\n")
    up = run("call", "UploadFile", "--set", "payload.purpose=batch", "--file", "file=t.jsonl", "--select", "body.id")
    number = json.loads(up.stdout)
    for typed in (["RetrieveFile", number], ["files", "retrieve", number], ["GET", f"/files/{number}"]):
        assert json.loads(run("call", *typed, "--select", "body.id").stdout) == number
    assert json.loads(run("explain", "RetrieveFile", "a", "--path", "file_id=b", "--select", "url").stdout)[-1] == "b"
    assert "unknown value 'b'" in str(run("call", "RetrieveFile", "a", "b").exception)
    items = run("subscribe", "vector", "store", "files", "vs_none")
    assert "404" in str(items.exception)


@pytest.mark.parametrize(("options", "told"), [
    (["--payload", "g.json"], "--payload @g.json"),
    (["--payload", "{model: gpt-5}"], "the shell took the double quotes away"),
    (["--payload", "{'model': 1}"], "JSON has double quotes"),
    (["--payload", '{"model": \u201cx\u201d}'], "typographic quotes"),
    (["--payload", '{"model":'], "took it apart at a space"),
    (["--payload", "'{}'"], "one pair of single quotes"),
    (["--payload", "nothing.json"], "--payload @NAME"),
    (["--payload", '{"model":', '"gpt-5"}'], "took it apart at a space"),
    (["--request", "{payload: {}}"], "--request '{\"key\""),
    (["--set", "payload.messages=[{role: user}]"], "--set 'payload.messages={\"key\""),
    (["--set", "payload.a={'x': 1}"], "JSON has double quotes"),
])  # fmt: skip
def test_what_the_shell_made_of_it_is_told(run: Any, options: list[str], told: str) -> None:
    Path("g.json").write_text("{}")
    done = run("explain", "chat", "completions", "create", *options)
    assert told in str(done.exception)


def test_forms_are_those_of_curl(run: Any) -> None:
    Path("t").write_text("hi")
    Path("a;b").write_text("hi")

    def parts(*words: str) -> list[Any]:
        done = run("curl", "/v1/any", *words, "--dry-run", "--select", "body")
        assert done.exit_code == 0, done.output + str(done.exception)
        return [(part["name"], part.get("filename"), part.get("content_type")) for part in json.loads(done.stdout)]

    octets = "application/octet-stream"
    assert parts("-F", "image[]=@t") == [("image[]", "t", octets)]
    assert parts("-F", "image[]=@t", "-F", "image[]=@t;filename=o.png") == [
        ("image[]", "t", octets), ("image[]", "o.png", "image/png")
    ]  # fmt: skip
    assert parts("-F", "f=@t;filename=o;type=text/csv") == [("f", "o", "text/csv")]
    assert parts("-F", 'f=@t;type=text/csv;filename="x;y"') == [("f", "x;y", "text/csv")]
    assert parts("-F", "f=@a;b") == [("f", "a;b", octets)]
    assert parts("-F", "words[]=one") == [("words[]", None, None)]
    assert parts("-F", "a=1", "-F", "b=2", "-F", "a=3") == [("a", None, None), ("a", None, None), ("b", None, None)]
    assert parts("-F", "f=@t", "-F", "f=@t") == [("f", "t", octets), ("f", "t", octets)]
    assert parts("-F", "a=1", "-F", "a[]=2") == [("a", None, None), ("a[]", None, None)]
    assert parts("-F", "a=b;type=c") == [("a", None, None)]
    for wrong in ("f", "f=@", "=x"):
        assert "NAME=@FILE;filename=NAME" in str(run("curl", "/v1/any", "-F", wrong).exception)
    uploads = run("explain", "image", "edits", "create", "--file", "image[]=t", "--set", "payload.prompt=x",
                  "--validate", "off", "--select", "body[].name")  # fmt: skip
    assert json.loads(uploads.stdout) == ["prompt", "image[]"]


def test_images_are_written_as_images(run: Any) -> None:
    ask = (
        "call",
        "image",
        "generations",
        "create",
        "--set",
        "payload.prompt=a cat",
        "--set",
        "payload.model=gpt-image-1",
    )
    done = run(*ask, "--to", "cat.png")
    assert done.exit_code == 0, done.output
    assert Path("cat.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(done.stdout)["body"]["data"][0]["b64_json"] == {
        "file": "cat.png", "bytes": Path("cat.png").stat().st_size
    }  # fmt: skip
    assert run(*ask, "--set", "payload.n=2", "--to", "cat.png").exit_code == 0
    assert {"cat-1.png", "cat-2.png"} <= {path.name for path in Path().iterdir()}
    assert run(*ask, "--to", "cat.json").exit_code == 0
    assert "b64_json" in json.loads(Path("cat.json").read_text())["data"][0]
    assert "there is no folder 'none'" in str(run(*ask, "--to", "none/cat.png").exception)


def test_addresses_in_place_of_images_are_told(run: Any) -> None:
    sets = ("prompt=a cat", "model=dall-e-3", "response_format=url")
    words = [word for one in sets for word in ("--set", f"payload.{one}")]
    done = run("call", "image", "generations", "create", *words, "--to", "cat.png")
    assert done.exit_code == 7, done.output
    assert "addresses in place of images" in done.stderr
    assert not Path("cat.png").exists()
    none = run("call", "models", "list", "--to", "cat.png")
    assert (none.exit_code, "there is no image in the answer" in none.stderr) == (7, True)


@pytest.mark.parametrize("words", [
    ["call", "models", "list", "--select", "body.dta"],
    ["call", "models", "list", "--select", "body.data[].nothing"],
    ["explain", "models", "list", "--select", "nothing"],
    ["subscribe", "models", "--select", "nothing"],
    ["curl", "/v1/models", "--select", "nothing"],
])  # fmt: skip
def test_a_selection_of_nothing_is_told(run: Any, words: list[str]) -> None:
    done = run(*words)
    assert done.exit_code == 7, done.output
    assert "nothing was found by --select" in done.stderr


def test_a_selection_that_finds_something_is_no_matter(run: Any) -> None:
    assert run("call", "models", "list", "--select", "body.data[0].id").exit_code == 0
    assert run("subscribe", "models", "--select", "id").exit_code == 0


@pytest.mark.parametrize(("words", "paid"), [
    (["call", "embeddings", "create", "--payload", '{"model": "m", "input": "x"}', "--validate", "off"], True),
    (["curl", "-X", "POST", "/v1/embeddings", "-d", "{}"], True),
    (["call", "models", "list"], False),
])  # fmt: skip
def test_an_interrupt_says_what_it_leaves_open(tmp_path: Path, words: list[str], paid: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        environment = os.environ | {"OPENAI_BASE_URL": address, "OPENAI_API_KEY": "sk-any"}
        command = [*warm.command(), *words]
        with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(1)
                process.send_signal(signal.SIGINT)
                told = process.communicate(timeout=30)[1]
    assert process.returncode == 130, told
    assert ("may be paid for" in told) == paid
    assert "Traceback" not in told


def test_an_address_without_a_version_is_asked_about(run: Any, api: Any) -> None:
    bare = api.url.removesuffix("/v1")
    asked = run("curl", "/nowhere", "--base-uri", bare)
    assert asked.exit_code == 1, asked.output
    assert f"is {bare} the whole address?" in asked.stderr
    for words in (["curl", "/nowhere"], ["call", "RetrieveFile", "file-none"], ["curl", "/models", "--base-uri", bare]):
        assert "the whole address?" not in run(*words).stderr
