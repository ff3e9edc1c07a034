"""Responses in the background go through their states; conversations grow."""

from __future__ import annotations

import openai
import pytest

ASKED = {"model": "gpt-4.1", "input": "hello there"}


async def test_a_response_in_the_background_is_finished_with_time(room) -> None:
    queued = await room.client.responses.create(**ASKED, background=True)
    assert (queued.status, queued.output_text) == ("queued", "")
    await room.pass_time()
    assert (await room.client.responses.retrieve(queued.id)).status == "in_progress"
    await room.pass_time()
    done = await room.client.responses.retrieve(queued.id)
    assert done.status == "completed"
    assert "hello there" in done.output_text
    assert room.told() == [("response.completed", queued.id)]
    items = await room.client.responses.input_items.list(queued.id)
    assert items.data[0].content[0].text == "hello there"


async def test_a_cancelled_response_stays_so(room) -> None:
    queued = await room.client.responses.create(**ASKED, background=True)
    assert (await room.client.responses.cancel(queued.id)).status == "cancelled"
    await room.pass_time(10)
    assert (await room.client.responses.retrieve(queued.id)).status == "cancelled"
    assert (await room.client.responses.cancel(queued.id)).status == "cancelled"
    assert room.told() == [("response.cancelled", queued.id)]
    assert (await room.client.responses.input_items.list(queued.id)).data


async def test_only_what_is_in_the_background_can_be_cancelled(room) -> None:
    done = await room.client.responses.create(**ASKED)
    with pytest.raises(openai.BadRequestError, match="background"):
        await room.client.responses.cancel(done.id)
    assert not room.told()


async def test_a_response_that_was_cut_short_says_so(room) -> None:
    queued = await room.client.responses.create(
        **ASKED | {"input": "word " * 90}, background=True, max_output_tokens=16
    )
    await room.pass_time(10)
    assert (await room.client.responses.retrieve(queued.id)).status == "incomplete"
    assert room.told() == [("response.incomplete", queued.id)]


async def test_a_deleted_response_moves_no_more(room) -> None:
    queued = await room.client.responses.create(**ASKED, background=True)
    await room.client.responses.delete(queued.id)
    await room.pass_time(10)
    assert not room.told()
    with pytest.raises(openai.NotFoundError):
        await room.client.responses.retrieve(queued.id)


async def test_a_conversation_grows_item_by_item(room) -> None:
    conversation = await room.client.conversations.create(
        items=[{"type": "message", "role": "user", "content": "first"}], metadata={"a": "1"}
    )
    added = await room.client.conversations.items.create(
        conversation.id, items=[{"role": "assistant", "content": "second"}, {"role": "user", "content": "third"}]
    )
    assert [item.role for item in added.data] == ["assistant", "user"]
    pages = room.client.conversations.items.list(conversation.id, order="asc", limit=2)
    assert [item.content[0].text async for item in pages] == ["first", "second", "third"]
    second = added.data[0]
    found = await room.client.conversations.items.retrieve(second.id, conversation_id=conversation.id)
    assert found.content[0].type == "output_text"
    await room.client.conversations.items.delete(second.id, conversation_id=conversation.id)
    left = await room.client.conversations.items.list(conversation.id)
    assert [item.content[0].text for item in left.data] == ["third", "first"]


async def test_responses_add_to_their_conversation(room) -> None:
    conversation = await room.client.conversations.create()
    await room.client.responses.create(**ASKED, conversation=conversation.id)
    items = (await room.client.conversations.items.list(conversation.id)).data
    assert [item.role for item in items] == ["assistant", "user"]


async def test_a_conversation_is_changed_and_deleted(room) -> None:
    conversation = await room.client.conversations.create()
    changed = await room.client.conversations.update(conversation.id, metadata={"b": "2"})
    assert changed.metadata == {"b": "2"}
    assert (await room.client.conversations.delete(conversation.id)).deleted
    with pytest.raises(openai.NotFoundError):
        await room.client.conversations.items.list(conversation.id)


async def test_no_more_than_twenty_items_at_a_time(room) -> None:
    items = [{"role": "user", "content": str(n)} for n in range(21)]
    with pytest.raises(openai.BadRequestError, match="21 items"):
        await room.client.conversations.create(items=items)
