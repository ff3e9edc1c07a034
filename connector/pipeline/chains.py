"""One document through a chain, many at a time in order, and several gathered into one."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from connector.errors import ConfigurationError
from connector.model import JSON, is_list, is_object
from connector.transform import Chain, Context, Failed
from connector.transform.context import Locks
from connector.transform.types import Action, Gather

__all__ = [
    "Applied",
    "Group",
    "SplitChain",
    "apply",
    "count_members",
    "gather_groups",
    "map_ordered",
    "split_chain",
    "take_until",
]

Source = TypeVar("Source")


@dataclass(slots=True)
class Applied:
    """What came of one document: others, or the reason why none did."""

    documents: list[JSON]
    skipped: str = ""
    failed: Failed | None = None


async def apply(chain: Chain, document: JSON, context: Context, locks: Locks) -> Applied:
    """What a chain makes of one document; of several that it becomes, the first failure fails them all."""
    found = Applied([])

    def failed(_: JSON, error: Failed) -> None:
        found.failed = found.failed or error

    def skipped(_: JSON, reason: str) -> None:
        found.skipped = found.skipped or reason

    context = replace(context, on_failed=failed, on_skip=skipped)
    if chain.awaits:
        found.documents = await chain.aapply(document, context, locks=locks)
    else:
        found.documents = chain.apply(document, context)
    return found


@dataclass(frozen=True, slots=True)
class SplitChain:
    """A chain cut where it gathers documents."""

    before: Chain
    gather: Action | None
    after: Chain


def split_chain(chain: Chain, where: str) -> SplitChain:
    """The chain before, at and after the step that makes one document of many."""
    places = [index for index, stage in enumerate(chain.stages) if isinstance(stage, Action)]
    if len(places) > 1:
        raise ConfigurationError(f"{where} gathers documents twice; one aggregate is allowed in a connection")
    if not places:
        return SplitChain(Chain(()), None, chain)
    found: Any = chain.stages[places[0]]
    return SplitChain(Chain(chain.stages[: places[0]]), found, Chain(chain.stages[places[0] + 1 :]))


@dataclass(frozen=True, slots=True)
class Group(Generic[Source]):
    """A gathered document with those that it was made of."""

    sources: Sequence[Source]
    document: JSON


async def gather_groups(
    documents: AsyncIterable[tuple[Source, JSON]], gather: Gather
) -> AsyncGenerator[Group[Source], None]:
    """The gathered documents; one that is due does not wait for the next document."""
    waiting: deque[Source] = deque()
    async with aclosing(_asked(documents, gather)) as asked:
        async for source, document, due in asked:
            if source is not None:
                waiting.append(source)
            found = gather.rest() if due else gather.take(document)
            for each in found:
                count = count_members(each, len(waiting))
                yield Group([waiting.popleft() for _ in range(count)], each)


async def _asked(
    documents: AsyncIterable[tuple[Source, JSON]], gather: Gather
) -> AsyncGenerator[tuple[Source | None, JSON, bool], None]:
    """Each document, and in between and at the end a mark that what was gathered is due."""
    source: AsyncIterator[tuple[Source, JSON]] = aiter(documents)
    pending = asyncio.ensure_future(_next(source))
    try:
        while True:
            due = getattr(gather, "due", None)
            await asyncio.wait({pending}, timeout=None if due is None else max(due - time.monotonic(), 0))
            if not pending.done():
                yield None, None, True
                continue
            found = pending.result()
            if found is None:
                yield None, None, True
                return
            pending = asyncio.ensure_future(_next(source))
            [(given, document)] = found
            yield given, document, False
    finally:
        await _cancelled([pending])


def count_members(document: JSON, most: int) -> int:
    """How many documents a gathered one holds: the length of the one list in it."""
    while is_object(document) and len(document) == 1:
        document = next(iter(document.values()))
    return min(len(document), most) if is_list(document) else most


Given = TypeVar("Given")
Made = TypeVar("Made")
AHEAD = 4
"""How many times the concurrency may wait for a slower document before them."""


async def map_ordered(
    source: AsyncIterator[Given], work: Callable[[Given], Awaitable[Made]], concurrency: int
) -> AsyncGenerator[Made, None]:
    """What the work makes of each; while a slow one is waited for, others go on up to a bound."""
    running: deque[asyncio.Task[Made]] = deque()
    progress = asyncio.Event()
    under_way = 0

    async def one(given: Given) -> Made:
        nonlocal under_way
        try:
            return await work(given)
        finally:
            under_way -= 1
            progress.set()

    def asked() -> asyncio.Task[tuple[Given] | None]:
        task = asyncio.ensure_future(_next(source))
        task.add_done_callback(lambda _: progress.set())
        return task

    pending: asyncio.Task[tuple[Given] | None] | None = asked()
    try:
        while running or pending is not None:
            progress.clear()
            while running and running[0].done():
                yield running.popleft().result()
            if (
                pending is not None
                and pending.done()
                and under_way < concurrency
                and len(running) < AHEAD * concurrency
            ):
                found = pending.result()
                pending = None
                if found is not None:
                    under_way += 1
                    running.append(asyncio.ensure_future(one(found[0])))
                    pending = asked()
            elif running or pending is not None:
                await progress.wait()
    finally:
        await _cancelled([*running, pending])


async def take_until(stop: asyncio.Event, source: AsyncGenerator[Given, None]) -> AsyncGenerator[Given, None]:
    """The source's documents, until it ends or is told to stop; one that is being fetched then is not waited for."""
    stopped = asyncio.ensure_future(stop.wait())
    pending: asyncio.Task[tuple[Given] | None] | None = None
    try:
        while not stop.is_set():
            pending = asyncio.ensure_future(_next(source))
            await asyncio.wait({pending, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not pending.done() or (found := pending.result()) is None:
                return
            yield found[0]
    finally:
        await _cancelled([stopped, pending])
        await source.aclose()


async def _cancelled(tasks: Sequence[asyncio.Task[Any] | None]) -> None:
    """Ends what is under way, and waits until it has ended."""
    left = [task for task in tasks if task is not None]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _next(source: AsyncIterator[Given]) -> tuple[Given] | None:
    try:
        return (await anext(source),)
    except StopAsyncIteration:
        return None
