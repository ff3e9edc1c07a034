"""The sandbox behind the gateway: whole conversations of the official SDK, and faults on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
import pytest

from connector.sandbox import Sandbox
from tests.gateway.conftest import TOKEN

MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture
async def sandbox(catalogue) -> AsyncIterator[Sandbox]:
    async with Sandbox(seed=1, catalogue=catalogue) as found:
        yield found


async def test_a_conversation_through_both(start, sandbox):
    gateway = await start({"metrics": True}, parameters={"base_uri": f"{sandbox.url}"})
    async with openai.AsyncOpenAI(base_url=f"{gateway.url}/openai/v1", api_key=TOKEN, max_retries=0) as sdk:
        file = await sdk.files.create(file=("tickets.jsonl", b'{"a": 1}\n'), purpose="user_data")
        assert [found.id async for found in sdk.files.list()] == [file.id]
        assert (await sdk.files.content(file.id)).content == b'{"a": 1}\n'
        completion = await sdk.chat.completions.create(model="gpt-5", messages=MESSAGES)
        assert completion.choices[0].message.content
        stream = await sdk.responses.create(model="gpt-5", input="hi", stream=True)
        assert [event.type async for event in stream][-1] == "response.completed"
        speech = await sdk.audio.speech.create(model="tts-1", voice="alloy", input="hi")
        assert speech.content
        assert (await sdk.files.delete(file.id)).deleted
        with pytest.raises(openai.NotFoundError):
            await sdk.files.retrieve(file.id)
    used = (await gateway.get("/usage")).json()["tokens"]["bot"]["clients"]["openai"]["gpt-5"]
    assert used["requests"] == 2
    assert used["output_tokens"] > 0
    assert used["estimated"] == 0


async def test_an_answer_that_is_lost_after_its_effect_is_unknown(start, catalogue):
    async with Sandbox(seed=1, faults=["drop-after:1"], catalogue=catalogue) as sandbox:
        gateway = await start(parameters={"base_uri": f"{sandbox.url}"})
        answer = await gateway.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "unknown")
    assert answer.headers["x-should-retry"] == "false"
