"""litellm, towards an OpenAI-compatible base URI."""

from __future__ import annotations

import litellm

from bench.exchange import TOKEN, payload
from bench.load import Load

PACKAGES = ("litellm", "openai", "aiohttp", "httpx")


async def calls(base: str, load: Load) -> int:
    async def call(number: int) -> str | None:
        asked = payload(number)
        asked["model"] = f"openai/{asked['model']}"
        answer = await litellm.acompletion(**asked, api_base=base, api_key=TOKEN)
        text: str | None = answer.choices[0].message.content
        return text

    return await load.drive(call)
