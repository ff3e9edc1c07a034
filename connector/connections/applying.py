"""One document through a chain, and several documents gathered into one, without losing track of which came in."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from connector.errors import ConfigurationError
from connector.model import JSON, is_list, is_object
from connector.transform import Chain, Context, Failed
from connector.transform.context import Locks
from connector.transform.types import Action, Gather

__all__ = ["Applied", "Group", "Parted", "apply", "grouped", "parted", "size_of"]

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
class Parted:
    """A chain cut where it gathers documents."""

    before: Chain
    gather: Action | None
    after: Chain


def parted(chain: Chain, where: str) -> Parted:
    """The chain before, at and after the step that makes one document of many."""
    places = [index for index, stage in enumerate(chain.stages) if isinstance(stage, Action)]
    if len(places) > 1:
        raise ConfigurationError(f"{where} gathers documents twice; one aggregate is allowed in a connection")
    if not places:
        return Parted(Chain(()), None, chain)
    found: Any = chain.stages[places[0]]
    return Parted(Chain(chain.stages[: places[0]]), found, Chain(chain.stages[places[0] + 1 :]))


@dataclass(frozen=True, slots=True)
class Group(Generic[Source]):
    """A gathered document with those that it was made of."""

    sources: Sequence[Source]
    document: JSON


async def grouped(documents: AsyncIterable[tuple[Source, JSON]], gather: Gather) -> AsyncGenerator[Group[Source], None]:
    """The gathered documents; one that is due does not wait for the next document."""
    waiting: deque[Source] = deque()
    async with aclosing(_asked(documents, gather)) as asked:
        async for source, document, due in asked:
            if source is not None:
                waiting.append(source)
            found = gather.rest() if due else gather.take(document)
            for each in found:
                count = size_of(each, len(waiting))
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
            yield found[0], found[1], False
    finally:
        pending.cancel()
        await asyncio.gather(pending, return_exceptions=True)


async def _next(source: AsyncIterator[tuple[Source, JSON]]) -> tuple[Source, JSON] | None:
    return await anext(source, None)


def size_of(document: JSON, most: int) -> int:
    """How many documents a gathered one holds: the length of the one list in it."""
    while is_object(document) and len(document) == 1:
        document = next(iter(document.values()))
    return min(len(document), most) if is_list(document) else most
