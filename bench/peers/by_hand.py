"""What a caller writes around an httpx client: JSON by orjson both ways, pages followed, a file as a form part."""

from __future__ import annotations

from pathlib import Path

import httpx
import orjson

from bench.exchange import TOKEN, payload
from bench.load import Load
from bench.watch import Watch

__all__ = ["HEADERS", "PATIENCE", "drive", "list_files", "send_file"]

HEADERS = {"authorization": f"Bearer {TOKEN}"}
PATIENCE = 120.0
"""Longer than anything here takes: httpx gives up after five seconds in its own queue."""
_JSON = {"content-type": "application/json"}


async def drive(client: httpx.AsyncClient, load: Load) -> int:
    async def call(number: int) -> str:
        response = await client.post("/chat/completions", content=orjson.dumps(payload(number)), headers=_JSON)
        response.raise_for_status()
        return str(orjson.loads(response.content)["choices"][0]["message"]["content"])

    return await load.drive(call)


async def list_files(client: httpx.AsyncClient, watch: Watch) -> int:
    count = 0
    query: dict[str, str] = {}
    with watch:
        while True:
            response = await client.get("/files", params=query)
            response.raise_for_status()
            page = orjson.loads(response.content)
            for _ in page["data"]:
                count += 1
            if not page["has_more"]:
                return count
            query = {"after": page["last_id"]}


async def send_file(client: httpx.AsyncClient, path: str, watch: Watch) -> int:
    with watch, Path(path).open("rb") as file:  # noqa: ASYNC230 - as people do it
        response = await client.post("/files", data={"purpose": "batch"}, files={"file": file})
        response.raise_for_status()
    return int(orjson.loads(response.content)["bytes"])
