"""What a trial call says: the problem in a word, the advice in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from connector.config import parse
from connector.config.diagnosis import PROBLEMS, Diagnosis, diagnose
from connector.http import Client


def error(status: int, message: str = "no", code: str | None = None) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": message, "type": "x", "code": code}})


ANSWERS = {
    "": httpx.Response(200, json={"object": "list", "data": [{"id": "gpt-5"}]}),
    "quota": error(429, "You exceeded your current quota", "insufficient_quota"),
    "rate": error(429, "Rate limit reached", "rate_limit_exceeded"),
    "organization": error(
        401, "OpenAI-Organization header should match organization for API key", "mismatched_organization"
    ),
    "key": error(401, "Incorrect API key provided", "invalid_api_key"),
    "permission": error(403, "You have insufficient permissions for this operation"),
    "address": error(404, "Not found"),
    "server": error(500, "boom"),
}
RAISED = {
    "host": httpx.ConnectError("the name api.example was not found: name or service not known"),
    "certificate": httpx.ConnectError("the certificate of api.example was refused: certificate has expired"),
    "connection": httpx.ConnectError("cannot connect to api.example: connection refused"),
}


async def tried(answer: httpx.Response | Exception) -> Diagnosis:
    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    config = parse(
        {"clients": {"c": {"prototype": "openai", "parameters": {"token": "${T}"}}}},
        environ={"T": "sk-canary-0123456789"},
    )
    async with config.clients["c"].client(transport=httpx.MockTransport(respond)) as client:
        return await diagnose(client)


@pytest.mark.parametrize("problem", [*ANSWERS, *RAISED])
async def test_what_is_wrong_is_told_in_words(problem: str) -> None:
    found = await tried({**ANSWERS, **RAISED}[problem])
    assert found.problem == problem
    said = found.sentence("c") + json.dumps(found.as_document("c"))
    assert "canary" not in said
    assert ("does not work" in said) == bool(problem)


def test_every_problem_is_tried() -> None:
    assert {word for word, _ in PROBLEMS} == {*ANSWERS, *RAISED} - {""}


async def test_a_page_where_json_was_due_is_a_wrong_address() -> None:
    found = await tried(httpx.Response(200, html="<html>Sign in</html>"))
    assert found.problem == "address"


@pytest.mark.parametrize(
    ("prototype", "parameters", "called"),
    [
        ("openai", {"token": "x"}, "models list"),
        ("openai", {"admin_token": "x"}, "projects list"),
        ("http", {"base_uri": "https://x.example"}, "GET /"),
        ("azure-openai", {"endpoint": "https://x.example", "api_key": "x"}, "models list"),
    ],
)
async def test_each_kind_makes_a_call_that_it_can_make(
    prototype: str, parameters: dict[str, object], called: str, tmp_path: Path
) -> None:
    client = Client(
        prototype, environ={}, transport=httpx.MockTransport(lambda _: httpx.Response(200, json={})), **parameters
    )
    async with client:
        found = await diagnose(client)
    assert (found.called, found.problem) == (called, "")
