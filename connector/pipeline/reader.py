"""What a subscriber gives, through a chain: documents in order, and bookmarks that never run ahead of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from connector.aio.bounded_map import map_ordered
from connector.aio.streams import take_until
from connector.engine import TaskState
from connector.errors import ConnectorError, InvalidDocument
from connector.model import JSON
from connector.pipeline.chains import (
    Applied,
    Applier,
    Gatherer,
    Parts,
    apply,
    gather_groups,
    split_chain,
)
from connector.pipeline.journal import MemoryJournal
from connector.pipeline.results import revive
from connector.publishers import Perform
from connector.subscribers import Bookmark, Context, DocumentReader, UnreadableDocument
from connector.transform import Chain, Storage
from connector.transform.context import Call, Locks
from connector.transform.context import Context as ChainContext

__all__ = ["NO_LIMITS", "Kept", "Limits", "Read", "ReadResult", "Reader"]

TOGETHER = 16
"""Documents under way at a time in a chain that waits."""


class Kept(Protocol):
    """What a chain keeps of one document, until it is known whether that is to stay."""

    @property
    def storages(self) -> Mapping[str, Storage]:
        """As the chain uses them."""
        ...

    def records(self) -> Mapping[tuple[str, str], JSON]:
        """Return what is to be committed with the document's results."""
        ...


@dataclass(frozen=True, slots=True)
class Read:
    """One document that was read.

    Attributes:
        document: as it came.
        part: where it was read.
        position: which one of its part it is, from 1.
        lasting: whether that means the same for every reading, as in a file.
        failed: why it is no document, when it is none.
        in_doubt: whether an earlier run may have delivered it already, and the reason.
    """

    number: int
    document: JSON
    part: str
    position: int
    lasting: bool
    failed: str = ""
    in_doubt: str = ""

    @property
    def is_fit(self) -> bool:
        """Whether it can go through the chain."""
        return not self.failed and not self.in_doubt


@dataclass(frozen=True, slots=True)
class ReadResult:
    """A document that was read, or several that the chain gathered, with their results, or why there are none."""

    reads: Sequence[Read]
    made: Sequence[JSON] = ()
    failed: str = ""
    skipped: str = ""
    kept: Sequence[Kept] = ()
    is_unknown: bool = False
    """Whether a call of the chain that failed may have taken effect."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a reading ends before its documents do.

    Attributes:
        count: how many documents are read at most; what cannot be read does not count.
        stopping: ends it; what was read goes through.
        doubts: whether documents that an earlier run may have delivered go through as well.
    """

    count: int | None = None
    stopping: asyncio.Event | None = None
    doubts: bool = False


NO_LIMITS = Limits()


class Reader:
    """One reading.

    Args:
        source: what reads.
        context: what the source is given; whom it tells is put in here.
        chain: what each document goes through.
        chain_context: what the chain is given.
        connect: makes the calls of a chain go through a journal; None for a chain that makes none.
        redact: hides secrets in reasons.
        where: how messages call the chain.
        keep: opens what the chain keeps of a document, in place of the storages that it is given.
        limits: where the reading ends before its documents do.
    """

    def __init__(
        self,
        source: DocumentReader,
        context: Context,
        chain: Chain,
        chain_context: ChainContext,
        *,
        redact: Callable[[str], str],
        where: str,
        connect: Callable[[Perform], Call] | None = None,
        keep: Callable[[], Kept] | None = None,
        limits: Limits = NO_LIMITS,
    ) -> None:
        self._source = source
        self._context = replace(context, on_unreadable=self._on_unreadable, on_bookmark=self._on_bookmark)
        self._parts = split_chain(chain, where)
        self._chain_context = chain_context
        self._redact = redact
        self._connect = connect
        self._keep = keep
        self._limits = limits
        self._locks = Locks()
        self._unreadable: deque[Read] = deque()
        self._number = 0
        self._last = 0
        self._at = Bookmark("")
        self._position = 0
        self._under_way: dict[int, int] = {}
        """How many groups each document is still to come in; the first one read is the first one here."""
        self._kept: dict[int, Sequence[Kept]] = {}
        self._marks: deque[tuple[int, Bookmark]] = deque()

    async def read(self) -> AsyncGenerator[ReadResult | Bookmark, None]:
        """Yield everything that is read; a bookmark comes after all documents before it, an error at the end."""
        broke: ConnectorError | None = None
        try:
            async with aclosing(self._make_results()) as found:
                async for result in found:
                    yield result
                    for read in result.reads:
                        self._note_yielded(read)
                    for mark in self._pop_due_marks():
                        yield mark
        except ConnectorError as error:
            broke = error
        for mark in self._pop_due_marks():
            yield mark
        if broke is not None:
            raise broke

    def completes(self, result: ReadResult) -> list[Read]:
        """Return the documents of a result for which no other result will follow."""
        return [read for read in result.reads if self._under_way[read.number] == 1]

    def _note_yielded(self, read: Read) -> None:
        self._last = max(self._last, read.number)
        self._under_way[read.number] -= 1
        if not self._under_way[read.number]:
            del self._under_way[read.number]

    def _pop_due_marks(self) -> list[Bookmark]:
        """Return the bookmarks before which no document is under way any more."""
        found: list[Bookmark] = []
        if not self._marks:
            return found
        first = next(iter(self._under_way), self._number + 1)
        while self._marks and self._marks[0][0] < first:
            number, mark = self._marks.popleft()
            # What is gathered anew must be gathered as before: a bookmark within a group would shift all groups.
            if self._parts.gather is None or number >= self._last:
                found.append(mark)
        return found

    def _on_bookmark(self, mark: Bookmark) -> None:
        self._at, self._position = mark, mark.count
        if mark.place is not None:
            self._marks.append((self._number, mark))

    def _on_unreadable(self, lost: UnreadableDocument) -> None:
        self._unreadable.append(self._make_read(lost.document, failed=self._redact(lost.reason)))

    def _make_read(self, document: JSON, *, failed: str = "", in_doubt: str = "") -> Read:
        self._number += 1
        self._position += 1
        self._under_way[self._number] = 1
        return Read(self._number, document, self._at.part, self._position, self._at.lasting, failed, in_doubt)

    async def _read_source(self) -> AsyncGenerator[Read, None]:
        """Yield what was read and what could not be read, in order."""
        count, stopping, left = self._limits.count, self._limits.stopping, self._unreadable
        if count == 0:
            return
        source = self._source.documents(self._context)
        number = 0
        async with aclosing(source if stopping is None else take_until(stopping, source)) as documents:
            async for document in documents:
                while left:
                    yield left.popleft()
                yield self._revive(document)
                number += 1
                if number == count:
                    return
        while left:
            yield left.popleft()

    def _revive(self, document: JSON) -> Read:
        """Return a document as it came at first, if it is a line about one that failed."""
        try:
            found = revive(document)
        except InvalidDocument as error:
            return self._make_read(document, failed=self._redact(str(error)))
        if not self._limits.doubts and (found.in_doubt or found.outcome is not None):
            why = str(found.earlier.get("reason", "")) or "an earlier run did not tell"
            return self._make_read(document, in_doubt=why)
        return self._make_read(found.document)

    def _make_results(self) -> AsyncGenerator[ReadResult, None]:
        if self._parts.gather is not None:
            return self._gather(Gatherer[Read](self._parts.gather, self._chain_context))
        if self._parts.after.awaits:
            return map_ordered(self._read_source(), self._transform, TOGETHER)
        return self._transform_each()

    async def _transform_each(self) -> AsyncGenerator[ReadResult, None]:
        chain = self._parts.after
        applier = Applier(chain, self._chain_context)
        async with aclosing(self._read_source()) as reads:
            async for read in reads:
                if not read.is_fit:
                    yield ReadResult((read,), (), read.failed)
                elif not chain.stages:
                    yield ReadResult((read,), (read.document,))
                else:
                    yield self._make_result((read,), applier.apply(read.document))

    async def _transform(self, read: Read) -> ReadResult:
        if not read.is_fit:
            return ReadResult((read,), (), read.failed)
        return await self._apply(self._parts.after, (read,), read.document)

    async def _apply(self, chain: Chain, reads: Sequence[Read], document: JSON) -> ReadResult:
        context, kept, journal = self._chain_context, None, MemoryJournal()
        if self._connect is not None:
            context = replace(context, call=self._connect(journal.perform))
        if self._keep is not None and context.storages:
            kept = self._keep()
            context = replace(context, storages=kept.storages)
        return self._make_result(reads, await apply(chain, document, context, self._locks), kept, journal)

    def _make_result(
        self, reads: Sequence[Read], applied: Applied, kept: Kept | None = None, journal: MemoryJournal | None = None
    ) -> ReadResult:
        if applied.failed is not None:
            ended = (journal or MemoryJournal()).fail(str(applied.failed))
            is_unknown = ended.state is TaskState.UNKNOWN
            return ReadResult(reads, (), self._redact(ended.reason), is_unknown=is_unknown)
        return ReadResult(reads, applied.documents, "", applied.skipped, [] if kept is None else [kept])

    async def _gather(self, gatherer: Gatherer[Read]) -> AsyncGenerator[ReadResult, None]:
        """Yield documents that the chain gathers; those that do not get there come at once."""
        prepared = map_ordered(self._read_source(), self._prepare, TOGETHER)
        async with aclosing(prepared), aclosing(gather_groups(prepared, gatherer, self._fail)) as groups:
            async for group in groups:
                if isinstance(group, ReadResult):
                    yield group
                    continue
                before = [kept for read in group.sources for kept in self._kept.pop(read.number, ())]
                result = await self._apply(self._parts.after, group.sources, group.document)
                yield replace(result, kept=[*before, *result.kept])

    async def _prepare(self, read: Read) -> Parts[Read] | ReadResult:
        """Take a document through the chain until it is gathered."""
        if not read.is_fit:
            return ReadResult((read,), (), read.failed)
        result = await self._apply(self._parts.before, (read,), read.document)
        if not result.made:
            return result
        self._under_way[read.number] = len(result.made)
        self._kept[read.number] = result.kept
        return Parts(read, result.made)

    def _fail(self, read: Read, reason: str) -> ReadResult:
        self._under_way[read.number] = 1
        self._kept.pop(read.number, None)
        return ReadResult((read,), (), self._redact(reason))
