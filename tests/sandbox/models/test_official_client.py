"""The official SDK as a strict client, over a real socket: what it puts together by itself it can put together here."""

from __future__ import annotations

import wave
from io import BytesIO

import httpx
import openai
import pytest
from pydantic import BaseModel

from connector.sandbox import Sandbox

SAID = [{"role": "user", "content": "Ticket: a billing problem with order 42"}]


class Ticket(BaseModel):
    category: str
    priority: int
    tags: list[str]


TOOL = openai.pydantic_function_tool(Ticket, name="make_ticket")


@pytest.fixture
async def sandbox():
    script = {"answers": [{"when": "payload.user == 'scripted'", "answer": "As it was written."}]}
    async with Sandbox(seed=1, pace=0.0, script=script) as sandbox:
        yield sandbox


@pytest.fixture
async def client(sandbox):
    async with openai.AsyncOpenAI(
        base_url=sandbox.url, api_key="sk-any", max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


async def test_chat_is_parsed_into_models_and_tools(client):
    parsed = await client.chat.completions.parse(model="gpt-4.1", messages=SAID, response_format=Ticket)
    assert isinstance(parsed.choices[0].message.parsed, Ticket)
    called = await client.chat.completions.parse(model="gpt-4.1", messages=SAID, tools=[TOOL], tool_choice="required")
    assert isinstance(called.choices[0].message.tool_calls[0].function.parsed_arguments, Ticket)
    with pytest.raises(openai.LengthFinishReasonError):
        await client.chat.completions.parse(model="gpt-4.1", messages=SAID, response_format=Ticket, max_tokens=2)


async def test_chat_streams_are_put_together_again(client):
    async with client.chat.completions.stream(
        model="gpt-4.1", messages=SAID, response_format=Ticket, stream_options={"include_usage": True}
    ) as stream:
        kinds = [event.type async for event in stream]
        whole = await stream.get_final_completion()
    assert isinstance(whole.choices[0].message.parsed, Ticket)
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    assert kinds.count("content.done") == 1
    async with client.chat.completions.stream(model="gpt-4.1", messages=SAID, tools=[TOOL]) as stream:
        events = [event async for event in stream]
    done = [event for event in events if event.type == "tool_calls.function.arguments.done"]
    assert isinstance(done[0].parsed_arguments, Ticket)


async def test_stored_chats_are_found_by_their_metadata(client):
    kept = await client.chat.completions.create(model="gpt-4.1", messages=SAID, store=True, metadata={"team": "a"})
    await client.chat.completions.create(model="gpt-4.1", messages=SAID, store=True, metadata={"team": "b"})
    assert [one.id async for one in client.chat.completions.list(metadata={"team": "a"})] == [kept.id]
    raw = await client.get(f"/chat/completions/{kept.id}/messages", cast_to=httpx.Response)
    assert [(one["role"], one["content"]) for one in raw.json()["data"]] == [("user", SAID[0]["content"])]
    await client.chat.completions.update(kept.id, metadata={"team": "c"})
    assert (await client.chat.completions.retrieve(kept.id)).metadata == {"team": "c"}
    await client.chat.completions.delete(kept.id)
    with pytest.raises(openai.NotFoundError):
        await client.chat.completions.retrieve(kept.id)


async def test_responses_are_parsed_streamed_and_followed(client):
    parsed = await client.responses.parse(model="gpt-4.1", input="a billing ticket", text_format=Ticket)
    assert isinstance(parsed.output_parsed, Ticket)
    async with client.responses.stream(
        model="gpt-5", input="again", previous_response_id=parsed.id, reasoning={"summary": "auto"}
    ) as stream:
        kinds = [event.type async for event in stream]
        final = await stream.get_final_response()
    assert (final.output_text, kinds[-1]) == ("again", "response.completed")
    assert final.previous_response_id == parsed.id
    replayed = await client.responses.retrieve(final.id, stream=True, starting_after=2)
    assert [event.type async for event in replayed] == kinds[3:]
    listed = [item.content[0].text async for item in client.responses.input_items.list(final.id)]
    assert listed == ["again"]
    await client.responses.delete(final.id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(final.id)


async def test_a_conversation_keeps_what_was_said(client):
    conversation = await client.conversations.create(items=[{"role": "user", "content": "first"}])
    await client.responses.create(model="gpt-4.1", input="second", conversation=conversation.id)
    items = [item async for item in client.conversations.items.list(conversation.id, order="asc")]
    assert [(item.role, item.content[0].text) for item in items] == [
        ("user", "first"), ("user", "second"), ("assistant", "second"),
    ]  # fmt: skip


async def test_in_the_background_a_response_ends_by_itself(client):
    begun = await client.responses.create(model="gpt-4.1", input="later", background=True)
    assert begun.status == "queued"
    seen = begun
    for _ in range(10):
        if seen.status == "completed":
            break
        seen = await client.responses.retrieve(begun.id)
    assert (seen.status, seen.output_text) == ("completed", "later")


async def test_files_are_searched_for_the_answer(client):
    file = await client.files.create(file=("faq.md", b"Refunds take thirty days.\n"), purpose="assistants")
    store = await client.vector_stores.create(file_ids=[file.id])
    for _ in range(10):
        if (await client.vector_stores.retrieve(store.id)).file_counts.completed:
            break
    tool = {"type": "file_search", "vector_store_ids": [store.id]}
    response = await client.responses.create(model="gpt-4.1", input="How long do refunds take?", tools=[tool])
    assert "thirty days" in response.output_text
    assert response.output[-1].content[0].annotations[0].file_id == file.id


async def test_pictures_are_downloaded_and_sounds_heard(client):
    made = await client.images.generate(prompt="a cat", model="dall-e-2", size="256x256")
    async with httpx.AsyncClient() as plain:
        picture = await plain.get(made.data[0].url)
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    sound = (
        await client.audio.speech.create(model="tts-1", voice="alloy", input="hello", response_format="wav")
    ).content
    with wave.open(BytesIO(sound)) as file:
        assert file.getframerate() == 24_000
    heard = await client.audio.transcriptions.create(model="gpt-4o-transcribe", file=("hello.wav", sound))
    assert "hello" in heard.text


async def test_embeddings_come_as_floats_whatever_the_wire(sandbox):
    async with openai.AsyncOpenAI(base_url=sandbox.url, api_key="sk-any", max_retries=0) as client:
        packed = await client.embeddings.create(model="text-embedding-3-small", input="hello", dimensions=8)
        plain = await client.embeddings.create(
            model="text-embedding-3-small", input="hello", dimensions=8, encoding_format="float"
        )
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding)


async def test_scripts_and_refusals_reach_the_client(client):
    said = await client.chat.completions.create(model="gpt-4.1", messages=SAID, user="scripted")
    assert said.choices[0].message.content == "As it was written."
    with pytest.raises(openai.BadRequestError, match="not found in 'tools'"):
        await client.chat.completions.create(
            model="gpt-4.1", messages=SAID, tools=[TOOL], tool_choice={"type": "function", "function": {"name": "x"}}
        )
