"""Ways around a rule: other spellings of a call, headers that make it another one, answers that are credentials."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.config.models.gateway import OperationRule, hash_token, parse_rule
from connector.subscribers.webhook import is_genuine
from tests.gateway.conftest import CHAT, TOKEN

CREDENTIALS = [
    "/realtime/client_secrets", "/realtime/sessions", "/realtime/transcription_sessions",
    "/realtime/translations/client_secrets", "/chatkit/sessions", "/chatkit/sessions/cksess_1/cancel",
    "/webhook_endpoints", "/webhook_endpoints/we_1/rotate_secret", "/organization/admin_api_keys",
    "/organization/projects/p/service_accounts", "/organization/projects/p/service_accounts/s/api_keys",
]  # fmt: skip
UNKNOWN = ["/new/client_secrets", "/new/api_keys", "/realtime/new_sessions", "/Realtime/Client_Secrets", "/x/token"]


async def post(gateway, path: str, **options: Any):
    headers = {"Authorization": f"Bearer {TOKEN}", **options.pop("headers", {})}
    return await gateway.http.post(f"{gateway.url}/openai/v1{path}", headers=headers, json={}, **options)


@pytest.mark.parametrize("allow", [None, ["* *"], ["* create"], ["realtime* *", "* *"], ["POST /*"], ["* /*"]])
async def test_what_hands_out_credentials_is_denied_unless_named(start, upstream, allow):
    gateway = await start({} if allow is None else {"allow": allow})
    for path in (*CREDENTIALS, *UNKNOWN):
        answer = await post(gateway, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed"), path
    assert upstream.seen == []


async def test_what_hands_out_credentials_is_allowed_by_its_name(start, upstream):
    allow = ["realtime client secrets create", "POST /chatkit/sessions", "POST /new/*/api_keys"]
    gateway = await start({"allow": allow})
    for path, status in (
        ("/realtime/client_secrets", 200), ("/chatkit/sessions", 200), ("/new/x/api_keys", 200),
        ("/realtime/sessions", 403), ("/new/x/secrets", 403),
    ):  # fmt: skip
        assert (await post(gateway, path)).status_code == status, path


def secrets_in(schema: Any, root: dict[str, Any], seen: set[str]) -> Iterator[str]:
    """The names of members that hold something secret, anywhere in a schema."""
    if isinstance(schema, list):
        for each in schema:
            yield from secrets_in(each, root, seen)
    if not isinstance(schema, dict):
        return
    for name, value in schema.items():
        if name == "$ref" and value not in seen:
            seen.add(value)
            yield from secrets_in(root["$defs"].get(value.rpartition("/")[2]), root, seen)
        if name == "properties":
            yield from (key for key in value if re.fullmatch(r"(client|signing)_secret|api_key|private_key", key))
            yield from secrets_in(list(value.values()), root, seen)
        elif name in ("allOf", "anyOf", "oneOf", "items"):
            yield from secrets_in(value, root, seen)


def test_whatever_makes_a_secret_is_known_to_hand_it_out(catalogue):
    for operation in catalogue.operations():
        schemas = [catalogue.answer_schema(operation, kind) for kind in operation.answer]
        found = {name for schema in schemas if schema for name in secrets_in(schema, schema, set())}
        if operation.method == "POST" and found and not operation.template.startswith("/organization/audit"):
            assert operation.hands_out == "credential", operation.wire_name


def test_every_operation_that_names_a_model_says_what_it_costs(catalogue):
    free = ("assistants", "assistant updates", "agents", "agent updates", "moderations", "audio voices")
    for operation in catalogue.operations():
        schema = catalogue.payload_schema(operation) if operation.method == "POST" else None
        if schema and "model" in schema.get("properties", {}) and operation.effect.value != "none":
            assert operation.cost or operation.entity in free, operation.wire_name


def test_a_star_does_not_name_what_hands_out_credentials(catalogue):
    for text in ("realtime* *", "realtime* create", "organization* *", "* create", "webhook* *"):
        found = parse_rule(text, catalogue)
        assert isinstance(found, OperationRule)
        assert not [op for op in catalogue.operations() if op.name in found.operations and op.hands_out]


@pytest.mark.parametrize(
    "name",
    [
        "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL",
        "X-Forwarded-Host", "X-Forwarded-Prefix", "X_Forwarded_For", "Content_Type", "X-Host", "X-Envoy-Original-Path",
        "X-Accel-Redirect", "Authorization_", "OpenAI_Organization", "openai-project_", "True-Client-IP",
        "CF-Connecting-IP", "X-App", "Proxy", "Destination", "X-Amz-Security-Token",
    ],
)  # fmt: skip
async def test_headers_that_may_make_it_another_call_stay_here(start, upstream, name):
    gateway = await start(gateway={"headers": ["x-*-not"], "tokens": {"bot": {"hash": hash_token(TOKEN)}}})
    assert (await gateway.chat(headers={name: "x"})).status_code == 200
    assert name.lower() not in {key.lower() for key in upstream.seen[0].headers}


async def test_headers_that_sdks_send_go_on_and_so_do_those_that_are_configured(start, upstream):
    configured = {"headers": ["X-App", "helicone-*", "X-Original-URL"], "tokens": {"bot": {"hash": hash_token(TOKEN)}}}
    gateway = await start(gateway=configured)
    kept = {
        "OpenAI-Beta": "a=v1", "X-Stainless-Lang": "python", "Idempotency-Key": "1", "X-Client-Request-Id": "2",
        "traceparent": "00-1", "x-app": "3", "Helicone-Auth": "4", "User-Agent": "5",
    }  # fmt: skip
    assert (await gateway.chat(headers={**kept, "X-Original-URL": "/organization/users"})).status_code == 200
    seen = upstream.seen[0].headers
    assert {name: seen[name] for name in kept} == kept
    assert "x-original-url" not in seen


@pytest.mark.parametrize(
    "model", ["..", ".", "../../x", "a/b", "a\\b", "%2e%2e", "..%2f..", "..;", "%2e%2e%3bx", "\x00"]
)
async def test_a_deployment_leads_nowhere_else(start, upstream, model):
    azure = {"prototype": "azure-openai", "parameters": {
        "endpoint": upstream.url, "api_key": "azure-key", "api_version": "2024-10-21"}}  # fmt: skip
    gateway = await start(clients={"azure": azure})
    answer = await gateway.chat(path="/azure/v1/chat/completions", payload={"model": model})
    assert (answer.status_code, upstream.seen) == (400, [])


@pytest.mark.parametrize("status", [401, 403])
async def test_one_callers_refusal_pauses_nobody(start, upstream, status):
    async def refuses(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("/files"):
            error = {"message": "missing scopes: api.files.read", "code": "insufficient_permissions"}
            return web.json_response({"error": error}, status=status)
        return web.json_response(CHAT)

    upstream.handler = refuses
    gateway = await start()
    refused = await gateway.get("/openai/v1/files")
    assert refused.status_code == (502 if status == 401 else 403)
    assert (await gateway.chat()).status_code == 200


async def test_a_key_that_is_bad_is_told_to_each_caller_and_a_new_one_works_at_once(start, upstream):
    good = False

    async def refuses(request: web.BaseRequest) -> web.StreamResponse:
        error = {"message": "incorrect API key", "code": "invalid_api_key"}
        return web.json_response(CHAT if good else {"error": error}, status=200 if good else 401)

    upstream.handler = refuses
    gateway = await start()
    for _ in range(3):
        answer = await gateway.chat()
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "client_refused")
    good = True
    assert (await gateway.chat()).status_code == 200


NAMES = ["Authorization", "api-key", "Host", "Content-Type", "Accept", "Origin", "Expect", "Content-Encoding",
         "User-Agent", "webhook-id", "webhook-signature", "webhook-timestamp", "Cookie", "X-Any", "Connection",
         "Transfer-Encoding", "Content-Length", "OpenAI-Beta"]  # fmt: skip


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    name=st.sampled_from(NAMES),
    value=st.binary(min_size=1, max_size=30).map(lambda data: re.sub(rb"[\r\n]", b"", data)),
    path=st.sampled_from(["/openai/v1/chat/completions", "/hook", "/usage", "/healthz", "/nothing"]),
    token=st.booleans(),
)
async def test_no_bytes_in_a_header_are_a_fault_of_ours(gateway_and_hook, name, value, path, token):
    gateway = gateway_and_hook
    lines = [b"POST " + path.encode() + b" HTTP/1.1", b"Connection: close", b"Content-Type: application/json"]
    given = {b"host": f"localhost:{gateway.port}".encode(), b"content-length": b"2"}
    given |= {b"authorization": b"Bearer " + TOKEN.encode()} if token else {}
    given[name.lower().encode()] = value
    head = b"\r\n".join([*lines, *(key + b": " + text for key, text in given.items())])
    answer = await gateway.raw(head + b"\r\n\r\n{}")
    status = int(answer.split(b" ")[1])
    assert status < 500 or status in (501, 503, 505), answer


@pytest.fixture
async def gateway_and_hook(start):
    class Hook:
        most = 1000
        status = 200
        said = "ok"
        body = None
        retry_after = 0
        challenge = ""

        async def __call__(self, headers, body):
            is_genuine(headers, body, [b"key"], 0.0, 1e12)
            return self

    return await start(options={"receivers": {"/hook": Hook()}})


@pytest.mark.parametrize("token", [b"\xff\xfe", b"gw-\xe9", b"\xc3\x28", b"\xed\xa0\x80", TOKEN.encode() + b"\xff"])
async def test_a_token_that_is_no_text_is_no_token(start, token):
    gateway = await start()
    for header in (b"Authorization: Bearer ", b"api-key: "):
        head = b"GET /openai/v1/models HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n" % gateway.port
        assert (await gateway.raw(head + header + token + b"\r\n\r\n")).startswith(b"HTTP/1.1 401 ")


def test_a_webhook_whose_id_is_no_text_is_not_genuine():
    headers = {"webhook-id": "\udcff", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
    assert not is_genuine(headers, b"", [b"key"], 1.0, 5.0)
