"""The sandbox's own paths, and the headers that the API sends with every answer."""

from __future__ import annotations

from typing import Any

import pytest


async def test_health_needs_no_key(running: Any) -> None:
    status, body = await running.call("GET", "/sandbox/health", headers={"Authorization": ""})
    assert (status, body) == (200, {"status": "ok", "requests": 0, "seed": 0})


async def test_a_reset_begins_again_as_if_just_started(start: Any) -> None:
    running = await start(seed=3, clock=lambda: 1_767_225_600.0)
    first = await running.made("/organization/projects", {"name": "one"})
    await running.call("POST", "/sandbox/faults", {"rates": ["500:1"]})
    assert (await running.call("POST", "/sandbox/reset"))[0] == 200
    assert running.sandbox.requests == []
    assert (await running.call("GET", "/organization/projects"))[1]["data"] == []
    assert await running.made("/organization/projects", {"name": "one"}) == first


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_pages_of_other_sites_cannot_use_its_own_paths(running: Any, headers: dict[str, str]) -> None:
    for method, path in (("POST", "reset"), ("POST", "faults"), ("GET", "requests"), ("DELETE", "requests")):
        assert (await running.call(method, f"/sandbox/{path}", {}, headers=headers))[0] == 403
    rebound = {"Host": "evil.example:8080", "Origin": "http://evil.example:8080"}
    assert (await running.call("POST", "/sandbox/reset", {}, headers=rebound))[0] == 421


async def test_an_unknown_path_of_its_own_names_those_there_are(running: Any) -> None:
    status, body = await running.call("GET", "/sandbox/request")
    assert (status, "/sandbox/requests" in body["error"]["message"]) == (404, True)
    assert (await running.call("GET", "/sandbox/reset"))[0] == 405


async def test_answers_carry_the_headers_of_the_api(running: Any) -> None:
    names = []
    for _ in range(2):
        async with running.session.get(f"{running.sandbox.url}/models") as answer:
            headers = answer.headers
            names.append(headers["x-request-id"])
            assert headers["openai-version"] == "2020-10-01"
            assert headers["openai-processing-ms"].isdecimal()
            assert headers["openai-organization"]
    assert names[0] != names[1]


async def test_rate_limits_count_down_and_begin_anew_with_the_next_minute(start: Any) -> None:
    now = [1_767_225_600.0]
    running = await start(clock=lambda: now[0])
    payload = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "count these words of mine"}]}

    async def left() -> tuple[int, int, str]:
        async with running.session.post(f"{running.sandbox.url}/chat/completions", json=payload) as answer:
            said = answer.headers
            remaining = "x-ratelimit-remaining"
            return (
                int(said[f"{remaining}-requests"]),
                int(said[f"{remaining}-tokens"]),
                said["x-ratelimit-reset-tokens"],
            )

    first = await left()
    now[0] += 20
    second = await left()
    assert (second[0], second[1] < first[1], second[2]) == (first[0] - 1, True, "40.000s")
    now[0] += 41
    assert await left() == first


async def test_pictures_are_where_their_answers_say(running: Any) -> None:
    made = await running.made("/images/generations", {"model": "dall-e-3", "prompt": "a cat", "response_format": "url"})
    async with running.session.get(made["data"][0]["url"]) as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
        assert (await answer.read()).startswith(b"\x89PNG")
