"""How long a sandbox takes to make, list and retrieve an object when it has so many of them."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median

import aiohttp

from connector.sandbox import Sandbox

__all__: list[str] = []

TIMES = 200
Call = Callable[[], Awaitable[None]]


async def _main(number: int) -> None:
    async with Sandbox() as sandbox, aiohttp.ClientSession(headers={"Authorization": "Bearer bench"}) as session:
        for index in range(number):
            sandbox.backend.objects.put("projects", _project(index))
        middle = f"proj_{number // 2}"
        found = {
            "retrieve": await _timed(lambda: _get(session, f"{sandbox.url}/organization/projects/{middle}")),
            "list the first 20": await _timed(lambda: _get(session, f"{sandbox.url}/organization/projects?limit=20")),
            "list 20 from the middle": await _timed(
                lambda: _get(session, f"{sandbox.url}/organization/projects?limit=20&after={middle}")
            ),
            "create": await _timed(lambda: _post(session, f"{sandbox.url}/organization/projects")),
        }
    print(json.dumps(found))


def _project(index: int) -> dict[str, object]:
    project = {"id": f"proj_{index}", "object": "organization.project", "name": f"Project {index}"}
    return {**project, "created_at": 1_767_225_600, "status": "active", "archived_at": None}


async def _timed(call: Call) -> float:
    seconds: list[float] = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await call()
        seconds.append(time.perf_counter() - began)
    return median(seconds)


async def _get(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(url) as answer:
        assert answer.status == 200, await answer.text()
        await answer.read()


async def _post(session: aiohttp.ClientSession, url: str) -> None:
    async with session.post(url, json={"name": "One more"}) as answer:
        assert answer.status == 200, await answer.text()
        await answer.read()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
