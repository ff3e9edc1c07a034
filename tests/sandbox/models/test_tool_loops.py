"""A tool that a prompt names is called, and once its result is there the model speaks: the loop that agents run."""

# ruff: noqa: E501 - a table of cases is read by its lines
from __future__ import annotations

import json
from typing import Any

import jsonschema
import openai
import pytest

from connector.sandbox import Sandbox
from connector.sandbox.models.reply import Prompt, Tool, generate_reply

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
NESTED = {
    "type": "object",
    "properties": {
        "place": {"$ref": "#/$defs/Place"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        "days": {"type": ["integer", "null"], "minimum": 1, "maximum": 14},
        "tags": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}, "minItems": 1},
    },
    "required": ["place", "unit", "days", "tags"],
    "additionalProperties": False,
    "$defs": {
        "Place": {
            "type": "object",
            "properties": {"name": {"type": "string", "minLength": 2}, "inside": {"anyOf": [{"$ref": "#/$defs/Place"}, {"type": "null"}]}},
            "required": ["name", "inside"],
            "additionalProperties": False,
        }
    },
}  # fmt: skip
SCHEMAS = {"get_weather": CITY, "getForecast": NESTED, "time-of-day": {"type": "object", "properties": {}}}
TOOLS = [Tool(name, schema) for name, schema in SCHEMAS.items()]


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("use get_weather for Paris", ["get_weather"]),
        ("Call `get_weather`.", ["get_weather"]),
        ("get_weather(city='Paris')", ["get_weather"]),
        ("GET_WEATHER in Paris!", ["get_weather"]),
        ("what is the weather in Paris?", ["get_weather"]),
        ("please run getForecast for Oslo", ["getForecast"]),
        ("use time-of-day, then get_weather for Rome", ["time-of-day", "get_weather"]),
        ("use get_weather_v2 and time-of-day-2", ["get_weather"]),  # its subject is spoken of
        ("say hello", []),
        ("x" * 5000 + " use time-of-day", ["time-of-day"]),
    ],
)
def test_tools_that_are_named_are_called_in_their_order(said: str, names: list[str]) -> None:
    calls = generate_reply(Prompt(said, tools=TOOLS), "0").calls
    assert [call.name for call in calls] == names
    for call in calls:
        jsonschema.Draft202012Validator(SCHEMAS[call.name]).validate(json.loads(call.arguments))


def test_what_follows_the_name_is_what_the_call_is_about() -> None:
    [call] = generate_reply(Prompt("Please use get_weather for Paris.", tools=TOOLS), "0").calls
    assert json.loads(call.arguments) == {"city": "Paris"}
    [call] = generate_reply(Prompt("use the shell to list files", tools=[Tool("shell", custom=True)]), "0").calls
    assert call.arguments == "list files"


def test_one_tool_at_a_time_where_that_is_asked_for_and_none_after_a_result() -> None:
    said = "use get_weather and time-of-day"
    assert [call.name for call in generate_reply(Prompt(said, tools=TOOLS, parallel=False), "0").calls] == [
        "get_weather"
    ]
    assert generate_reply(Prompt(said, answers_tool=True, tools=TOOLS), "0").calls == ()


@pytest.fixture
async def client():
    async with (
        Sandbox(seed=1, pace=0.0) as sandbox,
        openai.AsyncOpenAI(
            base_url=sandbox.url, api_key="sk-any", max_retries=0, _strict_response_validation=True
        ) as client,
    ):
        yield client


CHAT_TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": schema, "strict": name == "getForecast"}}
    for name, schema in SCHEMAS.items()
]
RESPONSE_TOOLS = [
    {"type": "function", "name": name, "parameters": schema, "strict": name == "getForecast"}
    for name, schema in SCHEMAS.items()
]
SAID = "use get_weather for Paris and getForecast for Oslo in celsius"


async def chat_turn(client: Any, messages: list[Any], *, streaming: bool, **more: Any) -> Any:
    """Return the message of one turn, streamed or not."""
    asked = {"model": "gpt-4.1", "messages": messages, "tools": CHAT_TOOLS, **more}
    if not streaming:
        return (await client.chat.completions.create(**asked)).choices[0].message
    async with client.chat.completions.stream(**asked) as stream:
        return (await stream.get_final_completion()).choices[0].message


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_loop_of_chat_completions_comes_to_its_text(client: Any, streaming: bool) -> None:
    messages: list[Any] = [{"role": "user", "content": SAID}]
    ran: list[str] = []
    for _ in range(4):
        message = await chat_turn(client, messages, streaming=streaming)
        messages.append(message.model_dump(exclude_none=True, include={"role", "content", "tool_calls"}))
        if not message.tool_calls:
            break
        for call in message.tool_calls:
            jsonschema.validate(json.loads(call.function.arguments), SCHEMAS[call.function.name])
            ran.append(call.function.name)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": f"{call.function.name}: 21 degrees"})
    assert ran == ["get_weather", "getForecast"]
    assert message.content == "getForecast: 21 degrees"


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_choice_of_tools_is_kept(client: Any, streaming: bool) -> None:
    async def called(choice: Any, **more: Any) -> list[str]:
        message = await chat_turn(
            client, [{"role": "user", "content": SAID}], streaming=streaming, tool_choice=choice, **more
        )
        return [call.function.name for call in message.tool_calls or []]

    assert await called("none") == []
    assert await called("auto", parallel_tool_calls=False) == ["get_weather"]
    assert await called("required") == ["get_weather", "getForecast"]
    assert await called({"type": "function", "function": {"name": "time-of-day"}}) == ["time-of-day"]


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_loop_of_responses_comes_to_its_text(client: Any, streaming: bool) -> None:
    given: Any = SAID
    before: str | None = None
    ran: list[str] = []
    for _ in range(4):
        asked = {"model": "gpt-4.1", "input": given, "tools": RESPONSE_TOOLS, "previous_response_id": before}
        if streaming:
            async with client.responses.stream(**{name: value for name, value in asked.items() if value}) as stream:
                response = await stream.get_final_response()
        else:
            response = await client.responses.create(**asked)
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            break
        for call in calls:
            jsonschema.validate(json.loads(call.arguments), SCHEMAS[call.name])
            ran.append(call.name)
        given = [
            {"type": "function_call_output", "call_id": call.call_id, "output": f"{call.name}: 21 degrees"}
            for call in calls
        ]
        before = response.id
    assert ran == ["get_weather", "getForecast"]
    assert response.output_text == "getForecast: 21 degrees"
