"""Requests of anybody to a path: proven, bounded, on disk before they are acknowledged, each document once."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.config import parse
from connector.delivery.context import DeliveryContext
from connector.engine import Filter, Store, StoreFull, Task, open_store
from connector.errors import ConfigurationError
from connector.gateway import GatewayServer
from connector.intake.receivers import receivers
from connector.pipeline import Runtime, kinds
from connector.subscribers.http_receiver import Parameters
from connector.subscribers.signatures import PRESETS

SECRET = "a secret of ours".replace(" ", "-")
NOW = 1_800_000_000
Headers = dict[str, str]
Sign = Callable[[bytes, str, int], Headers]


def hexed(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, sha256).hexdigest()


def github(body: bytes, secret: str, at: int) -> Headers:
    return {"X-Hub-Signature-256": f"sha256={hexed(secret, body)}"}


def shopify(body: bytes, secret: str, at: int) -> Headers:
    return {"X-Shopify-Hmac-Sha256": b64encode(hmac.new(secret.encode(), body, sha256).digest()).decode()}


def slack(body: bytes, secret: str, at: int) -> Headers:
    made = hexed(secret, f"v0:{at}:".encode() + body)
    return {"X-Slack-Signature": f"v0={made}", "X-Slack-Request-Timestamp": str(at)}


def stripe(body: bytes, secret: str, at: int) -> Headers:
    made = hexed(secret, f"{at}.".encode() + body)
    return {"Stripe-Signature": f"t={at},v1={'0' * 64},v1={made},v0=ignored"}


def standard(body: bytes, secret: str, at: int) -> Headers:
    text = f"msg_1.{at}.".encode() + body
    made = b64encode(hmac.new(secret.encode(), text, sha256).digest()).decode()
    return {"Webhook-Id": "msg_1", "Webhook-Timestamp": str(at), "Webhook-Signature": f"v1,AAAA v1,{made}"}


SENDERS: dict[str, Sign] = {
    "github": github, "shopify": shopify, "slack": slack, "stripe": stripe, "standard-webhooks": standard,
}  # fmt: skip
TIMED = ("slack", "stripe", "standard-webhooks")
TOKEN = {"token": SECRET}
BEARER = {"Authorization": f"Bearer {SECRET}"}


def signed_by(name: str) -> dict[str, str]:
    secret = b64encode(SECRET.encode()).decode() if name == "standard-webhooks" else SECRET
    return {"signature": name, "secret": secret}


@dataclass
class Bench:
    url: str
    store: Store

    async def send(self, body: Any, headers: Headers | None = None, method: str = "POST") -> httpx.Response:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json", **(headers or {})}
        async with httpx.AsyncClient() as http:
            return await http.request(method, self.url, content=data, headers=given)

    async def send_signed(self, name: str, body: Any, at: int = NOW, secret: str = SECRET) -> httpx.Response:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.send(data, SENDERS[name](data, secret, at))

    async def tasks(self, route: str = "r") -> list[Task]:
        return list(await self.store.tasks(Filter(route=route)))

    async def documents(self) -> list[Any]:
        return [task.document for task in sorted(await self.tasks(), key=lambda task: task.id)]


@asynccontextmanager
async def opened(folder: Path, parameters: dict[str, Any], *, chain: Any = (), **route: Any) -> AsyncGenerator[Bench]:
    subscriber = {"prototype": "http-receiver", "parameters": {"path": "/hooks/in", **parameters}}
    document = {
        "clients": {"openai": {"prototype": "openai", "parameters": {"token": "any"}}},
        "incoming": {"in": {"subscriber": subscriber, "chain": list(chain)}},
        "outgoing": {"out": {"publisher": {"prototype": "none"}}},
        "routes": {"r": {"incoming": "in", "outgoing": "out", **route}},
    }
    configuration = parse(document, folder=folder, environ={}, kinds=kinds())
    async with Runtime(configuration) as runtime:
        store = await open_store(f"sqlite:///{folder / 'tasks.db'}")
        try:
            found = receivers(DeliveryContext(runtime, store, wall=lambda: float(NOW)), ["r"])
            async with GatewayServer(runtime, port=0, administrator="gw-any", receivers=found) as listening:
                yield Bench(f"{listening.url}/hooks/in", store)
        finally:
            await store.close()


@pytest.mark.parametrize("name", SENDERS)
async def test_what_well_known_senders_sign_is_a_task_once(tmp_path: Path, name: str) -> None:
    document = {"id": "evt_1", "event_id": "Ev1", "text": "Grüße"}
    async with opened(tmp_path, signed_by(name)) as bench:
        first = await bench.send_signed(name, document)
        assert (first.status_code, first.json()) == (200, {"accepted": 1, "known": 0})
        again = await bench.send_signed(name, document)
        assert (again.status_code, again.json()) == (200, {"accepted": 0, "known": 1})
        assert await bench.documents() == [document]
    async with opened(tmp_path, signed_by(name)) as bench:  # another process
        assert (await bench.send_signed(name, document)).json() == {"accepted": 0, "known": 1}


@pytest.mark.parametrize("name", SENDERS)
async def test_what_is_not_genuine_is_refused_in_the_same_words(tmp_path: Path, name: str) -> None:
    async with opened(tmp_path, signed_by(name)) as bench:
        body = b'{"id": "evt_1"}'
        genuine = SENDERS[name](body, SECRET, NOW)
        wrong = [
            await bench.send(body),
            await bench.send(b'{"id": "evt_2"}', genuine),
            await bench.send_signed(name, body, secret="another"),
            *[await bench.send(body, {**genuine, header: ""}) for header in genuine],
            *[
                await bench.send(body, {**genuine, header: "\u00e9".encode("latin-1").decode("latin-1")})
                for header in ()
            ],
        ]
        if name in TIMED:
            wrong += [await bench.send_signed(name, body, at) for at in (NOW - 301, NOW + 301, -1, 10**15)]
        for answer in wrong:
            assert answer.status_code == 401
            assert answer.headers["content-type"].startswith("application/problem+json")
            assert answer.json()["detail"] == wrong[0].json()["detail"]
        assert await bench.tasks() == []


async def test_old_and_new_secret_while_it_is_rotated(tmp_path: Path) -> None:
    async with opened(tmp_path, {"signature": "github", "secret": f"new-one {SECRET}"}) as bench:
        for secret, status in ((SECRET, 200), ("new-one", 200), ("new-one " + SECRET, 401)):
            assert (await bench.send_signed("github", {"n": secret}, secret=secret)).status_code == status


async def test_a_signature_of_ones_own(tmp_path: Path) -> None:
    own = {
        "header": "X-Sig", "algorithm": "sha1", "encoding": "base64", "prefix": "sig=", "timestamp_header": "X-Time",
        "id_header": "X-Id", "signed": "{id}|{timestamp}|{body}|end",
    }  # fmt: skip

    def sign(body: bytes, identity: str = "a", at: int = NOW) -> Headers:
        text = f"{identity}|{at}|".encode() + body + b"|end"
        made = b64encode(hmac.new(SECRET.encode(), text, sha1).digest()).decode()
        return {"X-Sig": f"sig={made}", "X-Time": str(at), "X-Id": identity}

    async with opened(tmp_path, {"signature": own, "secret": SECRET, "tolerance": 10}) as bench:
        assert (await bench.send(b"{}", sign(b"{}"))).json() == {"accepted": 1, "known": 0}
        assert (await bench.send(b"{}", sign(b"{}"))).json() == {"accepted": 0, "known": 1}
        assert (await bench.send(b"{}", sign(b"{}", "b"))).json() == {"accepted": 1, "known": 0}
        assert (await bench.send(b"{}", {**sign(b"{}"), "X-Id": "c"})).status_code == 401
        assert (await bench.send(b"{}", sign(b"{}", at=NOW - 11))).status_code == 401


@pytest.mark.parametrize(
    ("sent", "status"),
    [(BEARER, 200), ({"Authorization": f"bearer {SECRET}"}, 200), ({"Authorization": SECRET}, 401),
     ({"Authorization": "Bearer other"}, 401), ({"Authorization": f"Basic {SECRET}"}, 401), ({}, 401)],
)  # fmt: skip
async def test_a_token_proves_a_sender_too(tmp_path: Path, sent: Headers, status: int) -> None:
    async with opened(tmp_path, TOKEN) as bench:
        answer = await bench.send({}, sent)
        assert answer.status_code == status
        assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_a_token_in_a_header_of_ones_own(tmp_path: Path) -> None:
    async with opened(tmp_path, {**TOKEN, "token_header": "X-Api-Key"}) as bench:
        assert (await bench.send({}, {"X-Api-Key": SECRET})).status_code == 200
        assert (await bench.send({}, BEARER)).status_code == 401


async def test_without_an_id_each_request_is_another_unless_it_has_a_key(tmp_path: Path) -> None:
    async with opened(tmp_path, TOKEN) as bench:
        for _ in range(2):
            assert (await bench.send({"a": 1}, BEARER)).json()["accepted"] == 1
        keyed = {**BEARER, "Idempotency-Key": "k1"}
        assert [(await bench.send({"a": 1}, keyed)).json()["accepted"] for _ in range(2)] == [1, 0]


async def test_many_documents_of_a_request_each_with_its_id(tmp_path: Path) -> None:
    async with opened(tmp_path, {**TOKEN, "items": "rows", "id": "no"}) as bench:
        assert (await bench.send({"rows": [{"no": 1}, {"no": 2}, {"no": 1}]}, BEARER)).json() == {
            "accepted": 2, "known": 1,
        }  # fmt: skip
        assert (await bench.send({"rows": [{"no": 2}, {"no": 3}]}, BEARER)).json() == {"accepted": 1, "known": 1}
        assert await bench.documents() == [{"no": 1}, {"no": 2}, {"no": 3}]
        assert (await bench.send({"rows": {}}, BEARER)).status_code == 422
        assert (await bench.send({"rows": []}, BEARER)).status_code == 400
        assert (await bench.send({}, BEARER)).status_code == 422


async def test_the_header_of_a_delivery_as_its_id(tmp_path: Path) -> None:
    async with opened(tmp_path, {**signed_by("github"), "id_header": "X-GitHub-Delivery"}) as bench:
        body = b'{"zen": 1}'
        signed = github(body, SECRET, NOW)
        assert (await bench.send(body, signed)).status_code == 400
        sent = [await bench.send(body, {**signed, "X-GitHub-Delivery": name}) for name in ("a", "b", "a")]
        assert [answer.json()["accepted"] for answer in sent] == [1, 1, 0]


async def test_headers_go_with_the_document(tmp_path: Path) -> None:
    async with opened(tmp_path, {**TOKEN, "headers": "X-GitHub-Event", "id": "n"}) as bench:
        sent = {**BEARER, "X-GitHub-Event": "push", "X-Other": "no"}
        assert [(await bench.send({"n": 1}, sent)).json()["accepted"] for _ in range(2)] == [1, 0]
        assert await bench.documents() == [{"body": {"n": 1}, "headers": {"x-github-event": "push"}}]


KINDS = [
    ("application/x-ndjson", b'{"a":1}\r\n\n{"a":2}', [{"a": 1}, {"a": 2}]),
    ("application/x-www-form-urlencoded", b"a=1&b=x+y&a=%C3%A9&c=", [{"a": ["1", "é"], "b": "x y", "c": ""}]),
    ("application/vnd.api+json; charset=UTF-8", b'{"a":1}', [{"a": 1}]),
    ("application/json", b"[1,2]", [[1, 2]]),
]


@pytest.mark.parametrize(("content_type", "body", "documents"), KINDS)
async def test_each_kind_of_content(tmp_path: Path, content_type: str, body: bytes, documents: list[Any]) -> None:
    async with opened(tmp_path, TOKEN) as bench:
        assert (await bench.send(body, {**BEARER, "Content-Type": content_type})).status_code == 200
        assert await bench.documents() == documents


@pytest.mark.parametrize(
    ("headers", "body", "status", "said"),
    [
        ({"Content-Type": "text/html"}, b"{}", 415, "'text/html' is not taken here; send application/json"),
        ({"Content-Type": "application/json; charset=utf-16"}, b"{}", 415, "send UTF-8"),
        ({"Content-Encoding": "gzip"}, b"{}", 415, "without Content-Encoding"),
        ({}, b"", 400, "the body"),
        ({}, b'{"a": 1', 400, "the body"),
        ({}, b'{"a": 1, "a": 2}', 400, "the body"),
        ({}, b"[" * 5000, 400, "the body"),
        ({"Content-Type": "application/x-ndjson"}, b'{"a":1}\n{"a"', 400, "line 2"),
        ({"Content-Type": "application/x-ndjson"}, b"\n\n", 400, "no documents"),
        ({"Content-Type": "application/x-ndjson"}, b"1\n" * 4, 413, "4 documents; at most 3"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=%FF", 400, "no form in UTF-8"),
    ],
)
async def test_a_known_sender_is_told_what_is_wrong(
    tmp_path: Path, headers: Headers, body: bytes, status: int, said: str
) -> None:
    async with opened(tmp_path, {**TOKEN, "max_documents": 3}) as bench:
        answer = await bench.send(body, {**BEARER, **headers})
        assert answer.status_code == status
        assert said in answer.json()["detail"]
        assert answer.json()["status"] == status
        assert (await bench.send(body, headers)).status_code == 401, "nobody else is told"
        assert await bench.tasks() == []


async def test_other_methods_and_large_bodies(tmp_path: Path) -> None:
    async with opened(tmp_path, {**TOKEN, "max_bytes": 2000}) as bench:
        assert (await bench.send(b"", BEARER, "GET")).status_code == 405
        assert (await bench.send(b"x" * 2001, BEARER)).status_code == 413


async def test_a_full_queue_and_a_full_disk_are_told_with_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, TOKEN, max_tasks=2) as bench:

        async def full(_: Any) -> Any:
            raise StoreFull("no space")

        with monkeypatch.context() as patched:
            patched.setattr(bench.store, "commit", full)
            refused = await bench.send({}, BEARER)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
        assert "cannot be kept now" in refused.json()["detail"]
        assert [(await bench.send({}, BEARER)).status_code for _ in range(3)] == [200, 200, 503]
        crowded = await bench.send({}, BEARER)
        assert crowded.headers["retry-after"] == "30"
        assert "too many documents wait" in crowded.json()["detail"]
        await bench.store.skip(Filter(route="r"), "by the test")
        assert (await bench.send({}, BEARER)).status_code == 200


async def test_a_chain_that_fails_on_one_document_keeps_all(tmp_path: Path) -> None:
    chain = [{"value-setter": {"configurations": [{"key": "b", "value": "&{a}"}]}}]
    async with opened(tmp_path, TOKEN, chain=chain) as bench:
        answer = await bench.send(b'{"a":1}\n{"c":1}', {**BEARER, "Content-Type": "application/x-ndjson"})
        assert answer.json() == {"accepted": 2, "known": 0}
        good, bad = await bench.documents()
        assert good == {"a": 1, "b": 1}
        assert "nothing at &{a}" in bad["$error"]["reason"]


async def test_slack_is_answered_its_challenge(tmp_path: Path) -> None:
    async with opened(tmp_path, signed_by("slack")) as bench:
        asked = {"type": "url_verification", "challenge": "abc"}
        answer = await bench.send_signed("slack", asked)
        assert (answer.status_code, answer.json()) == (200, {"challenge": "abc"})
        assert (await bench.send(asked)).status_code == 401
        assert await bench.tasks() == []


async def test_the_route_s_own_key_counts(tmp_path: Path) -> None:
    async with opened(tmp_path, signed_by("github"), key="order") as bench:
        for number in (1, 2):
            await bench.send_signed("github", {"order": 7, "n": number})
        assert await bench.documents() == [{"order": 7, "n": 1}]


async def test_two_connections_on_one_path(tmp_path: Path) -> None:
    part = {"subscriber": {"prototype": "http-receiver", "parameters": {"path": "/hooks/in", **TOKEN}}}
    document = {
        "incoming": {"a": part, "b": part}, "outgoing": {"out": {"publisher": {"prototype": "none"}}},
        "routes": {name: {"incoming": name, "outgoing": "out"} for name in "ab"},
    }  # fmt: skip
    async with Runtime(parse(document, folder=tmp_path, environ={}, kinds=kinds())) as runtime:
        store = await open_store(f"sqlite:///{tmp_path / 'tasks.db'}")
        with pytest.raises(ConfigurationError, match="/hooks/in is another one's path already"):
            receivers(DeliveryContext(runtime, store), ["a", "b"])
        await store.close()


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, "anybody could send: give signature and secret, or token"),
        ({"signature": "github"}, "anybody could send"),
        ({"signature": "github", "secret": " "}, "secret is none"),
        ({"signature": "standard-webhooks", "secret": "whsec_no base64!"}, "secret is none"),
        ({"token": " "}, "token is empty"),
        ({"token": "a", "secret": "b"}, "leave one or the others out"),
        ({"signature": {"header": "X", "signed": "{timestamp}"}, "secret": "a"}, "has no {body}"),
        (
            {"signature": {"header": "X", "timestamp_header": "T"}, "secret": "a"},
            "a time counts only where it is signed",
        ),
        ({"signature": {"header": "X", "id_header": "I"}, "secret": "a"}, "an id counts only where it is signed"),
        ({"signature": "gitlab", "secret": "a"}, "github"),
        ({"token": "a", "path": "/in"}, "path"),
    ],
)
def test_a_path_that_anybody_could_use_is_refused(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Parameters.model_validate({"path": "/hooks/in", **parameters})
    assert said in str(refused.value)
    assert "whsec_no" not in str(refused.value)


@given(st.sampled_from(sorted(PRESETS)), st.text(max_size=80), st.text(max_size=20), st.binary(max_size=40))
def test_no_headers_break_the_check(name: Any, signature: str, other: str, body: bytes) -> None:
    preset = PRESETS[name]
    headers = {preset.header.lower(): signature}
    headers |= {each.lower(): other for each in (preset.timestamp_header, preset.id_header) if each}
    assert preset.check(headers, body, [b"key"], float(NOW), 300.0) is None
