"""Completions of the older kind."""

from __future__ import annotations

MODEL = "gpt-3.5-turbo-instruct"


def complete(room, prompt, **fields):
    return room.post("/completions", {"model": MODEL, "prompt": prompt, **fields})


def texts(body):
    return [choice["text"] for choice in body["choices"]]


def test_prompts_are_said_again_up_to_sixteen_tokens(room):
    body = complete(room, ["one two", "word " * 20], n=2)
    assert texts(body)[:2] == ["one two"] * 2
    assert len(texts(body)[3].split()) == 16
    assert [choice["finish_reason"] for choice in body["choices"]] == ["stop", "stop", "length", "length"]
    assert body["usage"]["completion_tokens"] == 2 + 2 + 16 + 16
    assert body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"] == body["usage"]["total_tokens"]


def test_echo_stop_and_tokens(room):
    assert texts(complete(room, "one two", echo=True)) == ["one twoone two"]
    assert texts(complete(room, "one two three", stop=[" three"])) == ["one two"]
    assert complete(room, [[1, 2, 3], [4]])["usage"]["prompt_tokens"] == 4
    assert texts(complete(room, "one two", max_tokens=0)) == [""]


def test_log_probabilities_stand_by_their_place(room):
    logprobs = complete(room, "one two", logprobs=1)["choices"][0]["logprobs"]
    assert logprobs["tokens"] == ["one", " two"]
    assert logprobs["text_offset"] == [0, 3]
    assert logprobs["top_logprobs"][1] == {" two": logprobs["token_logprobs"][1]}


def test_a_stream_ends_with_its_usage_and_done(room):
    payload = {
        "model": MODEL,
        "prompt": "one two",
        "stream": True,
        "stream_options": {"include_usage": True},
        "logprobs": 1,
    }
    events = room.stream("/completions", payload)
    assert [event.data["choices"][0]["text"] for event in events[:-2]] == ["one", " two", ""]
    assert events[-3].data["choices"][0]["finish_reason"] == "stop"
    assert events[-2].data["usage"]["total_tokens"] == 4
    assert events[-1].data == "[DONE]"
