"""Tokens counted by the API itself, for nothing: `POST /responses/input_tokens`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from connector.delivery.payload_tokens import Asked
from connector.errors import ConfigurationError
from connector.model import members
from connector.publishers import CallIntent
from connector.transform.tokenizer import Counting

__all__ = ["count_by_api"]

CREATE, COUNT = "responses create", "response input token counts create"
COUNTED = ("model", "input", "instructions", "conversation", "previous_response_id", "parallel_tool_calls",
           "reasoning", "text", "tool_choice", "tools", "truncation")  # fmt: skip
TOGETHER = 8


async def count_by_api(intents: Sequence[CallIntent], asked: Sequence[Asked]) -> list[Asked]:
    """Return requests with the tokens that the API counts; those of other operations stay as they were counted."""
    slots = asyncio.Semaphore(TOGETHER)

    async def count(intent: CallIntent, known: Asked) -> Asked:
        if intent.operation != CREATE or intent.call is None:
            return known
        payload = {name: value for name, value in members(intent.call.payload).items() if name in COUNTED}
        client = intent.call.client
        async with slots:
            outcome = await client.send(client.prepare(COUNT, {"payload": payload}))
        tokens = members(outcome.body).get("input_tokens")
        if not outcome.ok or not isinstance(tokens, int):
            raise ConfigurationError(f"--count api: the API counts no tokens: {outcome.sentence()}")
        return replace(known, tokens=float(tokens), counting=Counting.API)

    return list(await asyncio.gather(*(count(one, known) for one, known in zip(intents, asked, strict=True))))
