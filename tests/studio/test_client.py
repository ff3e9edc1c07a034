"""The Python client: calls are values, answers are typed, problems are raised, pages are followed."""

from __future__ import annotations

import httpx
import pytest

from connector.model import JSON
from connector.studio.app import create_app
from connector.studio.client import (
    AsyncStudioClient,
    StudioClient,
    StudioProblem,
    audit,
    edit_config,
    gateway,
    list_operations,
    list_routes,
    money,
    overview,
    pause_route,
    put_documents,
    read_config,
    read_model,
    read_operation,
    read_route,
    resume_route,
    run_chain,
    save_config,
    session,
)
from connector.studio.context import StudioContext
from tests.studio.kit import ORIGIN, TOKENS


async def test_what_a_studio_says_has_types(context: StudioContext) -> None:
    transport = httpx.ASGITransport(create_app(context))
    async with AsyncStudioClient(ORIGIN, TOKENS["operator"], transport=transport) as client:
        assert (await client.send(session())).role == "operator"
        seen = await client.send(overview())
        assert [edge.target for edge in seen.graph.edges if edge.source == "incoming:orders"] == ["route:orders"]
        paused = await client.send(pause_route("tickets", "closed"), key="one")
        assert paused.paused is not None
        assert paused.paused.reason == "closed"
        assert await client.send(pause_route("tickets", "closed"), key="one") == paused
        assert (await client.send(resume_route("tickets"))).paused is None
        assert [route.name for route in await client.send(list_routes())] == ["tickets", "orders"]
        assert (await client.send(read_operation("files", "list"))).method == "GET"
        assert (await client.send(read_model("gpt-6-luna"))).kind == "text"
        report = await client.send(money("day", since="2026-01-01T00:00:00Z"))
        assert report.since is not None
        assert report.rows[0].calls == 1
        assert (await client.send(gateway())).callers == []
        assert [entry.action async for entry in client.iterate(audit())] == ["route resume", "route pause"]
        names = [one.name async for one in client.iterate(list_operations())]
        assert len(names) > 200


async def test_a_program_changes_the_configuration_and_puts_documents(context: StudioContext) -> None:
    transport = httpx.ASGITransport(create_app(context))
    async with AsyncStudioClient(ORIGIN, TOKENS["editor"], transport=transport) as client:
        (file,) = (await client.send(read_config())).files
        edits = [{"op": "set", "path": ["routes", "orders", "description"], "value": "What was ordered."}]
        edited = await client.send(edit_config(file.name, edits))
        saved = await client.send(save_config(file.name, edited.text, file.etag))
        assert "What was ordered." in saved.diff
        with pytest.raises(StudioProblem, match="was changed since it was read; nothing was saved; merge") as stale:
            await client.send(save_config(file.name, edited.text, file.etag))
        assert stale.value.problem["current"]["etag"] == saved.file.etag
        (put,) = await client.send(put_documents("tickets", [{"custom_id": "p1"}]))
        assert not put.known
        (known,) = await client.send(put_documents("tickets", [{"custom_id": "c5"}], wait=1))
        assert known.state == "waiting"
        found = await client.send(run_chain("- expression: {expression: 'a'}", [{"a": 1}]))
        assert found.samples[0].outputs == [1]


async def test_a_problem_is_raised_in_its_words(context: StudioContext) -> None:
    transport = httpx.ASGITransport(create_app(context))
    async with AsyncStudioClient(ORIGIN, TOKENS["viewer"], transport=transport) as client:
        with pytest.raises(StudioProblem, match="needs an operator; ask somebody") as refused:
            await client.send(pause_route("tickets"))
        assert refused.value.status == 403
        with pytest.raises(StudioProblem, match="did you mean 'tickets'"):
            await client.send(read_route("tikets"))


def test_the_blocking_client_follows_pages() -> None:
    pages: dict[str, JSON] = {"": {"items": [], "next": "more"}, "more": {"items": [], "next": None}}
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("cursor", ""))
        return httpx.Response(200, json=pages[asked[-1]])

    with StudioClient(ORIGIN, "st-any", transport=httpx.MockTransport(answer)) as client:
        assert list(client.iterate(audit())) == []
    assert asked == ["", "more"]


def test_what_is_no_problem_of_ours_is_raised_too() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(502, text="<html>bad gateway"))
    with StudioClient(ORIGIN, "st-any", transport=transport) as client, pytest.raises(StudioProblem, match="bad gate"):
        client.send(session())
