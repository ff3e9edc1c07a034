"""The sandbox exchanges the tokens of workloads as the API's authority does, for clients with an `identity`."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from connector.http import Client

NOW = 1_767_225_600.0
ASKED = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "identity_provider_id": "idp_1",
    "service_account_id": "sa_1",
}


def token(**claims: object) -> str:
    parts = ({"alg": "RS256"}, claims)
    return ".".join([*(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "c2ln"])


async def exchange(running: Any, change: dict[str, object]) -> tuple[int, Any]:
    asked = {"subject_token": token(exp=NOW + 60), **ASKED, **change}
    async with running.session.post(f"{running.sandbox.origin}/oauth/token", json=asked) as answer:
        return answer.status, await answer.json()


async def test_a_token_is_exchanged(start: Any) -> None:
    running = await start(clock=lambda: NOW)
    status, body = await exchange(running, {})
    assert (status, body["expires_in"], body["token_type"]) == (200, 3600, "Bearer")
    assert body["access_token"] != (await exchange(running, {}))[1]["access_token"]


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type", "grant_type must be"),
        ({"subject_token_type": "saml"}, "invalid_request", "subject_token_type must be one of"),
        ({"identity_provider_id": ""}, "invalid_request", "identity_provider_id is missing"),
        ({"service_account_id": None}, "invalid_request", "service_account_id is missing"),
        ({"subject_token": "abc"}, "invalid_subject_token", "is no JSON Web Token"),
        ({"subject_token": token(exp=NOW)}, "invalid_subject_token", "has expired"),
    ],
)
async def test_a_wrong_exchange_is_refused_as_oauth_does(
    start: Any, change: dict[str, object], error: str, said: str
) -> None:
    status, body = await exchange(await start(clock=lambda: NOW), change)
    assert (status, body["error"]) == (400, error)
    assert said in body["error_description"]


async def test_a_client_with_an_identity_works_against_it(start: Any, tmp_path: Any) -> None:
    running = await start()
    file = tmp_path / "token"
    file.write_text(token(exp=4_000_000_000))
    identity = {
        "source": "kubernetes", "identity_provider_id": "i", "service_account_id": "s", "token_file": str(file),
        "exchange_uri": f"{running.sandbox.origin}/oauth/token",
    }  # fmt: skip
    async with Client(base_uri=running.sandbox.url, identity=identity, environ={}) as client:
        outcome = await client.send(client.prepare("models list"))
    assert outcome.ok
    kept = [record["path"] for record in running.sandbox.requests]
    assert kept == ["/v1/models"], "a request with a token is not kept"
