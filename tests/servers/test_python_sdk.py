"""The official SDK for Python, with and without an event loop, as the client of both servers."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import openai
import pytest

from tests.servers.conftest import Server

MESSAGES = [{"role": "user", "content": "Is anybody there?"}]
CHAT = {"model": "gpt-5", "messages": MESSAGES}


class Sdk:
    """Calls of either client, written once: what has to be awaited is awaited."""

    def __init__(self, client: openai.OpenAI | openai.AsyncOpenAI) -> None:
        self.client: Any = client

    async def __call__(self, call: Callable[[Any], Any]) -> Any:
        if isinstance(self.client, openai.AsyncOpenAI):
            found = call(self.client)
            return await found if inspect.isawaitable(found) else found
        return await asyncio.to_thread(call, self.client)

    async def items(self, call: Callable[[Any], Any]) -> list[Any]:
        """Everything that a stream or a list with pages gives."""
        if not isinstance(self.client, openai.AsyncOpenAI):
            return await asyncio.to_thread(lambda: list(call(self.client)))
        found = call(self.client)
        if not hasattr(found, "__aiter__"):
            found = await found
        return [item async for item in found]


@pytest.fixture(params=["sync", "async"])
async def sdk(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[Sdk]:
    given = {"base_url": server.base_url, "api_key": server.key, "max_retries": 0, "timeout": 20}
    if request.param == "async":
        async with openai.AsyncOpenAI(**given) as client:
            yield Sdk(client)
    else:
        with openai.OpenAI(**given) as client:
            yield Sdk(client)


async def test_chat(sdk):
    completion = await sdk(lambda client: client.chat.completions.create(**CHAT))
    assert completion.choices[0].message.content == "Is anybody there?"
    assert completion.usage.total_tokens > 0
    assert completion._request_id


async def test_a_stream_of_chat(sdk):
    chunks = await sdk.items(lambda client: client.chat.completions.create(**CHAT, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Is anybody there?"
    assert len(chunks) > 2


async def test_structured_output(sdk):
    schema = {"type": "object", "properties": {"kind": {"enum": ["bill", "bug"]}}, "required": ["kind"],
              "additionalProperties": False}  # fmt: skip
    format_ = {"type": "json_schema", "json_schema": {"name": "triage", "strict": True, "schema": schema}}
    completion = await sdk(lambda client: client.chat.completions.create(**CHAT, response_format=format_))
    assert completion.choices[0].message.content in ('{"kind":"bill"}', '{"kind":"bug"}')


async def test_responses_and_their_stream(sdk):
    response = await sdk(lambda client: client.responses.create(model="gpt-5", input="Hello there"))
    assert (response.status, response.output_text) == ("completed", "Hello there")
    again = await sdk(lambda client: client.responses.retrieve(response.id))
    assert again.output_text == "Hello there"
    events = await sdk.items(lambda client: client.responses.create(model="gpt-5", input="Hello there", stream=True))
    assert events[-1].type == "response.completed"
    assert "".join(each.delta for each in events if each.type == "response.output_text.delta") == "Hello there"


async def test_files_go_up_come_back_and_go_away(sdk):
    data = bytes(range(256)) * 8000
    file = await sdk(lambda client: client.files.create(file=("all bytes.bin", data), purpose="user_data"))
    assert (file.bytes, file.filename) == (len(data), "all bytes.bin")
    content = await sdk(lambda client: client.files.content(file.id))
    assert content.content == data
    assert (await sdk(lambda client: client.files.delete(file.id))).deleted
    with pytest.raises(openai.NotFoundError):
        await sdk(lambda client: client.files.content(file.id))


async def test_an_upload_in_parts(sdk):
    told = {"bytes": 20, "filename": "parts.jsonl", "mime_type": "text/jsonl", "purpose": "batch"}
    upload = await sdk(lambda client: client.uploads.create(**told))
    parts = [
        await sdk(lambda client, data=data: client.uploads.parts.create(upload.id, data=data))
        for data in (b"0123456789", b"abcdefghij")
    ]
    done = await sdk(lambda client: client.uploads.complete(upload.id, part_ids=[part.id for part in parts]))
    assert done.status == "completed"
    content = await sdk(lambda client: client.files.content(done.file.id))
    assert content.content == b"0123456789abcdefghij"


async def test_sound_and_pictures(sdk):
    speech = await sdk(lambda client: client.audio.speech.create(model="tts-1", voice="alloy", input="hi"))
    assert len(speech.content) > 100
    text = await sdk(lambda client: client.audio.transcriptions.create(model="whisper-1", file=("a.mp3", b"ID3" * 99)))
    assert text.text
    picture = await sdk(lambda client: client.images.generate(model="gpt-image-1", prompt="a cat"))
    assert picture.data[0].b64_json


async def test_embeddings_and_moderations(sdk):
    found = await sdk(lambda client: client.embeddings.create(model="text-embedding-3-small", input=["a", "b"]))
    assert [len(each.embedding) for each in found.data] == [1536, 1536]
    verdict = await sdk(lambda client: client.moderations.create(model="omni-moderation-latest", input="kittens"))
    assert verdict.results[0].flagged is False


async def test_lists_are_read_page_by_page(sdk, server):
    names = [f"{server.name}-{type(sdk.client).__name__}-{number}" for number in range(7)]
    for name in names:
        await sdk(lambda client, name=name: client.vector_stores.create(name=name))
    found = await sdk.items(lambda client: client.vector_stores.list(limit=3, order="asc"))
    assert [each.name for each in found if each.name in names] == names
    assert len({each.id for each in found}) == len(found)


ERRORS: list[tuple[type[openai.APIStatusError], Callable[[Any], Awaitable[Any]]]] = [
    (openai.BadRequestError, lambda client: client.chat.completions.create(model="gpt-5", messages="wrong")),
    (openai.NotFoundError, lambda client: client.files.retrieve("file-of-nobody")),
    (openai.NotFoundError, lambda client: client.models.retrieve("no-such-model")),
]


@pytest.mark.parametrize(("kind", "call"), ERRORS)
async def test_errors_are_of_the_classes_that_the_sdk_has_for_them(sdk, kind, call):
    with pytest.raises(kind) as caught:
        await sdk(call)
    assert type(caught.value) is kind
    assert caught.value.message
    assert caught.value.body
    assert caught.value.request_id


async def test_a_missing_or_wrong_key_is_an_authentication_error(sdk, server):
    missing = {"Authorization": openai.Omit()}
    with pytest.raises(openai.AuthenticationError):
        await sdk(lambda client: client.models.list(extra_headers=missing))
    if server.name == "gateway":
        with pytest.raises(openai.AuthenticationError, match="no gateway token"):
            await sdk(lambda client: client.with_options(api_key="gw-nobody").models.list())
