"""Models by day: those that live are listed and answer, those that were shut down are refused as by the API."""

from __future__ import annotations

from datetime import date

import httpx
import pytest

from connector.sandbox import Sandbox

MESSAGES = [{"role": "user", "content": "hello"}]
KEY = {"authorization": "Bearer any"}


async def ask(today, path, payload=None, **options):
    async with (
        Sandbox(today=today, **options) as sandbox,
        httpx.AsyncClient(base_url=sandbox.url, headers=KEY) as client,
    ):
        if payload is None:
            return await client.get(path)
        return await client.post(path, json=payload)


@pytest.mark.parametrize(
    ("today", "status"), [(date(2026, 12, 10), 200), (date(2026, 12, 11), 404), (date(2027, 6, 1), 404)]
)
async def test_a_model_answers_until_the_day_on_which_it_stops(today, status):
    answer = await ask(today, "/chat/completions", {"model": "gpt-5-mini", "messages": MESSAGES})
    assert answer.status_code == status
    if status == 404:
        error = answer.json()["error"]
        assert error["code"] == "model_not_found"
        assert error["message"].startswith("The model `gpt-5-mini` has been deprecated")


async def test_the_list_of_models_says_when_they_stop_and_leaves_out_those_that_did():
    listed = {each["id"]: each for each in (await ask(date(2026, 11, 28), "/models")).json()["data"]}
    assert listed["gpt-5-mini"]["shutdown_date"] == "2026-12-11"
    assert listed["gpt-6-luna"]["shutdown_date"] is None
    assert "gpt-4" not in listed
    assert not [name for name in listed if name.endswith("*") or name.startswith("ft:")]
    assert (await ask(date(2026, 11, 28), "/models/gpt-4")).status_code == 404
    assert (await ask(date(2026, 10, 22), "/models/gpt-4")).json()["shutdown_date"] == "2026-10-23"


@pytest.mark.parametrize(
    ("path", "payload", "code", "param", "words"),
    [
        (
            "/chat/completions",
            {"messages": MESSAGES, "temperature": 0.2},
            "unsupported_value",
            "temperature",
            "Unsupported value: 'temperature' does not support 0.2 with this model."
            " Only the default (1) value is supported.",
        ),
        (
            "/chat/completions",
            {"messages": MESSAGES, "max_tokens": 5},
            "unsupported_parameter",
            "max_tokens",
            "Unsupported parameter: 'max_tokens' is not supported with this model."
            " Use 'max_completion_tokens' instead.",
        ),
        (
            "/chat/completions",
            {"messages": MESSAGES, "reasoning_effort": "minimal"},
            "unsupported_value",
            "reasoning_effort",
            "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model."
            " Supported values are: 'none', 'low', 'medium', 'high', 'xhigh', 'max'.",
        ),
        ("/responses", {"input": "hello", "top_p": 0.5}, "unsupported_value", "top_p", "Unsupported value: 'top_p'"),
    ],
)
async def test_what_a_model_refuses_is_refused_as_the_api_does(path, payload, code, param, words):
    answer = await ask(date(2026, 11, 28), path, {"model": "gpt-6-luna", **payload})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)
    assert error["message"].startswith(words)


@pytest.mark.parametrize(
    ("path", "payload"),
    [
        ("/chat/completions", {"messages": MESSAGES, "temperature": 1, "max_completion_tokens": 5}),
        ("/chat/completions", {"messages": MESSAGES, "temperature": 0.2, "reasoning_effort": "none"}),
        ("/responses", {"input": "hello", "temperature": 0.2, "reasoning": {"effort": "none"}}),
    ],
)
async def test_what_a_model_takes_is_answered(path, payload):
    assert (await ask(date(2026, 11, 28), path, {"model": "gpt-6-luna", **payload})).status_code == 200


async def test_a_lenient_sandbox_and_unknown_models_do_not_mind():
    payload = {"model": "gpt-4", "messages": MESSAGES, "max_tokens": 5}
    assert (await ask(date(2026, 11, 28), "/chat/completions", payload, lenient=True)).status_code == 200
    payload = {"model": "gpt-none", "messages": MESSAGES, "max_tokens": 5}
    assert (await ask(date(2026, 11, 28), "/chat/completions", payload)).status_code == 200
