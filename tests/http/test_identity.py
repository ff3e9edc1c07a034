"""A workload's own token is exchanged for an access token, which every kind of call carries and nothing shows."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from connector.errors import ConfigurationError
from connector.http.forward_request import ForwardRequest
from connector.http.identity.recent_secrets import MOST
from connector.http.parameters import Common
from connector.model import CallFailed, State
from connector.request.wire import BytesBody
from tests.platform_stand_in import SUBJECT

CLIENT = dict.fromkeys(("file", "key"), str(Path(__file__).parent / "certificates" / "client.pem"))
ENGINES = pytest.mark.parametrize("engine", ["aiohttp", "httpx"])


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{SUBJECT.format('file')}\n")
    return file


@pytest.fixture
def connect(make_client, platform, token_file):
    """Makes a client of the platform; its identity reads the token file unless another one is given."""

    def make(identity=None, **options):
        given = identity or platform.identity(token_file=str(token_file))
        return make_client(token=None, base_uri=f"{platform.uri}/v1", identity=given, **options)

    return make


def programs(text: str) -> list[str]:
    return [sys.executable, "-c", text]


@ENGINES
@pytest.mark.parametrize(
    ("source", "more", "kind"),
    [("kubernetes", True, "jwt"), ("azure-federated", True, "jwt"), ("file", True, "jwt"), ("file", "id", "id_token")],
)
async def test_a_file_is_exchanged_and_the_access_token_goes_out(
    connect, platform, token_file, engine, source, more, kind
):
    given = {"token_file": str(token_file)} | ({"token_type": more} if more == "id" else {})
    client = connect(platform.identity(source, **given), transport=engine)
    outcome = await client.send(client.prepare("models list"))
    assert outcome.ok
    assert platform.calls == [(f"Bearer {platform.token}", b"")]
    assert platform.exchanges == [
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": SUBJECT.format("file"),
            "subject_token_type": f"urn:ietf:params:oauth:token-type:{kind}",
            "identity_provider_id": "idp_1",
            "service_account_id": "sa_1",
        }
    ]


@ENGINES
async def test_azure_is_asked_for_the_token_of_the_managed_identity(connect, platform, engine):
    client = connect(platform.identity("azure", client_id="11-22", resource="api://openai"), transport=engine)
    assert (await client.send(client.prepare("models list"))).ok
    asked = platform.metadata[0]
    assert dict(asked.query) == {"api-version": "2018-02-01", "resource": "api://openai", "client_id": "11-22"}
    assert asked.headers["metadata"] == "true"
    assert "authorization" not in asked.headers
    assert platform.subjects == [SUBJECT.format("azure")]


@ENGINES
async def test_google_is_asked_for_an_identity_token(connect, platform, engine):
    client = connect(platform.identity("gcp"), transport=engine)
    assert (await client.send(client.prepare("models list"))).ok
    asked = platform.metadata[0]
    assert (dict(asked.query), asked.headers["metadata-flavor"]) == (
        {"audience": "https://api.openai.com/v1"},
        "Google",
    )
    assert platform.exchanges[0]["subject_token_type"].endswith(":id_token")
    assert platform.subjects == [SUBJECT.format("google")]


async def test_a_command_prints_the_token(connect, platform):
    client = connect(platform.identity("command", command=programs(f"print('{SUBJECT.format('command')}')")))
    assert (await client.send(client.prepare("models list"))).ok
    assert platform.subjects == [SUBJECT.format("command")]


async def test_a_metadata_service_is_asked_past_the_proxy(connect, platform):
    """The exchange and the call go through the proxy; the platform, which no proxy knows, is asked directly."""
    client = connect(platform.identity("gcp"), proxy="http://127.0.0.1:9", retry={"max_retries": 0})
    outcome = await client.send(client.prepare("models list"))
    assert "the exchange at" in outcome.reason
    assert "proxy" in outcome.reason
    assert (len(platform.metadata), platform.exchanges, platform.calls) == (1, [], [])


FAILURES = [
    ("kubernetes", {"token_file": "/nowhere/token"}, "cannot read the token file '/nowhere/token': no such file"),
    ("command", {"command": programs("raise SystemExit(3)")}, "ended with status 3; run it by hand"),
    ("command", {"command": ["/nowhere/program"]}, "cannot run the command '/nowhere/program': no such file"),
    ("command", {"command": programs("print()")}, "is empty"),
    ("command", {"command": programs("print('two words')")}, "is no token: one word of ASCII is allowed"),
    ("command", {"command": programs("print('x' * 70000)")}, "is longer than 65536 bytes"),
]


@pytest.mark.parametrize(("source", "more", "said"), FAILURES)
async def test_a_token_that_is_not_there_is_said_in_a_sentence(connect, platform, source, more, said):
    client = connect(platform.identity(source, **more))
    outcome = await client.send(client.prepare("models list"))
    assert (outcome.state, len(outcome.attempts)) == (State.NOT_SENT, 1)
    assert outcome.reason.startswith("identity: ")
    assert said in outcome.reason
    assert platform.exchanges == platform.calls == []


async def test_a_metadata_service_without_an_identity_is_said_in_its_own_words(connect, platform):
    platform.metadata_refusal = lambda: web.json_response(
        {"error": "invalid_request", "error_description": "Identity not found"}, status=400
    )
    client = connect(platform.identity("azure"))
    outcome = await client.send(client.prepare("models list"))
    assert "Azure's metadata service gives no token: status 400, invalid_request: Identity not found" in outcome.reason
    assert (outcome.state, len(outcome.attempts)) == (State.NOT_SENT, 1)


async def test_a_refused_exchange_is_said_with_its_reason_and_without_the_token(connect, platform):
    refusal = {"error": "invalid_grant", "error_description": f"unknown issuer of {SUBJECT.format('file')}"}
    platform.refusals = [web.json_response(refusal, status=400)]
    client = connect()
    outcome = await client.send(client.prepare("models list"))
    assert (outcome.state, len(outcome.attempts)) == (State.NOT_SENT, 1)
    assert "refused it with status 400: invalid_grant: unknown issuer of ***" in outcome.reason
    assert "subject-canary" not in str(outcome)
    assert platform.calls == []


ODD = [
    (web.json_response({"expires_in": 60}), "holds no access_token"),
    (web.json_response({"access_token": "access-canary", "expires_in": -1}), "no expires_in that can be right"),
    (web.json_response({"access_token": "access-canary", "expires_in": True}), "no expires_in that can be right"),
    (web.json_response({"access_token": "access canary\n", "expires_in": 60}), "holds no access_token"),
    (web.json_response({"access_token": "access-canary", "expires_in": 60, "token_type": "mac"}), "no bearer token"),
    (web.Response(text="<html>"), "holds no access_token"),
    (web.Response(status=302, headers={"location": "https://elsewhere.example"}), "redirects are not followed"),
]


@pytest.mark.parametrize(("answer", "said"), ODD, ids=[said for _, said in ODD])
async def test_an_odd_answer_of_the_exchange_is_no_token(connect, platform, answer, said):
    async def give(_: web.Request) -> web.Response:
        return answer

    platform.exchange = give
    runner = await platform.start()
    client = connect(platform.identity("command", command=programs(f"print('{SUBJECT.format(1)}')")))
    outcome = await client.send(client.prepare("models list"), retries=0)
    await runner.cleanup()
    assert outcome.state is State.NOT_SENT
    assert said in outcome.reason
    assert "access-canary" not in str(outcome)


async def test_an_exchange_that_fails_for_now_is_tried_again(connect, platform, clock):
    platform.refusals = [web.Response(status=503), web.Response(status=429, headers={"retry-after": "3"})]
    client = connect()
    assert (await client.send(client.prepare("models list"))).ok
    assert len(platform.exchanges) == 3
    assert clock.now >= 1000.0 + 0.5 + 3, "the exchange that asks for three seconds gets them"


async def test_256_calls_at_once_are_one_exchange(connect, platform):
    platform.gate.clear()
    client = connect()
    wire = client.prepare("models list")
    calls = [asyncio.create_task(client.send(wire)) for _ in range(256)]
    await platform.asked.wait()
    platform.gate.set()
    outcomes = await asyncio.gather(*calls)
    assert all(outcome.ok for outcome in outcomes)
    assert (len(platform.exchanges), len(platform.calls)) == (1, 256)
    assert {authorization for authorization, _ in platform.calls} == {f"Bearer {platform.token}"}


async def test_a_slow_exchange_ends_with_the_time_of_the_call_and_nothing_was_sent(connect, platform):
    platform.gate.clear()
    client = connect()
    outcome = await client.send(client.prepare("models list"), timeout=0.05, retries=0)
    assert (outcome.state, platform.calls) == (State.NOT_SENT, [])
    platform.gate.set()
    assert (await client.send(client.prepare("models list"))).ok
    assert len(platform.exchanges) == 1, "the exchange that the first call began serves the second"


async def test_the_file_is_read_again_for_each_exchange(connect, platform, token_file, clock):
    client = connect()
    await client.send(client.prepare("models list"))
    token_file.write_text(SUBJECT.format("rotated"))
    clock.now += platform.life
    assert (await client.send(client.prepare("models list"))).ok
    assert platform.subjects == [SUBJECT.format("file"), SUBJECT.format("rotated")]
    assert platform.calls[-1][0] == f"Bearer {platform.token}"


async def test_a_file_that_appears_is_used_at_once(connect, platform, tmp_path):
    late = tmp_path / "late"
    client = connect(platform.identity("kubernetes", token_file=str(late)))
    assert not (await client.send(client.prepare("models list"))).ok
    late.write_text(SUBJECT.format("late"))
    assert (await client.send(client.prepare("models list"))).ok


@ENGINES
async def test_a_401_is_answered_with_another_token_once(connect, platform, wire, engine):
    client = connect(transport=engine)
    await client.send(client.prepare("models list"))
    platform.revoked.add(platform.token)
    outcome = await client.send(wire())
    assert (outcome.ok, len(outcome.attempts), len(platform.exchanges)) == (True, 1, 2)
    assert [body for _, body in platform.calls[1:]] == [b'{"a":1}'] * 2
    assert platform.calls[-1][0] == f"Bearer {platform.token}"


async def test_a_401_for_another_reason_costs_one_exchange_a_minute(connect, platform, wire, clock):
    client = connect()
    platform.revoked.update(f"access-canary-{number}-0123456789" for number in range(9))
    for _ in range(5):
        outcome = await client.send(wire())
        client.resume()
        assert (outcome.state, outcome.status) == (State.REFUSED, 401)
    assert len(platform.exchanges) == 2
    clock.now += 61
    await client.send(wire())
    assert len(platform.exchanges) == 3


async def test_a_token_that_still_holds_is_used_when_the_exchange_is_away(connect, platform, wire, clock):
    client = connect()
    await client.send(wire())
    clock.now += platform.life * 0.9
    platform.refusals = [web.Response(status=500) for _ in range(3)]
    platform.asked.clear()
    for _ in range(3):
        assert (await client.send(wire())).ok
        await platform.asked.wait()
    assert {authorization for authorization, _ in platform.calls} == {"Bearer access-canary-1-0123456789"}
    assert len(platform.exchanges) == 2, "the next exchange waits for the back-off"


@pytest.mark.parametrize("failure", [httpx.ReadError("it broke"), ConnectionResetError("it broke")])
async def test_whatever_ends_the_exchange_is_a_failure_of_the_identity(make_client, failure):
    def handle(_: httpx.Request) -> httpx.Response:
        raise failure

    identity = {"source": "certificate", "identity_provider_id": "i", "service_account_id": "s"}
    client = make_client(handle, token=None, identity=identity, certificate=CLIENT)
    outcome = await client.send(client.prepare("models list"), retries=0)
    said = "identity: the exchange at mtls.auth.openai.com is not reached: it broke"
    assert (outcome.state, outcome.reason) == (State.NOT_SENT, said)


async def test_a_renewal_that_fails_is_logged_while_the_old_token_holds(connect, platform, wire, clock, caplog):
    client = connect()
    await client.send(wire())
    clock.now += platform.life * 0.9
    refusal = {"error": "invalid_grant", "error_description": f"stale {SUBJECT.format('file')}"}
    platform.refusals = [web.json_response(refusal, status=400)]
    platform.asked.clear()
    assert (await client.send(wire())).ok
    await platform.asked.wait()
    assert (await client.send(wire())).ok
    await client.close()
    [said] = [record.getMessage() for record in caplog.records if record.name == "connector.identity"]
    assert "refused it with status 400: invalid_grant: stale ***" in said
    assert said.endswith("; the access token before it holds for 360 seconds more")


async def test_streams_carry_the_token(connect, platform, wire, clock):
    client = connect()
    assert [datum async for datum in client.stream(wire("none"))] == [{"echo": f"Bearer {platform.token}"}]
    platform.revoked.add(platform.token)
    assert [datum async for datum in client.stream(wire("none"))] == [{"echo": f"Bearer {platform.token}"}]
    platform.refusals = [web.json_response({"error": "invalid_grant"}, status=400)]
    clock.now += platform.life
    with pytest.raises(CallFailed, match=r"identity: the exchange .* refused it with status 400: invalid_grant"):
        _ = [datum async for datum in client.stream(wire("none"))]


@ENGINES
@pytest.mark.parametrize("size", [10, 100_000])
async def test_forwarded_requests_carry_the_token_and_are_sent_again_after_a_401(connect, platform, engine, size):
    client = connect(transport=engine)
    await client.send(client.prepare("models list"))
    platform.revoked.add(platform.token)
    body = BytesBody("application/json", b"x" * size)
    headers = [("authorization", "Bearer gw-callers-own"), ("content-type", "application/json")]
    async with client.forward(ForwardRequest(method="POST", path="/things", headers=headers, body=body)) as answer:
        data = b"".join([chunk async for chunk in answer.chunks])
    assert answer.status == 200
    assert json.loads(data) == {"echo": f"Bearer {platform.token}"}
    assert [len(body) for _, body in platform.calls[1:]] == [size, size]
    assert "gw-callers-own" not in str(platform.calls)


class OnceBody:
    """A body whose chunks come once, as those of a gateway's caller do."""

    content_type, length = "application/octet-stream", None

    async def chunks(self):
        yield b"once"


@ENGINES
async def test_a_body_that_comes_once_is_not_sent_again_but_the_next_call_has_another_token(
    connect, platform, wire, engine
):
    client = connect(transport=engine)
    await client.send(client.prepare("models list"))
    platform.revoked.add(platform.token)
    async with client.forward(ForwardRequest(method="POST", path="/things", body=OnceBody())) as answer:
        assert answer.status == 401
    assert (await client.send(wire())).ok
    assert (len(platform.calls), len(platform.exchanges)) == (3, 2)


async def test_nothing_shows_the_tokens(connect, platform, caplog):
    caplog.set_level(logging.DEBUG)
    client = connect(logging="full")
    wire = client.prepare_raw("GET", "/me")
    await client.send(wire)
    platform.revoked.update(f"access-canary-{number}-0123456789" for number in range(9))
    refused = await client.send(wire, retries=0)
    explained = client.explain(wire)
    shown = [repr(client), repr(client.parameters), caplog.text, str(refused), str(explained.as_document())]
    shown += [explained.as_curl(), repr(client.redactor), str(vars(client.parameters))]
    assert not [text for text in shown if "-canary-" in text]
    assert explained.headers["authorization"] == "Bearer ***"
    assert explained.origins["headers.authorization"] == "client parameter identity"
    assert '"$OPENAI_ACCESS_TOKEN"' in explained.as_curl()
    assert "wrong credential Bearer ***" in refused.reason


async def test_old_tokens_are_hidden_as_long_as_they_may_hold_and_no_longer(connect, platform, clock):
    client = connect()
    for _ in range(MOST):
        assert (await client.send(client.prepare("models list"))).ok
        clock.now += platform.life
    hidden = {secret for secret in client.redactor.secrets if "canary" in secret}
    assert len(hidden) == MOST
    assert platform.token in hidden
    assert "access-canary-1-0123456789" not in hidden


async def test_an_administrators_calls_carry_the_admin_key(make_client, platform, token_file):
    identity = platform.identity(token_file=str(token_file))
    client = make_client(token=None, admin_token="sk-admin-canary-1", base_uri=f"{platform.uri}/v1", identity=identity)
    await client.send(client.prepare("projects list"), retries=0)
    assert (platform.calls[0][0], platform.exchanges) == ("Bearer sk-admin-canary-1", [])


async def test_closing_gives_up_an_exchange(connect, platform):
    platform.gate.clear()
    client = connect()
    call = asyncio.create_task(client.send(client.prepare("models list"), retries=0))
    await platform.asked.wait()
    await client.close()
    with pytest.raises(asyncio.CancelledError):
        await call


WRONG = [
    ({"source": "gcp"}, "identity.identity_provider_id: missing"),
    ({"source": "gcp"}, "identity.service_account_id: missing"),
    ({"source": "aws"}, "identity.source: input should be 'kubernetes', 'azure'"),
    ({"audience": "x"}, "identity: the source file has no audience; it takes token_file, token_type"),
    ({"source": "file", "token_file": ""}, "identity: the source file needs token_file"),
    ({"source": "command", "token_file": None}, "identity: the source command needs command"),
    ({"source": "azure", "token_file": None, "client_id": "1", "object_id": "2"}, "client_id and object_id are given"),
    ({"source": "certificate", "token_file": None}, "the source certificate needs certificate beside it"),
    ({"identity_provider": "x"}, "identity.identity_provider: no such parameter; did you mean 'identity_provider_id'"),
]


@pytest.mark.parametrize(("change", "said"), WRONG)
def test_what_is_missing_or_too_much_is_named(make_client, change, said):
    whole = {"source": "file", "token_file": "t", "identity_provider_id": "i", "service_account_id": "s"}
    given = change if change == {"source": "gcp"} else {**whole, **change}
    with pytest.raises(ConfigurationError) as raised:
        make_client(token=None, identity={name: value for name, value in given.items() if value is not None})
    assert said in str(raised.value)


ADDRESSES = [
    ("file", {"token_file": "t", "exchange_uri": "http://auth.example/token"}, "identity.exchange_uri would send"),
    ("file", {"token_file": "t", "exchange_uri": "ftp://x"}, "identity.exchange_uri needs https://"),
    ("gcp", {"metadata_uri": "http://metadata.example"}, "identity.metadata_uri would send credentials"),
    ("azure", {"metadata_uri": "http://169.254.169.253"}, "identity.metadata_uri points to 169.254.169.253"),
]


@pytest.mark.parametrize(("source", "more", "said"), ADDRESSES)
def test_tokens_are_sent_to_no_address_that_is_not_meant(make_client, source, more, said):
    identity = {"source": source, "identity_provider_id": "i", "service_account_id": "s", **more}
    with pytest.raises(ConfigurationError, match=said):
        make_client(token=None, identity=identity)


def test_a_token_and_an_identity_are_one_credential_too_many(make_client):
    identity = {"source": "gcp", "identity_provider_id": "i", "service_account_id": "s"}
    with pytest.raises(ConfigurationError, match="identity: token is given too"):
        make_client(identity=identity)
    client = make_client(token=None, identity=identity, environ={"OPENAI_API_KEY": "sk-canary-environment"})
    assert client.explain(client.prepare("models list")).origins["headers.authorization"] == "client parameter identity"


def test_only_prototypes_that_know_an_identity_have_one():
    assert Common().workload is None
