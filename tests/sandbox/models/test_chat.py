"""Chat completions: what is said, in which form, and where it ends."""

from __future__ import annotations

import json

import pytest

from connector.sandbox.messages import ApiError

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["c", "f"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}
TIME = {"type": "function", "function": {"name": "getTime"}}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 18, "maximum": 99}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def test_the_last_user_message_is_said_again_by_default(room):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "One"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Two"}, {"type": "image_url", "image_url": {"url": "x"}}],
        },
    ]
    body = room.post("/chat/completions", {"model": "gpt-4.1", "messages": messages})
    assert body["choices"][0]["message"]["content"] == "Two"
    assert body["choices"][0]["finish_reason"] == "stop"


def test_usage_adds_up_and_grows_with_the_prompt_and_the_choices(room):
    short, long = room.chat("Hello"), room.chat("Hello" + " Hello" * 49, n=3)
    for body in (short, long):
        usage = body["usage"]
        assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"]
    assert long["usage"]["prompt_tokens"] > 10 * short["usage"]["prompt_tokens"]
    assert long["usage"]["completion_tokens"] == 3 * len(long["choices"][0]["message"]["content"].split())
    assert [choice["index"] for choice in long["choices"]] == [0, 1, 2]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_text_ends_where_tokens_run_out(room, name):
    body = room.chat("one two three four five", **{name: 2})
    assert body["choices"][0]["message"]["content"] == "one two"
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize(("stop", "left"), [("three", "one two "), (["four", " two"], "one"), (None, "one two three")])
def test_the_text_ends_before_a_stop_sequence(room, stop, left):
    choice = room.chat("one two three", stop=stop)["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == (left, "stop")


def test_a_reasoning_model_thinks_within_what_it_is_given(room):
    free = room.post("/chat/completions", {"model": "o3", "messages": [{"role": "user", "content": "Hi"}]})
    bound = room.chat("one two three four five", max_completion_tokens=4)
    tight = room.post(
        "/chat/completions",
        {"model": "gpt-5", "messages": [{"role": "user", "content": "one two three"}], "max_completion_tokens": 4},
    )
    assert free["usage"]["completion_tokens_details"]["reasoning_tokens"] == 32
    assert bound["usage"]["completion_tokens_details"]["reasoning_tokens"] == 0
    assert tight["usage"]["completion_tokens"] == 4
    assert tight["choices"][0]["message"]["content"] == "one two"


def test_log_probabilities_stand_by_every_token(room):
    choice = room.chat("one two three", logprobs=True, top_logprobs=3)["choices"][0]
    entries = choice["logprobs"]["content"]
    assert "".join(entry["token"] for entry in entries) == "one two three"
    assert all(len(entry["top_logprobs"]) == 3 and entry["logprob"] < 0 for entry in entries)
    assert bytes(entries[1]["bytes"]).decode() == " two"


def test_a_tool_that_is_spoken_of_is_called_with_arguments_that_fit(room):
    choice = room.chat("What is the weather in Paris?", tools=[TIME, WEATHER])["choices"][0]
    called = choice["message"]["tool_calls"][0]["function"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    assert called["name"] == "get_weather"
    arguments = json.loads(called["arguments"])
    assert set(arguments) == {"city", "unit"}
    assert arguments["unit"] in ("c", "f")


@pytest.mark.parametrize(
    ("choice", "said", "called"),
    [
        ("auto", "Tell me a joke.", None),
        ("none", "What is the weather?", None),
        ("required", "Tell me a joke.", "getTime"),
        ("required", "What is the weather?", "get_weather"),
        ({"type": "function", "function": {"name": "get_weather"}}, "Tell me a joke.", "get_weather"),
        ("auto", "What time is it?", "getTime"),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [WEATHER]}},
            "What time is it?",
            "get_weather",
        ),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [WEATHER]}}, "What time is it?", None),
    ],
)
def test_the_choice_of_tools_is_kept(room, choice, said, called):
    message = room.chat(said, tools=[TIME, WEATHER], tool_choice=choice)["choices"][0]["message"]
    assert [call["function"]["name"] for call in message.get("tool_calls", [])] == ([called] if called else [])


def test_a_choice_of_a_tool_that_is_not_there_is_refused(room):
    choice = {"type": "function", "function": {"name": "get_wether"}}
    with pytest.raises(ApiError, match="get_wether") as refused:
        room.chat(tools=[WEATHER], tool_choice=choice)
    assert (refused.value.status, refused.value.param) == (400, "tool_choice")


def test_after_a_tools_result_the_model_speaks(room):
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "What is the weather?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Rain and weather."},
    ]
    body = room.post("/chat/completions", {"model": "gpt-4.1", "messages": messages, "tools": [WEATHER]})
    assert body["choices"][0]["message"]["content"] == "Rain and weather."


def test_custom_tools_get_text_and_functions_of_the_older_form_their_own(room):
    custom = {"type": "custom", "custom": {"name": "shell"}}
    message = room.chat("use the shell", tools=[custom])["choices"][0]["message"]
    assert message["tool_calls"][0]["custom"] == {"name": "shell", "input": "use the shell"}
    older = room.chat("the weather", functions=[WEATHER["function"]], function_call={"name": "get_weather"})
    assert older["choices"][0]["finish_reason"] == "function_call"
    assert set(json.loads(older["choices"][0]["message"]["function_call"]["arguments"])) == {"city", "unit"}


def test_structured_output_satisfies_its_schema(room):
    wanted = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": PERSON}}
    content = room.chat("Ada is 36.", response_format=wanted)["choices"][0]["message"]["content"]
    person = json.loads(content)
    assert set(person) == {"name", "age"}
    assert 18 <= person["age"] <= 99
    assert content == room.chat("Ada is 36.", response_format=wanted)["choices"][0]["message"]["content"]


def test_a_json_object_must_be_spoken_of(room):
    wanted = {"type": "json_object"}
    content = room.chat("Give me JSON.", response_format=wanted)["choices"][0]["message"]["content"]
    assert json.loads(content) == {"answer": "Give me JSON."}
    with pytest.raises(ApiError, match="must contain the word 'json'"):
        room.chat("Give me something.", response_format=wanted)


def test_a_schema_that_nothing_satisfies_is_refused(room):
    wanted = {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": {"type": "object", "required": ["a"], "properties": {"a": False}}},
    }
    with pytest.raises(ApiError) as refused:
        room.chat(response_format=wanted)
    assert (refused.value.status, refused.value.code) == (400, "invalid_json_schema")


def test_a_spoken_answer_carries_its_sound_and_its_words(room):
    audio = {"voice": "alloy", "format": "wav"}
    message = room.chat("Say it.", modalities=["text", "audio"], audio=audio)["choices"][0]["message"]
    assert message["content"] is None
    assert message["audio"]["transcript"] == "Say it."
    assert message["audio"]["data"].startswith("UklGR")


def test_an_answer_can_be_moderated_on_its_way(room):
    body = room.chat("I will kill you", moderation={"model": "omni-moderation-latest"})
    assert body["moderation"]["input"]["results"][0]["flagged"]


def test_the_seed_of_the_sandbox_changes_what_is_made_up(rooms):
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "integer", "maximum": 10**6}}}
    said = {
        seed: rooms(seed=seed).chat("n", response_format=wanted)["choices"][0]["message"]["content"] for seed in (1, 2)
    }
    assert said[1] != said[2]
