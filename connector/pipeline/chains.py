"""One document through a chain, many at a time in order, and several gathered into one."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from connector.aio.streams import iterate_with_deadlines
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
    "split_chain",
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

    def group(documents: Sequence[JSON]) -> Iterator[Group[Source]]:
        for document in documents:
            count = count_members(document, len(waiting))
            yield Group([waiting.popleft() for _ in range(count)], document)

    async with aclosing(iterate_with_deadlines(documents, lambda: getattr(gather, "due", None))) as given:
        async for found in given:
            if found is None:
                batches = gather.rest()
            else:
                source, document = found[0]
                waiting.append(source)
                batches = gather.take(document)
            for one in group(batches):
                yield one
    for one in group(gather.rest()):
        yield one


def count_members(document: JSON, most: int) -> int:
    """How many documents a gathered one holds: the length of the one list in it."""
    while is_object(document) and len(document) == 1:
        document = next(iter(document.values()))
    return min(len(document), most) if is_list(document) else most
