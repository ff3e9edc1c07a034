"""Reading through the transport seam: pages, bounds, lists that misbehave."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from connector import CallFailed, Client, ConfigurationError, InvalidRequest, State, Subscriber

Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler) -> Client:
    return Client("openai", token="sk-test", environ={}, transport=httpx.MockTransport(handler))


def pages_of(*sizes: int) -> Handler:
    """A cursor-paged list whose pages have these sizes; ids count from 1."""

    def handle(request: httpx.Request) -> httpx.Response:
        after = int(request.url.params.get("after", "0"))
        starts = [sum(sizes[:n]) for n in range(len(sizes) + 1)]
        page = starts.index(after)
        data = [{"id": str(n + 1)} for n in range(after, starts[page + 1])]
        return httpx.Response(200, json={"data": data, "last_id": data[-1]["id"], "has_more": page + 1 < len(sizes)})

    return handle


async def test_all_pages_are_read_in_order() -> None:
    async with client(pages_of(2, 3, 1)) as openai:
        assert [file["id"] async for file in Subscriber(openai, "files").read()] == ["1", "2", "3", "4", "5", "6"]


async def test_a_limit_stops_without_asking_for_more() -> None:
    asked: list[str] = []
    handle = pages_of(2, 2, 2)

    def watch(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return handle(request)

    async with client(watch) as openai:
        assert len([file async for file in Subscriber(openai, "files").read(limit=4)]) == 4
    assert len(asked) == 2


async def test_the_query_goes_along_to_every_page() -> None:
    asked: list[dict[str, str]] = []
    handle = pages_of(1, 1)

    def watch(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        return handle(request)

    async with client(watch) as openai:
        assert [f async for f in Subscriber(openai, "files").read({"query": {"purpose": "batch"}})]
    assert asked == [{"purpose": "batch"}, {"purpose": "batch", "after": "1"}]


@pytest.mark.parametrize(
    "repeated",
    [{"data": [{"id": "a"}], "last_id": "a", "has_more": True}, {"data": [], "last_id": "a", "has_more": True}],
    ids=["items", "empty"],
)
async def test_a_repeated_cursor_ends_in_an_error_not_in_a_loop(repeated: dict[str, object]) -> None:
    async with client(lambda _: httpx.Response(200, json=repeated)) as openai:
        with pytest.raises(CallFailed, match="the list gave the cursor 'a' twice") as caught:
            async for _ in Subscriber(openai, "files").read():
                pass
    assert caught.value.outcome.state is State.UNKNOWN


async def test_an_empty_page_goes_on_while_the_cursor_moves() -> None:
    bodies = iter(
        [
            {"data": [{"id": "a"}], "last_id": "a", "has_more": True},
            {"data": [], "last_id": "b", "has_more": True},
            {"data": [{"id": "c"}], "last_id": "c", "has_more": False},
        ]
    )
    async with client(lambda _: httpx.Response(200, json=next(bodies))) as openai:
        assert [file["id"] async for file in Subscriber(openai, "files").read()] == ["a", "c"]


async def test_a_page_that_is_refused_raises_after_what_was_read() -> None:
    bodies = iter(
        [
            httpx.Response(200, json={"data": [{"id": "a"}], "has_more": True}),
            httpx.Response(404, json={"error": {"message": "gone"}}),
        ]
    )
    async with client(lambda _: next(bodies)) as openai:
        files = Subscriber(openai, "files").read()
        assert await anext(files) == {"id": "a"}
        with pytest.raises(CallFailed, match="gone"):
            await anext(files)


async def test_one_entity_is_read_as_itself() -> None:
    async with client(lambda _: httpx.Response(200, json={"id": "gpt-5"})) as openai:
        model = Subscriber(openai, "models", "retrieve")
        assert [found async for found in model.read({"path": {"model": "gpt-5"}})] == [{"id": "gpt-5"}]
        assert (await model.retrieve({"path": {"model": "gpt-5"}})).body == {"id": "gpt-5"}


async def test_a_subscriber_only_reads_and_checks_first() -> None:
    async with client(lambda _: httpx.Response(500)) as openai:
        with pytest.raises(ConfigurationError, match=r"POST /files: a subscriber reads with GET; use a publisher"):
            Subscriber(openai, "files", "create")
        with pytest.raises(InvalidRequest, match="purpos"):
            await Subscriber(openai, "files").retrieve({"query": {"purpos": "batch"}})
