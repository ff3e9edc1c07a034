"""One document through a chain, many at a time in order, and several gathered into one."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, cast

from connector.aio.streams import iterate_with_deadlines
from connector.errors import ConfigurationError, ConnectorError
from connector.model import JSON, is_list, is_object
from connector.transform import Chain, Context, Failed, Scope
from connector.transform.context import Locks
from connector.transform.types import Action, Gather

__all__ = [
    "Applied",
    "Applier",
    "Gatherer",
    "Group",
    "Parts",
    "SplitChain",
    "apply",
    "gather_groups",
    "split_chain",
]

Source = TypeVar("Source")
Early = TypeVar("Early")


@dataclass(slots=True)
class Applied:
    """The result of one document: others, or the reason why there are none."""

    documents: list[JSON]
    skipped: str = ""
    failed: Failed | None = None


class Applier:
    """Takes documents through a chain one after the other; of several that one becomes, a failure fails them all.

    Args:
        chain: what they go through.
        context: what the chain is given; whom it reports to is put in here.
    """

    def __init__(self, chain: Chain, context: Context) -> None:
        self._chain = chain
        self._context = replace(context, on_failed=self._fail, on_skip=self._skip)
        self._applied = Applied([])

    def apply(self, document: JSON) -> Applied:
        """Return what the chain makes of a document; for chains in which nothing waits."""
        applied = self._applied = Applied([])
        applied.documents = self._chain.apply(document, self._context)
        return applied

    async def wait(self, document: JSON, locks: Locks) -> Applied:
        """Return what the chain makes of a document, waited for."""
        applied = self._applied = Applied([])
        applied.documents = await self._chain.aapply(document, self._context, locks=locks)
        return applied

    def _fail(self, _: JSON, error: Failed) -> None:
        self._applied.failed = self._applied.failed or error

    def _skip(self, _: JSON, reason: str) -> None:
        self._applied.skipped = self._applied.skipped or reason


async def apply(chain: Chain, document: JSON, context: Context, locks: Locks) -> Applied:
    """Return what a chain makes of one document."""
    applier = Applier(chain, context)
    return await applier.wait(document, locks) if chain.awaits else applier.apply(document)


@dataclass(frozen=True, slots=True)
class SplitChain:
    """A chain cut where it gathers documents."""

    before: Chain
    gather: Action | None
    after: Chain

    @property
    def whole(self) -> Chain:
        """The chain as it was."""
        return Chain((*self.before.stages, *((self.gather,) if self.gather else ()), *self.after.stages))


def split_chain(chain: Chain, where: str) -> SplitChain:
    """Return the chain before, at and after the step that makes one document of many."""
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


class Gatherer(Generic[Source]):
    """Gathers documents, and knows of which ones each gathered document was made.

    Args:
        action: the step that gathers.
        context: what the step is given.
    """

    def __init__(self, action: Action, context: Context) -> None:
        begin: Any = action.gather
        self._begin: Callable[[], Gather] = lambda: begin(Scope(context))
        self._gather = self._begin()
        self._waiting: deque[Source] = deque()

    @property
    def due(self) -> float | None:
        """When what waits must go, by the monotonic clock."""
        return self._gather.due if self._waiting else None

    @property
    def waiting(self) -> Sequence[Source]:
        """The sources of what is in no group yet, once for each document."""
        return self._waiting

    def take(self, source: Source, documents: Sequence[JSON]) -> list[Group[Source]]:
        """Add all documents of a source; return the groups that are complete.

        Raise ConnectorError, with none of them taken, when one cannot be gathered: the others would be half a source.
        """
        if len(documents) > 1:
            trial = self._begin()
            for document in documents:
                trial.take(document)
        groups: list[Group[Source]] = []
        for document in documents:
            gathered = self._gather.take(document)
            self._waiting.append(source)
            groups += self._groups(gathered)
        return groups

    def rest(self) -> list[Group[Source]]:
        """Return what was gathered, complete or not."""
        return self._groups(self._gather.rest())

    def clear(self) -> None:
        """Forget what was gathered."""
        self._gather = self._begin()
        self._waiting.clear()

    def _groups(self, gathered: Sequence[JSON]) -> list[Group[Source]]:
        groups: list[Group[Source]] = []
        for document in gathered:
            count = _count_members(document, len(self._waiting))
            groups.append(Group([self._waiting.popleft() for _ in range(count)], document))
        return groups


def _count_members(document: JSON, most: int) -> int:
    """Return how many documents a gathered one holds: the length of the one list in it."""
    while is_object(document) and len(document) == 1:
        document = next(iter(document.values()))
    return min(len(document), most) if is_list(document) else most


@dataclass(frozen=True, slots=True)
class Parts(Generic[Source]):
    """What a source became before it is gathered."""

    source: Source
    documents: Sequence[JSON]


async def gather_groups(
    stream: AsyncIterator[Parts[Source] | Early], gatherer: Gatherer[Source], fail: Callable[[Source, str], Early]
) -> AsyncGenerator[Group[Source] | Early, None]:
    """Yield groups of what a stream gives; one that is due does not wait for the next document.

    Args:
        stream: documents to gather; everything else goes through.
        gatherer: gathers them.
        fail: makes what is yielded of a source that cannot be gathered.
    """
    async with aclosing(iterate_with_deadlines(stream, lambda: gatherer.due)) as given:
        async for found in given:
            if found is None:
                groups = gatherer.rest()
            elif not isinstance(found[0], Parts):
                yield found[0]
                continue
            else:
                parts = cast("Parts[Source]", found[0])
                try:
                    groups = gatherer.take(parts.source, parts.documents)
                except ConnectorError as error:
                    yield fail(parts.source, str(error))
                    continue
            for group in groups:
                yield group
    for group in gatherer.rest():
        yield group
