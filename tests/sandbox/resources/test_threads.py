"""Assistants answer in threads: runs go through their states, call tools, stream."""

from __future__ import annotations

import json

import openai
import pytest

# The official SDK calls the whole Assistants API deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


async def begun(room, *tools, said: str = "hello there", **asked):
    assistant = await room.client.beta.assistants.create(
        model="gpt-4.1", instructions="Be kind.", tools=list(tools), **asked
    )
    thread = await room.client.beta.threads.create(messages=[{"role": "user", "content": said}])
    return assistant, thread


async def said_in(room, thread: str) -> list[tuple[str, str]]:
    messages = room.client.beta.threads.messages.list(thread, order="asc")
    return [(one.role, one.content[0].text.value) async for one in messages]


async def test_a_run_answers_with_time(room) -> None:
    assistant, thread = await begun(room)
    runs = room.client.beta.threads.runs
    run = await runs.create(thread.id, assistant_id=assistant.id, additional_instructions="Be brief.")
    assert (run.status, run.instructions, run.usage) == ("queued", "Be kind.\nBe brief.", None)
    await room.pass_time()
    assert (await runs.retrieve(run.id, thread_id=thread.id)).status == "in_progress"
    assert len(await said_in(room, thread.id)) == 1
    await room.pass_time()
    done = await runs.retrieve(run.id, thread_id=thread.id)
    assert done.status == "completed"
    assert done.usage.total_tokens > 0
    [_, (role, text)] = await said_in(room, thread.id)
    assert role == "assistant"
    assert "hello there" in text
    [step] = (await runs.steps.list(run.id, thread_id=thread.id)).data
    message = await room.client.beta.threads.messages.retrieve(
        step.step_details.message_creation.message_id, thread_id=thread.id
    )
    assert (message.run_id, message.assistant_id) == (run.id, assistant.id)


async def test_functions_are_called_and_their_outputs_awaited(room) -> None:
    assistant, thread = await begun(room, WEATHER, said="What is the weather in Paris?")
    runs = room.client.beta.threads.runs
    run = await runs.create(thread.id, assistant_id=assistant.id, tool_choice="required")
    await room.pass_time(2)
    run = await runs.retrieve(run.id, thread_id=thread.id)
    assert run.status == "requires_action"
    [call] = run.required_action.submit_tool_outputs.tool_calls
    assert call.function.name == "get_weather"
    assert "city" in json.loads(call.function.arguments)
    with pytest.raises(openai.BadRequestError, match="Expected tool outputs"):
        await runs.submit_tool_outputs(run.id, thread_id=thread.id, tool_outputs=[{"tool_call_id": "x", "output": "y"}])
    outputs = [{"tool_call_id": call.id, "output": "sunny, 21 degrees"}]
    run = await runs.submit_tool_outputs(run.id, thread_id=thread.id, tool_outputs=outputs)
    assert (run.status, run.required_action) == ("queued", None)
    await room.pass_time(2)
    assert (await runs.retrieve(run.id, thread_id=thread.id)).status == "completed"
    assert "sunny" in (await said_in(room, thread.id))[-1][1]
    steps = [step async for step in runs.steps.list(run.id, thread_id=thread.id, order="asc")]
    assert [step.type for step in steps] == ["tool_calls", "message_creation"]
    assert steps[0].step_details.tool_calls[0].function.output == "sunny, 21 degrees"
    with pytest.raises(openai.BadRequestError, match="do not accept"):
        await runs.submit_tool_outputs(run.id, thread_id=thread.id, tool_outputs=outputs)


async def test_a_run_that_waits_too_long_expires(room) -> None:
    assistant, thread = await begun(room, WEATHER)
    runs = room.client.beta.threads.runs
    run = await runs.create(thread.id, assistant_id=assistant.id, tool_choice="required")
    await room.pass_time(599)
    assert (await runs.retrieve(run.id, thread_id=thread.id)).status == "requires_action"
    await room.pass_time(1)
    assert (await runs.retrieve(run.id, thread_id=thread.id)).status == "expired"
    [step] = (await runs.steps.list(run.id, thread_id=thread.id)).data
    assert step.status == "expired"


async def test_a_thread_has_one_run_at_a_time(room) -> None:
    assistant, thread = await begun(room)
    run = await room.client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    with pytest.raises(openai.BadRequestError, match=run.id):
        await room.client.beta.threads.messages.create(thread.id, role="user", content="more")
    with pytest.raises(openai.BadRequestError, match="create a run"):
        await room.client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    assert (await room.client.beta.threads.runs.cancel(run.id, thread_id=thread.id)).status == "cancelling"
    await room.pass_time()
    assert (await room.client.beta.threads.runs.retrieve(run.id, thread_id=thread.id)).status == "cancelled"
    assert (
        await room.client.beta.threads.messages.create(thread.id, role="user", content="more")
    ).status == "completed"
    with pytest.raises(openai.BadRequestError, match="cancelled"):
        await room.client.beta.threads.runs.cancel(run.id, thread_id=thread.id)


async def test_a_stream_tells_all_that_happens(room) -> None:
    assistant, thread = await begun(room)
    async with room.client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
        events = [event.event async for event in stream]
        [message] = await stream.get_final_messages()
    assert events[:3] == ["thread.run.created", "thread.run.queued", "thread.run.in_progress"]
    assert events[3:7] == [
        "thread.run.step.created", "thread.run.step.in_progress",
        "thread.message.created", "thread.message.in_progress",
    ]  # fmt: skip
    assert set(events[7:-3]) == {"thread.message.delta"}
    assert events[-3:] == ["thread.message.completed", "thread.run.step.completed", "thread.run.completed"]
    assert (await said_in(room, thread.id))[-1] == ("assistant", message.content[0].text.value)


async def test_a_stream_stops_for_tools_and_goes_on_with_their_outputs(room) -> None:
    assistant, _ = await begun(room, WEATHER)
    asked = {"messages": [{"role": "user", "content": "weather in Rome"}]}
    async with room.client.beta.threads.create_and_run_stream(
        assistant_id=assistant.id, thread=asked, tool_choice="required"
    ) as stream:
        events = [event async for event in stream]
        run = await stream.get_final_run()
    assert events[0].event == "thread.created"
    assert [event.event for event in events][-2:] == ["thread.run.step.delta", "thread.run.requires_action"]
    [call] = run.required_action.submit_tool_outputs.tool_calls
    async with room.client.beta.threads.runs.submit_tool_outputs_stream(
        run_id=run.id, thread_id=run.thread_id, tool_outputs=[{"tool_call_id": call.id, "output": "rain"}]
    ) as stream:
        names = [event.event async for event in stream]
    assert names[0] == "thread.run.step.completed"
    assert names[-1] == "thread.run.completed"


async def test_files_are_searched_and_cited(room) -> None:
    file = await room.file("The zebra sleeps at noon.", "assistants", "zebra.txt")
    assistant, thread = await begun(
        room, {"type": "file_search"}, said="When does the zebra sleep?",
        tool_resources={"file_search": {"vector_stores": [{"file_ids": [file]}]}},
    )  # fmt: skip
    assert len(assistant.tool_resources.file_search.vector_store_ids) == 1
    await room.pass_time()
    run = await room.client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    await room.pass_time(2)
    [_, answer] = [one async for one in room.client.beta.threads.messages.list(thread.id, order="asc")]
    [citation] = answer.content[0].text.annotations
    assert citation.file_citation.file_id == file
    assert answer.content[0].text.value[citation.start_index : citation.end_index] == citation.text
    [search, _] = [
        one async for one in room.client.beta.threads.runs.steps.list(run.id, thread_id=thread.id, order="asc")
    ]
    assert search.step_details.tool_calls[0].file_search.results[0].file_name == "zebra.txt"


async def test_a_model_that_refuses_fails_the_run(rooms) -> None:
    script = [{"answer": {"status": 429, "error": {"message": "slow down", "code": "rate_limit_exceeded"}}}]
    room = await rooms(script=script)
    assistant, thread = await begun(room)
    run = await room.client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    await room.pass_time(2)
    failed = await room.client.beta.threads.runs.retrieve(run.id, thread_id=thread.id)
    assert (failed.status, failed.last_error.code) == ("failed", "rate_limit_exceeded")
    assert "slow down" in failed.last_error.message
    again = await room.client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    assert again.status == "queued"


async def test_things_are_listed_changed_and_deleted(room) -> None:
    assistant, thread = await begun(room)
    beta = room.client.beta
    assert (await beta.assistants.update(assistant.id, name="Ada")).name == "Ada"
    assert (await beta.threads.update(thread.id, metadata={"a": "1"})).metadata == {"a": "1"}
    message = await beta.threads.messages.create(
        thread.id, role="user",
        content=[{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}],
    )  # fmt: skip
    assert [part.type for part in message.content] == ["text", "image_url"]
    changed = await beta.threads.messages.update(message.id, thread_id=thread.id, metadata={"b": "2"})
    assert changed.metadata == {"b": "2"}
    assert (await beta.threads.messages.delete(message.id, thread_id=thread.id)).deleted
    run = await beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    assert (await beta.threads.runs.update(run.id, thread_id=thread.id, metadata={"c": "3"})).metadata == {"c": "3"}
    assert [one.id async for one in beta.threads.runs.list(thread.id)] == [run.id]
    assert (await beta.threads.delete(thread.id)).deleted
    assert (await beta.assistants.delete(assistant.id)).deleted
    await room.pass_time(10)
    for gone in (beta.threads.retrieve(thread.id), beta.assistants.retrieve(assistant.id)):
        with pytest.raises(openai.NotFoundError):
            await gone


async def test_a_run_of_nobody_is_refused(room) -> None:
    _, thread = await begun(room)
    with pytest.raises(openai.NotFoundError, match="asst_none"):
        await room.client.beta.threads.runs.create(thread.id, assistant_id="asst_none")
