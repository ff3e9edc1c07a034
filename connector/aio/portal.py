"""Asynchronous iterators for those who have no event loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import TypeVar

from anyio import EndOfStream, create_memory_object_stream
from anyio.from_thread import BlockingPortal

__all__ = ["iterate_in_portal"]

Item = TypeVar("Item")


def iterate_in_portal(portal: BlockingPortal, source: AsyncGenerator[Item, None]) -> Iterator[Item]:
    """Yield the items of an asynchronous iterator that one task of the portal runs."""
    send, receive = create_memory_object_stream[Item](0)

    async def pump() -> None:
        async with send, aclosing(source):
            async for item in source:
                await send.send(item)

    pumping = portal.start_task_soon(pump)
    try:
        while True:
            try:
                yield portal.call(receive.receive)
            except EndOfStream:
                pumping.result()
                return
    finally:
        pumping.cancel()
        portal.call(receive.aclose)
