"""Blocking sources read in a thread of their own, a block at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["from_thread"]

Item = TypeVar("Item")


async def from_thread(blocks: Callable[[], Generator[list[Item], None, None]]) -> AsyncGenerator[Item, None]:
    """The items of the blocks that a generator makes, which is started, run and closed in one thread."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="incoming") as thread:
        source = blocks()
        try:
            while (block := await loop.run_in_executor(thread, next, source, None)) is not None:
                for item in block:
                    yield item
        finally:
            await asyncio.shield(loop.run_in_executor(thread, source.close))
