"""Who may call what: tokens, clients, rules; a denied call says which rule, and upstream never hears of it."""

from __future__ import annotations

import pytest

from connector.config.models.gateway import hash_token
from connector.errors import ConfigurationError
from connector.gateway.access import Callers, read_token
from connector.gateway.refusals import Refusal
from tests.gateway.conftest import TOKEN


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "missing_token"),
        ({"Authorization": "Bearer"}, "missing_token"),
        ({"Authorization": "Basic abc"}, "missing_token"),
        ({"Authorization": "Bearer wrong"}, "invalid_token"),
        ({"api-key": "wrong"}, "invalid_token"),
        ({"Authorization": f"Bearer {hash_token(TOKEN)}"}, "invalid_token"),
        ({"Authorization": f"Bearer {TOKEN}x"}, "invalid_token"),
    ],
)
async def test_nobody_calls_without_a_token_that_is_known(start, upstream, headers, code):
    gateway = await start()
    answer = await gateway.http.get(f"{gateway.url}/openai/v1/models", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "wrong" not in answer.text
    assert upstream.seen == []


@pytest.mark.parametrize("headers", [{"Authorization": f"bearer {TOKEN}"}, {"api-key": TOKEN}])
async def test_a_token_comes_as_a_bearer_or_as_azures_sdk_sends_it(start, headers):
    gateway = await start()
    assert (await gateway.http.get(f"{gateway.url}/openai/v1/models", headers=headers)).status_code == 200


async def test_a_token_that_is_disabled_is_none(start):
    other = {"hash": hash_token("gw-other-token"), "disabled": True}
    gateway = await start(gateway={"tokens": {"bot": {"hash": hash_token(TOKEN)}, "other": other}})
    assert (await gateway.get("/openai/v1/models", token="gw-other-token")).status_code == 401


async def test_a_hash_may_stand_elsewhere(start):
    gateway = await start({"hash": "${HASHED:-" + hash_token(TOKEN) + "}"})
    assert (await gateway.get("/openai/v1/models")).status_code == 200


async def test_clients_that_are_not_listed_may_not_be_used(start, upstream):
    other = {"prototype": "openai", "parameters": {"base_uri": f"{upstream.url}/v1", "token": "sk-other-123"}}
    gateway = await start({"clients": ["openai"]}, clients={"other": other})
    answer = await gateway.get("/other/v1/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "client_not_allowed")
    assert "it may use openai" in answer.json()["error"]["message"]
    unknown = await gateway.get("/nobody/v1/models")
    assert unknown.json()["error"]["code"] == "client_not_allowed"  # who may not use it learns nothing of it
    assert (await gateway.get("/openai/v1/models")).status_code == 200


async def test_a_client_that_nobody_declared_is_unknown(start):
    gateway = await start()
    answer = await gateway.get("/nobody/v1/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_client")


ALLOWED = ["chat completions create", "models *", "* list", "POST /custom/*", "files content retrieve"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/chat/completions", True),
        ("GET", "/chat/completions", True),  # * list
        ("POST", "/responses", False),
        ("GET", "/models/gpt-5", True),
        ("DELETE", "/models/ft:x", True),
        ("GET", "/files", True),
        ("POST", "/files", False),
        ("DELETE", "/files/file-1", False),
        ("GET", "/files/file-1/content", True),
        ("GET", "/organization/users", False),  # any list, but not of administrators
        ("GET", "/organization/admin_api_keys", False),
        ("POST", "/custom/thing/deep", True),
        ("GET", "/custom/thing", False),
        ("POST", "/customs", False),
        ("POST", "/unknown", False),
        ("PUT", "/models/gpt-5", False),
        ("HEAD", "/models", True),
        ("GET", "/files/v2/content", True),  # an id like any other
        ("GET", "/v2/models", False),  # what goes out is no operation
        ("GET", "/files/v2/x", False),
    ],
)
async def test_what_no_rule_allows_is_denied(start, upstream, method, path, allowed):
    gateway = await start({"allow": [*ALLOWED[:-1], "file content retrieve"]})
    answer = await gateway.http.request(
        method, f"{gateway.url}/openai/v1{path}", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    assert (answer.status_code, len(upstream.seen)) == ((200, 1) if allowed else (403, 0))


async def test_a_denied_call_says_which_rules_there_are(start):
    gateway = await start({"allow": ["chat completions create", "models *"]})
    error = (await gateway.get("/openai/v1/files")).json()["error"]
    assert error["code"] == "not_allowed"
    assert "files list" in error["message"]
    assert "chat completions create, models *" in error["message"]


async def test_an_empty_list_allows_nothing(start):
    gateway = await start({"allow": []})
    assert (await gateway.get("/openai/v1/models")).status_code == 403


async def test_without_a_list_every_operation_is_allowed_but_administration_and_other_paths(start, upstream):
    gateway = await start()
    assert (await gateway.get("/openai/v1/models")).status_code == 200
    for path in ("/organization/users", "/organization/unknown", "/projects/p", "/unknown", "/organi%7aation/users"):
        answer = await gateway.get(f"/openai/v1{path}")
        assert answer.status_code == 403, path
        assert "has no allow list" in answer.json()["error"]["message"]
    assert len(upstream.seen) == 1


async def test_administration_is_allowed_by_name(start, upstream):
    gateway = await start({"allow": ["organization users list", "GET /organization/costs", "GET /*"]})
    for path, status in (("/organization/users", 200), ("/organization/costs", 200), ("/organization/projects", 403)):
        assert (await gateway.get(f"/openai/v1{path}")).status_code == status, path


async def test_a_client_of_any_api_is_called_by_paths(start, upstream):
    crm = {"prototype": "http", "parameters": {"base_uri": f"{upstream.url}/crm", "headers": {"X-Key": "crm-secret"}}}
    gateway = await start({"allow": ["* /contacts/*", "* list"]}, clients={"crm": crm})
    assert (await gateway.get("/v1/apis/http/crm/contacts/7")).status_code == 200
    assert upstream.seen[0].target == "/crm/contacts/7"
    assert upstream.seen[0].headers["x-key"] == "crm-secret"
    assert (await gateway.get("/v1/apis/http/crm/models")).status_code == 403  # no operation of another API


async def test_the_administrator_may_do_anything_on_this_machine(start, upstream):
    gateway = await start(options={"administrator": "gw-administrator-token"})
    for path in ("/openai/v1/unknown", "/openai/v1/organization/users", "/metrics", "/usage"):
        assert (await gateway.get(path, token="gw-administrator-token")).status_code == 200, path
    callers = gateway.listening.gateway.callers
    with pytest.raises(Refusal, match="no gateway token"):
        callers.authenticate("gw-administrator-token", "10.0.0.1")


def test_two_tokens_of_one_header_are_not_guessed_between():
    from multidict import CIMultiDict, CIMultiDictProxy

    headers = CIMultiDictProxy(CIMultiDict({"Authorization": "Bearer a", "api-key": "b"}))
    assert read_token(headers) == "a"


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ({"allow": ["chat completion create"]}, "did you mean 'chat completions create'"),
        ({"allow": ["nothing* create"]}, "matches no operation"),
        ({"clients": ["opanai"]}, "did you mean 'openai'"),
        ({"hash": "${TOKEN_HASH:-plain-token}"}, "hash is no hash"),
    ],
)
async def test_a_token_that_cannot_work_is_found_at_the_start(start, token, told):
    with pytest.raises(ConfigurationError, match=told):
        await start(token)


async def test_without_tokens_nobody_could_call(start):
    with pytest.raises(ConfigurationError, match="no token is in force"):
        await start(gateway={"tokens": {}})


def test_hashes_are_told_apart_whole():
    callers = Callers([])
    with pytest.raises(Refusal):
        callers.authenticate("", "127.0.0.1")
