"""Chat completions in a stream: the chunks say what the whole answer says."""

from __future__ import annotations

import pytest

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def asked(content="one two three", **fields):
    return {"model": "gpt-4.1", "messages": [{"role": "user", "content": content}], "stream": True, **fields}


def deltas(events, index=0):
    chunks = [event.data for event in events[:-1]]
    return [part["delta"] for chunk in chunks for part in chunk["choices"] if part["index"] == index]


def test_a_chunk_per_token_then_the_reason_then_done(room):
    events = room.stream("/chat/completions", asked())
    assert events[-1].data == "[DONE]"
    assert [delta.get("content") for delta in deltas(events)] == ["", "one", " two", " three", None]
    assert deltas(events)[0]["role"] == "assistant"
    reasons = [event.data["choices"][0]["finish_reason"] for event in events[:-1]]
    assert reasons == [None, None, None, None, "stop"]
    assert len({event.data["id"] for event in events[:-1]}) == 1
    assert all("usage" not in event.data for event in events[:-1])


def test_usage_comes_last_when_it_is_asked_for(room):
    events = room.stream("/chat/completions", asked(stream_options={"include_usage": True}))
    assert all(event.data["usage"] is None for event in events[:-2])
    assert events[-2].data["choices"] == []
    assert events[-2].data["usage"]["completion_tokens"] == 3


def test_every_choice_is_streamed_to_its_end(room):
    events = room.stream("/chat/completions", asked(n=2, max_tokens=1))
    for index in (0, 1):
        assert "".join(delta.get("content") or "" for delta in deltas(events, index)) == "one"
    ends = [event.data["choices"][0]["finish_reason"] for event in events[:-1]]
    assert ends.count("length") == 2


def test_arguments_of_a_tool_come_in_pieces(room):
    events = room.stream("/chat/completions", asked("the weather", tools=[TOOL]))
    whole = room.chat("the weather", tools=[TOOL])["choices"][0]["message"]["tool_calls"][0]
    parts = [delta["tool_calls"][0] for delta in deltas(events) if "tool_calls" in delta]
    assert parts[0]["function"] == {"name": "get_weather", "arguments": ""}
    assert parts[0]["id"].startswith("call_")
    assert "".join(part["function"]["arguments"] for part in parts) == whole["function"]["arguments"]
    assert events[-2].data["choices"][0]["finish_reason"] == "tool_calls"


def test_log_probabilities_come_with_their_token(room):
    events = room.stream("/chat/completions", asked(logprobs=True, top_logprobs=1))
    found = [event.data["choices"][0] for event in events[1:-2]]
    assert [one["logprobs"]["content"][0]["token"] for one in found] == [one["delta"]["content"] for one in found]


@pytest.mark.parametrize("fields", [{"functions": [TOOL["function"]], "function_call": {"name": "get_weather"}}])
def test_functions_of_the_older_form_come_in_pieces_too(room, fields):
    found = [
        delta["function_call"]
        for delta in deltas(room.stream("/chat/completions", asked(**fields)))
        if "function_call" in delta
    ]
    assert found[0]["name"] == "get_weather"
    assert "".join(part["arguments"] for part in found).startswith("{")


def test_sound_comes_with_its_words(room):
    fields = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "pcm16"}}
    found = [delta["audio"] for delta in deltas(room.stream("/chat/completions", asked(**fields))) if "audio" in delta]
    assert "".join(part.get("transcript", "") for part in found) == "one two three"
    assert sum(len(part.get("data", "")) for part in found) > 1000
    assert "expires_at" in found[-1]
