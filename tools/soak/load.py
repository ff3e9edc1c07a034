"""What a soak is fed with: lines for the run, calls for the gateway; and a person who purges what has ended."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from itertools import count
from pathlib import Path

import aiohttp

__all__ = ["CALLER", "TOKEN", "ask_gateway", "chat", "purge_tasks", "write_lines"]

TOKEN, CALLER = "sk-soak-0123456789abcdef", "soak-caller-0123456789abcdef"
PAUSE, LINES, PURGE = 0.25, 10, 10.0
"""Seconds between lines, how many there are each time, and seconds between purges."""
ENDED = ("finished", "failed", "unknown")


def chat(number: int) -> dict[str, object]:
    """Return the payload of one chat completion."""
    return {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": f"Where is parcel {number}?"}]}


async def write_lines(file: Path) -> None:
    """Append documents for ever."""
    numbers = count()
    while True:
        with file.open("a", encoding="utf-8") as lines:
            lines.writelines(json.dumps({"payload": chat(next(numbers))}) + "\n" for _ in range(LINES))
        await asyncio.sleep(PAUSE)


async def ask_gateway(session: aiohttp.ClientSession, port: int, answers: Counter[str]) -> None:
    """Make one call after the other for ever, and count the statuses; what cannot be reached counts as well."""
    address, headers = f"http://127.0.0.1:{port}/api/v1/chat/completions", {"Authorization": f"Bearer {CALLER}"}
    for number in count():
        try:
            async with session.post(address, json=chat(number), headers=headers) as answer:
                await answer.read()
                answers[str(answer.status)] += 1
        except aiohttp.ClientError as error:
            answers[type(error).__name__] += 1
        await asyncio.sleep(PAUSE / LINES)


async def purge_tasks(configuration: Path) -> None:
    """Delete ended tasks again and again, as a person would; a run does it by itself once an hour."""
    command = [sys.executable, "-m", "connector", "tasks", "purge", "-f", str(configuration), "--older-than", "1s"]
    while True:
        await asyncio.sleep(PURGE)
        for state in ENDED:
            quiet = asyncio.subprocess.DEVNULL
            done = await asyncio.create_subprocess_exec(*command, "--state", state, stdout=quiet, stderr=quiet)
            await done.wait()
