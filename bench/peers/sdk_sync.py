"""The official SDK, synchronous, one client for all threads."""

from __future__ import annotations

from pathlib import Path

from openai import OpenAI

from bench.exchange import TOKEN, payload
from bench.load import Load
from bench.watch import Watch

PACKAGES = ("openai", "httpx2", "pydantic")


def calls(base: str, load: Load) -> int:
    with OpenAI(base_url=base, api_key=TOKEN) as client:

        def call(number: int) -> str | None:
            answer = client.chat.completions.create(**payload(number))
            text: str | None = answer.choices[0].message.content
            return text

        return load.drive_threads(call)


def listing(base: str, watch: Watch) -> int:
    with OpenAI(base_url=base, api_key=TOKEN) as client, watch:
        return sum(1 for _ in client.files.list())


def upload(base: str, path: str, watch: Watch) -> int:
    with OpenAI(base_url=base, api_key=TOKEN) as client, watch, Path(path).open("rb") as file:
        return client.files.create(file=file, purpose="batch").bytes
