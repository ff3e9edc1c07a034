"""Responses in a stream: every typed event in its place."""

from __future__ import annotations

import pytest

FUNCTION = {
    "type": "function",
    "name": "get_weather",
    "strict": True,
    "parameters": {"type": "object", "properties": {}},
}


def asked(given="one two", **fields):
    return {"model": "gpt-4.1", "input": given, "stream": True, **fields}


def named(events):
    return [event.name.removeprefix("response.") for event in events]


def test_text_comes_in_its_part_of_its_item(room):
    events = room.stream("/responses", asked())
    assert named(events) == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert [event.data["sequence_number"] for event in events] == list(range(len(events)))
    assert all(event.name == event.data["type"] for event in events)
    assert (events[0].data["response"]["status"], events[0].data["response"]["output"]) == ("in_progress", [])
    assert events[2].data["item"]["content"] == []
    assert events[-1].data["response"]["output"][0] == events[-2].data["item"]


@pytest.mark.parametrize(
    ("fields", "middle"),
    [
        (
            {"tools": [FUNCTION], "tool_choice": "required"},
            ["function_call_arguments.delta", "function_call_arguments.done"],
        ),
        (
            {"tools": [{"type": "custom", "name": "x"}], "tool_choice": "required"},
            [*["custom_tool_call_input.delta"] * 2, "custom_tool_call_input.done"],
        ),
    ],
)
def test_a_call_comes_in_pieces(room, fields, middle):
    events = room.stream("/responses", asked(**fields))
    assert named(events) == ["created", "in_progress", "output_item.added", *middle, "output_item.done", "completed"]


def test_a_summary_of_thoughts_comes_first(room):
    payload = {"model": "o3", "input": "Why?", "stream": True, "reasoning": {"summary": "detailed"}}
    names = named(room.stream("/responses", payload))
    assert names[2:4] == ["output_item.added", "reasoning_summary_part.added"]
    assert names.index("reasoning_summary_part.done") < names.index("content_part.added")


def test_it_ends_as_incomplete_where_tokens_run_out(room):
    assert named(room.stream("/responses", asked("word " * 40, max_output_tokens=16)))[-1] == "incomplete"


def test_log_probabilities_come_with_their_token(room):
    events = room.stream("/responses", asked(include=["message.output_text.logprobs"], top_logprobs=2))
    found = [event.data for event in events if event.name == "response.output_text.delta"]
    assert [one["logprobs"][0]["token"] for one in found] == [one["delta"] for one in found]


def test_what_is_stored_can_be_streamed_again_from_anywhere(room):
    events = room.stream("/responses", asked())
    path = f"/responses/{events[0].data['response']['id']}"
    assert room.stream(path, None, method="GET", stream=True) == events
    assert room.stream(path, None, method="GET", stream="true", starting_after=4) == events[5:]


def test_one_in_the_background_streams_its_end(room):
    response = room.respond("later", background=True)
    events = room.stream(f"/responses/{response['id']}", None, method="GET", stream=True)
    assert named(events)[-1] == "completed"


def test_a_refusal_comes_in_pieces(rooms):
    room = rooms([{"answer": {"refusal": "I cannot."}}])
    assert named(room.stream("/responses", asked()))[3:7] == [
        "content_part.added",
        "refusal.delta",
        "refusal.delta",
        "refusal.delta",
    ]
