"""Responses: output items, what they remember, and what is stored of them."""

from __future__ import annotations

import json

import pytest

from connector.sandbox.messages import Answer, ApiError

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


def text_of(response):
    return response["output"][-1]["content"][0]["text"]


def test_the_input_is_said_again_by_default(room):
    response = room.respond("Hello there", instructions="Be kind.", metadata={"team": "a"})
    assert text_of(response) == "Hello there"
    assert (response["status"], response["metadata"], response["store"]) == ("completed", {"team": "a"}, True)
    usage = response["usage"]
    assert usage["input_tokens"] + usage["output_tokens"] == usage["total_tokens"]
    assert usage["output_tokens"] == 2


def test_items_of_every_kind_are_read(room):
    given = [
        {"role": "developer", "content": "Be brief."},
        {"role": "assistant", "content": "Yes?"},
        {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "What is on it?"},
            {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
            {"type": "input_file", "file_id": "file-1"},
        ]},
    ]  # fmt: skip
    response = room.respond(given)
    assert text_of(response) == "What is on it?"
    assert response["usage"]["input_tokens"] > 185
    listed = room.get(f"/responses/{response['id']}/input_items", order="asc")
    assert [item["role"] for item in listed["data"]] == ["developer", "assistant", "user"]


def test_tokens_that_run_out_leave_it_incomplete(room):
    response = room.respond("word " * 40, max_output_tokens=16)
    assert response["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert response["usage"]["output_tokens"] == 16


def test_structured_output_satisfies_its_schema(room):
    schema = {
        "type": "object",
        "properties": {"mood": {"enum": ["good", "bad"]}},
        "required": ["mood"],
        "additionalProperties": False,
    }
    wanted = {"format": {"type": "json_schema", "name": "mood", "schema": schema, "strict": True}}
    assert json.loads(text_of(room.respond("This is bad", text=wanted))) == {"mood": "bad"}


def test_a_function_is_called_and_its_result_is_told(room):
    called = room.respond("The weather in Rome", tools=[WEATHER])
    call = called["output"][0]
    assert (call["type"], call["name"]) == ("function_call", "get_weather")
    assert set(json.loads(call["arguments"])) == {"city"}
    result = [{"type": "function_call_output", "call_id": call["call_id"], "output": "Sunny"}]
    after = room.respond(result, tools=[WEATHER], previous_response_id=called["id"])
    assert text_of(after) == "Sunny"
    assert after["usage"]["input_tokens"] > called["usage"]["input_tokens"]


def test_a_result_that_nobody_asked_for_is_refused(room):
    with pytest.raises(ApiError, match="No tool call found for function call output with call_id call_9"):
        room.respond([{"type": "function_call_output", "call_id": "call_9", "output": "?"}])


def test_a_custom_tool_gets_text(room):
    response = room.respond(
        "run it", tools=[{"type": "custom", "name": "shell"}], tool_choice={"type": "custom", "name": "shell"}
    )
    assert (response["output"][0]["type"], response["output"][0]["input"]) == ("custom_tool_call", "run it")


@pytest.mark.parametrize(
    ("tool", "choice", "item"),
    [
        ({"type": "web_search_preview"}, {"type": "web_search_preview"}, "web_search_call"),
        ({"type": "web_search"}, "required", "web_search_call"),
        (
            {"type": "code_interpreter", "container": {"type": "auto"}},
            {"type": "code_interpreter"},
            "code_interpreter_call",
        ),
        ({"type": "image_generation", "size": "1024x1536"}, {"type": "image_generation"}, "image_generation_call"),
        (
            {"type": "mcp", "server_label": "wiki", "server_url": "https://example.com"},
            {"type": "mcp", "server_label": "wiki"},
            "mcp_call",
        ),
    ],
)
def test_a_tool_of_the_api_runs_when_it_must(room, tool, choice, item):
    response = room.respond("cats", tools=[tool], tool_choice=choice)
    assert [one["type"] for one in response["output"]] == [item, "message"]
    assert [one["type"] for one in room.respond("cats", tools=[tool])["output"]] == ["message"]
    events = room.stream(
        "/responses", {"model": "gpt-4.1", "input": "cats", "tools": [tool], "tool_choice": choice, "stream": True}
    )
    assert f"response.{item}.completed" in [event.name for event in events]


def test_what_files_say_is_the_answer(rooms):
    room = rooms()
    piece = {
        "file_id": "file-1",
        "filename": "faq.md",
        "score": 0.9,
        "content": [{"type": "text", "text": "Thirty days."}],
    }
    asked = []

    async def call(backend, method, path, payload):
        asked.append((method, path, payload))
        return Answer(body={"data": [piece]})

    room.backend._call_operation = call
    tool = {"type": "file_search", "vector_store_ids": ["vs_1"]}
    response = room.respond("How long?", tools=[tool])
    assert asked == [("POST", "/vector_stores/vs_1/search", {"query": "How long?"})]
    assert response["output"][0]["results"][0]["file_id"] == "file-1"
    assert text_of(response) == "Thirty days."
    assert response["output"][1]["content"][0]["annotations"][0]["filename"] == "faq.md"


def test_a_reasoning_model_leaves_an_item_and_a_summary_when_asked(room):
    payload = {
        "model": "o3",
        "input": "Why?",
        "reasoning": {"effort": "high", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
    }
    response = room.post("/responses", payload)
    thought = response["output"][0]
    assert (thought["type"], len(thought["summary"])) == ("reasoning", 1)
    assert thought["encrypted_content"]
    assert response["usage"]["output_tokens_details"]["reasoning_tokens"] == 64


def test_a_chain_remembers_what_was_said(room):
    first = room.respond("one two three four five six seven eight")
    second = room.respond("nine", previous_response_id=first["id"])
    third = room.respond("ten", previous_response_id=second["id"])
    alone = room.respond("ten")
    assert second["usage"]["input_tokens"] == 8 + 8 + 1
    assert third["usage"]["input_tokens"] == 8 + 8 + 1 + 1 + 1
    assert alone["usage"]["input_tokens"] == 1
    assert third["previous_response_id"] == second["id"]


def test_an_unknown_or_forgotten_predecessor_is_refused(room):
    gone = room.respond("hello", store=False)["id"]
    for name in ("resp_0", gone):
        with pytest.raises(ApiError) as refused:
            room.respond("more", previous_response_id=name)
        assert refused.value.code == "previous_response_not_found"
    with pytest.raises(ApiError) as refused:
        room.get(f"/responses/{gone}")
    assert refused.value.status == 404


def test_a_conversation_grows_by_what_is_said(room):
    room.backend.objects.put("conversations", {"id": "conv_1", "object": "conversation"})
    first = room.respond("one two", conversation="conv_1")
    room.respond("three", conversation={"id": "conv_1"})
    items = list(room.backend.objects.all("conversation items", "conv_1"))
    assert [item["content"][0]["text"] for item in items] == ["one two", "one two", "three", "three"]
    assert first["conversation"] == {"id": "conv_1"}
    with pytest.raises(ApiError):
        room.respond("more", conversation="conv_2")
    with pytest.raises(ApiError, match="cannot both be given"):
        room.respond("more", conversation="conv_1", previous_response_id=first["id"])


def test_what_is_stored_can_be_had_again_until_it_is_deleted(room):
    response = room.respond("hello")
    assert room.get(f"/responses/{response['id']}") == response
    assert room.ask(f"/responses/{response['id']}", method="DELETE").data == b""
    with pytest.raises(ApiError) as refused:
        room.ask(f"/responses/{response['id']}", method="DELETE")
    assert refused.value.status == 404
    assert list(room.backend.objects.all("response input items", response["id"])) == []


def test_input_items_come_in_pages(room):
    given = [{"role": "user", "content": text} for text in "abc"]
    path = f"/responses/{room.respond(given)['id']}/input_items"
    page = room.get(path, limit=2)
    assert [item["content"][0]["text"] for item in page["data"]] == ["c", "b"]
    assert page["has_more"]
    rest = room.get(path, after=page["last_id"])
    assert [item["content"][0]["text"] for item in rest["data"]] == ["a"]
    assert not rest["has_more"]


def test_in_the_background_it_waits_and_its_end_is_kept(room):
    response = room.respond("later", background=True)
    assert (response["status"], response["output"], "usage" in response) == ("queued", [], False)
    assert room.get(f"/responses/{response['id']}")["status"] == "queued"
    finished = room.backend.objects.get("response results", response["id"])
    assert text_of(finished) == "later"
    assert room.opened == [("responses", response["id"], room.time + 1.0)]


def test_the_beta_operations_are_the_same(room):
    response = room.post("/responses?beta=true", {"model": "gpt-4.1", "input": "hello"})
    assert text_of(response) == "hello"
    assert room.get(f"/responses/{response['id']}?beta=true")["id"] == response["id"]


def test_tokens_are_counted_and_conversations_compacted(room):
    first = room.respond("one two three")
    counted = room.post(
        "/responses/input_tokens", {"model": "gpt-4.1", "input": "four five", "previous_response_id": first["id"]}
    )
    assert counted["input_tokens"] == 3 + 3 + 2
    given = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]
    compacted = room.post("/responses/compact", {"model": "gpt-4.1", "input": given})
    assert [item["type"] for item in compacted["output"]] == ["compaction"]
    again = room.respond(
        [
            {"type": "compaction", "encrypted_content": compacted["output"][0]["encrypted_content"]},
            {"role": "user", "content": "go on"},
        ]
    )
    assert text_of(again) == "go on"


def test_a_response_can_be_moderated_on_its_way(room):
    response = room.respond("I will kill you", moderation={"model": "omni-moderation-latest"})
    assert response["moderation"]["output"]["flagged"]
