"""Scripted answers: which request gets which, in every form; and files that are wrong."""

from __future__ import annotations

import json

import pytest

from connector.errors import ConfigurationError
from connector.sandbox.messages import ApiError
from connector.sandbox.script import Script

FILE = """
answers:
  - when: contains(payload.messages[-1].content, 'refund')
    answer: We are sorry.
  - when: payload.model == 'gpt-4.1-mini'
    answer: {json: {category: billing}}
  - when: operation == 'embeddings create'
    answer: {json: {object: list}}
"""


def text_of(body):
    return body["choices"][0]["message"]["content"]


def test_the_first_rule_that_fits_answers(tmp_path, rooms):
    path = tmp_path / "script.yaml"
    path.write_text(FILE)
    room = rooms()
    room.backend.script = Script.load(path)
    assert text_of(room.chat("I want a refund")) == "We are sorry."
    assert text_of(room.chat("Hello")) == "Hello"
    small = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "x"}]}
    assert json.loads(text_of(room.post("/chat/completions", small))) == {"category": "billing"}


def test_every_form_is_said_by_every_operation_that_speaks(rooms):
    calls = {"tool_calls": [{"name": "f", "arguments": {"a": 1}}, {"name": "shell", "input": "ls"}]}
    room = rooms([{"answer": calls}])
    message = room.chat()["choices"][0]["message"]
    assert message["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a":1}'}
    assert [item["type"] for item in room.respond()["output"]] == ["function_call", "custom_tool_call"]
    refused = rooms([{"answer": {"refusal": "No."}}])
    assert refused.chat()["choices"][0]["message"]["refusal"] == "No."
    assert refused.respond()["output"][0]["content"][0] == {"type": "refusal", "refusal": "No."}
    text = rooms([{"answer": "Yes."}])
    assert text.post("/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "a"})["choices"][0]["text"] == "Yes."


def test_a_document_is_the_whole_answer_of_what_does_not_speak(rooms):
    room = rooms([{"answer": {"json": {"object": "list"}}}])
    assert room.ask("/embeddings", {"model": "text-embedding-3-small", "input": "a"}).body == {"object": "list"}


def test_a_status_is_an_error_with_its_headers(rooms):
    error = {"status": 429, "error": {"message": "slow down", "code": "slow_down"}, "headers": {"retry-after": "3"}}
    with pytest.raises(ApiError) as refused:
        rooms([{"answer": error}]).chat()
    raised = refused.value
    assert (raised.status, raised.code, raised.headers) == (429, "slow_down", {"retry-after": "3"})


def test_a_delay_alone_changes_nothing_else(rooms, monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr("connector.sandbox.models.script_handlers.asyncio.sleep", sleep)
    assert text_of(rooms([{"answer": {"delay": 2.5}}]).chat("Hello")) == "Hello"
    assert slept == [2.5]


def test_an_expression_that_fails_on_a_request_does_not_fit_it(rooms):
    assert text_of(rooms([{"when": "length(payload.nothing) > `1`", "answer": "x"}]).chat("Hello")) == "Hello"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("answers:\n  - anser: x", "2:5 answers[0].anser: no such name here; did you mean 'answer' or 'answers'?"),
        ("answers:\n  - answer: {txt: x}", "2:14 answers[0].answer.txt: no such name here; did you mean 'text'?"),
        ("- when: 'a['\n  answer: x", "1:9 answers[0].when: not a JMESPath expression"),
        ("- answer: {text: a, status: 500}", "1:11 answers[0].answer: exactly one of text, json, refusal"),
        (
            "- answer: {status: 200}",
            "1:20 answers[0].answer.status: input should be greater than or equal to 400; found 200",
        ),
        ("- answer: {text: a, error: {}}", "error and headers go with a status"),
        ("answers: [", "1:11 not YAML"),
        ("hello", "the script: "),
    ],
)
def test_a_file_that_is_wrong_says_where_and_why(tmp_path, text, said):
    path = tmp_path / "script.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        Script.load(path)
    assert said in str(raised.value)
    assert str(raised.value).startswith(str(path))


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(ConfigurationError, match="the script cannot be read; no such file or directory"):
        Script.load(tmp_path / "none.yaml")


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(ConfigurationError) as raised:
        Script.parse([{"answer": {"txt": 1}}, {"when": 3, "answer": "x"}])
    assert "answers[0].answer.txt" in str(raised.value)
    assert "answers[1].when" in str(raised.value)
