"""`webhooks` against the sandbox: endpoints are made, tested, given new secrets and removed; receivers believe them."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner

from connector.cli.app import app
from connector.errors import ConfigurationError, UnknownName
from connector.model import CallFailed
from connector.sandbox import Sandbox
from connector.subscribers.webhook import is_genuine, keys_of


@dataclass
class Receiver:
    """A receiver that believes the secrets of a file, as those of the gateway do."""

    url: str = ""
    file: Path = Path()
    taken: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    signatures: list[str] = field(default_factory=list[str])

    async def take(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        headers: Mapping[str, str] = {name.lower(): value for name, value in request.headers.items()}
        if not is_genuine(headers, body, keys_of(self.file.read_text()), time.time(), 300):
            return web.Response(status=400)
        self.signatures.append(headers["webhook-signature"])
        self.taken.append(json.loads(body))
        return web.Response()


@dataclass
class World:
    """A sandbox and a receiver, in a thread of their own since commands have loops of their own."""

    sandbox: Sandbox
    receiver: Receiver
    loop: asyncio.AbstractEventLoop

    def run(self, work: Callable[[], Any]) -> Any:
        async def there() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(there(), self.loop).result(10)


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    receiver = Receiver()

    async def start() -> tuple[Sandbox, web.ServerRunner]:
        sandbox = await Sandbox().__aenter__()
        runner = web.ServerRunner(web.Server(receiver.take, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/openai"
        return sandbox, runner

    async def stop(sandbox: Sandbox, runner: web.ServerRunner) -> None:
        await runner.cleanup()
        await sandbox.__aexit__(None, None, None)

    started = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    yield World(started[0], receiver, loop)
    asyncio.run_coroutine_threadsafe(stop(*started), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture
def world(running: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The sandbox as if just started, and an empty current folder."""
    running.run(running.sandbox.reset)
    running.receiver.file = tmp_path / "secret"
    running.receiver.taken.clear()
    running.receiver.signatures.clear()
    monkeypatch.chdir(tmp_path)
    for name, value in (("OPENAI_BASE_URL", running.sandbox.url), ("OPENAI_API_KEY", "sk-canary-0123456789")):
        monkeypatch.setenv(name, value)
    return running


def call(*words: str, given: str = "") -> Any:
    return CliRunner().invoke(app, ["webhooks", *words], input=given)


def printed(*words: str) -> Any:
    result = call(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def register(world: World, *more: str) -> Any:
    return printed("register", world.receiver.url, "--events", "batch.completed,response.completed", *more)


def test_an_endpoint_is_made_and_its_secret_printed_once(world: World) -> None:
    made = register(world, "--name", "mine")
    assert made["signing_secret"].startswith("whsec_")
    assert made["incoming"] == {
        "webhooks": {
            "subscriber": {
                "prototype": "webhook",
                "parameters": {
                    "path": "/hooks/openai",
                    "secret": "${OPENAI_WEBHOOK_SECRET}",
                    "events": ["batch.completed", "response.completed"],
                },
            }
        }
    }
    [listed] = printed("list")
    assert (listed["id"], listed["name"], listed["url"]) == (made["endpoint"]["id"], "mine", world.receiver.url)
    assert made["signing_secret"] not in call("list").output
    shown = call("list", "--text").stdout
    assert listed["id"] in shown
    assert "batch.completed" in shown


def test_a_secret_with_a_file_is_in_the_file_alone(world: World) -> None:
    result = call("register", world.receiver.url, "--events", "batch.completed", "--secret-file", "secret", "--debug")
    assert result.exit_code == 0, result.output
    secret = world.receiver.file.read_text().strip()
    assert secret.startswith("whsec_")
    assert secret not in result.output + result.stderr
    assert world.receiver.file.stat().st_mode & 0o777 == 0o600
    assert '"${file:secret}"' in result.stdout
    again = call("register", f"{world.receiver.url}2", "--events", "batch.completed", "--secret-file", "secret")
    assert "holds a secret already" in str(again.exception)
    assert len(printed("list")) == 1


def test_a_secret_that_cannot_be_kept_is_printed_rather_than_lost(world: World, monkeypatch: Any) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("connector.aio.atomic_file.write_atomically", fail)
    result = call("register", world.receiver.url, "--events", "batch.completed", "--secret-file", "secret")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["signing_secret"].startswith("whsec_")
    assert "cannot write 'secret': no space left on device; the secret is printed instead" in result.stderr


def test_all_events_are_those_that_the_project_can_have(world: World) -> None:
    made = printed("register", world.receiver.url, "--events", "all")
    assert {"batch.completed", "response.failed", "agent.session.idle"} <= set(made["endpoint"]["event_types"])


def test_an_upstream_test_reaches_the_receiver(world: World) -> None:
    made = register(world, "--secret-file", "secret")
    result = call("test", made["endpoint"]["id"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["status_code"] == 200
    assert [event["type"] for event in world.receiver.taken] == ["batch.completed"]
    world.receiver.file.write_text("whsec_YW5vdGhlcg==")
    refused = call("test", world.receiver.url, "--event", "response.completed")
    assert refused.exit_code == 1
    assert "answered 400: it did not believe the signature" in refused.stderr
    assert len(world.receiver.taken) == 1


def test_an_endpoint_that_cannot_be_reached_is_said(world: World) -> None:
    made = printed("register", "http://127.0.0.1:9/hooks/x", "--events", "batch.completed")
    result = call("test", made["endpoint"]["id"])
    assert isinstance(result.exception, CallFailed)
    assert "The test event could not be delivered to http://127.0.0.1:9/hooks/x" in str(result.exception)


def test_a_receiver_is_tried_from_here_without_the_api(world: World) -> None:
    world.receiver.file.write_text("whsec_b25l whsec_dHdv")
    result = call("test", "--url", world.receiver.url, "--secret-file", "secret", "--event", "batch.failed")
    assert result.exit_code == 0, (result.output, result.exception)
    assert [event["type"] for event in world.receiver.taken] == ["batch.failed"]
    Path("other").write_text("whsec_dGhyZWU=")
    assert call("test", "--url", world.receiver.url, "--secret-file", "other").exit_code == 1
    away = call("test", "--url", "http://127.0.0.1:9/hooks/x", "--secret-file", "secret")
    assert away.exit_code == 4
    assert "connection refused" in away.stderr
    assert world.sandbox.requests == []


def test_a_rotated_secret_and_the_one_before_it_are_both_believed(world: World) -> None:
    made = register(world, "--secret-file", "secret")
    old = world.receiver.file.read_text().strip()
    result = call("rotate", made["endpoint"]["id"], "--secret-file", "secret")
    assert result.exit_code == 0, result.output
    new, before = world.receiver.file.read_text().split()
    assert (before, new == old) == (old, False)
    assert new not in result.output + result.stderr
    assert call("test", made["endpoint"]["id"]).exit_code == 0
    assert len(world.receiver.signatures[-1].split()) == 2, "upstream signs with both for a day"
    for kept in (old, new):
        world.receiver.file.write_text(kept)
        assert call("test", made["endpoint"]["id"]).exit_code == 0
    world.receiver.file.write_text(f"{new} {old}\n")
    ended = call("rotate", "--end-overlap", "--secret-file", "secret")
    assert ended.exit_code == 0
    assert world.receiver.file.read_text().split() == [new]
    assert "1 older one was removed" in ended.stderr


def test_a_leaked_secret_ends_at_once(world: World) -> None:
    made = register(world, "--secret-file", "secret")
    old = world.receiver.file.read_text().strip()
    assert call("rotate", world.receiver.url, "--secret-file", "secret", "--at-once").exit_code == 0
    assert len(world.receiver.file.read_text().split()) == 1
    assert call("test", made["endpoint"]["id"]).exit_code == 0
    world.receiver.file.write_text(old)
    assert call("test", made["endpoint"]["id"]).exit_code == 1


def test_without_a_file_the_new_secret_is_printed(world: World) -> None:
    made = register(world)
    assert printed("rotate", made["endpoint"]["id"])["signing_secret"] != made["signing_secret"]


def test_removing_asks_first(world: World, monkeypatch: Any) -> None:
    made = register(world)
    asked = call("remove", made["endpoint"]["id"])
    assert isinstance(asked.exception, ConfigurationError)
    assert "nobody answers here: give --yes" in str(asked.exception)
    monkeypatch.setattr("connector.cli.webhooks._is_answered", lambda: True)
    assert call("remove", made["endpoint"]["id"], given="n\n").exit_code == 7
    assert len(printed("list")) == 1
    removed = call("remove", made["endpoint"]["id"], given="y\n")
    assert removed.exit_code == 0
    assert f"remove {made['endpoint']['id']} (127.0.0.1, {world.receiver.url})" in removed.stderr
    assert printed("list") == []
    assert call("remove", "we_9", "--yes").exit_code != 0


def test_one_url_has_one_endpoint(world: World) -> None:
    made = register(world)
    again = call("register", world.receiver.url, "--events", "batch.completed")
    assert isinstance(again.exception, ConfigurationError)
    assert f"`webhooks rotate {made['endpoint']['id']}` gives it a new secret" in str(again.exception)


WRONG = [
    (["register", "http://example.com/hooks/x", "--events", "all"], "would be called in the clear: give https"),
    (["register", "example.com", "--events", "all"], "is no URL of an endpoint"),
    (["register", "https://me:pass@example.com/x", "--events", "all"], "holds no password"),
    (["register", "https://example.com/x", "--events", "batch.complete"], "did you mean 'batch.completed'"),
    (["register", "https://example.com/x", "--events", "all", "--secret-file", "no/where"], "there is no folder 'no'"),
    (["test"], "which endpoint?"),
    (["test", "we_1", "--secret-file", "secret"], "give --url with it"),
    (["test", "--url", "http://127.0.0.1:9/x"], "--url needs --secret-file"),
    (["test", "--url", "http://127.0.0.1:9/x", "--secret-file", "none"], "holds no secret"),
    (["rotate"], "which endpoint?"),
    (["rotate", "--end-overlap"], "--end-overlap needs --secret-file"),
    (["rotate", "--end-overlap", "--secret-file", "none"], "holds no secret"),
    (["rotate", "nobody"], "the project has none; `webhooks register` makes one"),
]


@pytest.mark.parametrize(("words", "said"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_what_cannot_work_is_said_before_anything_is_changed(world: World, words: list[str], said: str) -> None:
    result = call(*words)
    assert result.exit_code != 0
    assert said in str(result.exception)
    assert not [record for record in world.sandbox.requests if record["method"] != "GET"]


def test_an_unknown_endpoint_suggests_one(world: World) -> None:
    made = register(world, "--name", "billing")
    with pytest.raises(UnknownName, match="did you mean 'billing'"):
        raise call("rotate", "biling").exception
    register_again = call("register", f"{world.receiver.url}2", "--events", "batch.completed", "--name", "billing")
    assert register_again.exit_code == 0
    two = call("rotate", "billing").exception
    assert "2 webhook endpoints have the name 'billing': say which, we_" in str(two)
    assert made["endpoint"]["id"] in str(two)
