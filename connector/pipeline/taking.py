"""What is read, with what the chain makes of each document, and bookmarks that never run ahead of the documents."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from connector.aio.bounded_map import map_ordered
from connector.errors import ConnectorError, InvalidDocument
from connector.model import JSON
from connector.pipeline.chains import apply, gather_groups, split_chain
from connector.pipeline.results import revive
from connector.subscribers import Bookmark, Context, DocumentReader, UnreadableDocument
from connector.transform import Chain, Scope, Storage
from connector.transform.context import Context as Chained
from connector.transform.context import Locks

__all__ = ["Keeps", "Read", "Taken", "Taking"]

TOGETHER = 16
"""Documents under way at a time in a chain that waits."""


class Keeps(Protocol):
    """What a chain keeps of one document, until it is known whether that is to stay."""

    @property
    def storages(self) -> Mapping[str, Storage]:
        """As the chain uses them."""
        ...

    def records(self) -> Mapping[tuple[str, str], JSON]:
        """What is to be committed with what came of the document."""
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


@dataclass(frozen=True, slots=True)
class Taken:
    """A document that was read, or several that the chain gathered, with what came of them, or why nothing did."""

    reads: Sequence[Read]
    made: Sequence[JSON] = ()
    failed: str = ""
    kept: Sequence[Keeps] = ()


class Taking:
    """One reading.

    Args:
        reader: what reads.
        context: what the reader is given; whom it tells is put in here.
        chain: what each document goes through.
        chained: what the chain is given.
        redact: hides secrets in reasons.
        where: how messages call the chain.
        keeping: opens what the chain keeps of a document, in place of the storages that it is given.
    """

    def __init__(
        self,
        reader: DocumentReader,
        context: Context,
        chain: Chain,
        chained: Chained,
        *,
        redact: Callable[[str], str],
        where: str,
        keeping: Callable[[], Keeps] | None = None,
    ) -> None:
        self._reader = reader
        self._context = replace(context, on_unreadable=self._lost, on_bookmark=self._mark)
        self._parts = split_chain(chain, where)
        self._chained = chained
        self._redact = redact
        self._keeping = keeping if chained.storages else None
        self._locks = Locks()
        self._told: deque[Read] = deque()
        self._number = 0
        self._last = 0
        self._at = Bookmark("")
        self._position = 0
        self._under_way: dict[int, int] = {}
        """How many groups each document is still to come in; the first one read is the first one here."""
        self._kept: dict[int, Sequence[Keeps]] = {}
        self._marks: deque[tuple[int, Bookmark]] = deque()

    async def taken(self) -> AsyncGenerator[Taken | Bookmark, None]:
        """Everything that is read; a bookmark comes when all documents before it have come, errors come after it."""
        broke: ConnectorError | None = None
        try:
            async with aclosing(self._worked()) as found:
                async for taken in found:
                    yield taken
                    for read in taken.reads:
                        self._came(read)
                    for mark in self._due():
                        yield mark
        except ConnectorError as error:
            broke = error
        for mark in self._due():
            yield mark
        if broke is not None:
            raise broke

    def _came(self, read: Read) -> None:
        self._last = max(self._last, read.number)
        self._under_way[read.number] -= 1
        if not self._under_way[read.number]:
            del self._under_way[read.number]

    def _due(self) -> list[Bookmark]:
        """The bookmarks before which no document is under way any more."""
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

    def _mark(self, mark: Bookmark) -> None:
        self._at, self._position = mark, mark.count
        if mark.place is not None:
            self._marks.append((self._number, mark))

    def _lost(self, lost: UnreadableDocument) -> None:
        self._told.append(self._read(lost.document, failed=self._redact(lost.reason)))

    def _read(self, document: JSON, *, failed: str = "", in_doubt: str = "") -> Read:
        self._number += 1
        self._position += 1
        self._under_way[self._number] = 1
        return Read(self._number, document, self._at.part, self._position, self._at.lasting, failed, in_doubt)

    async def _reads(self) -> AsyncGenerator[Read, None]:
        """What was read and what could not be read, in order."""
        async with aclosing(self._reader.documents(self._context)) as documents:
            async for document in documents:
                while self._told:
                    yield self._told.popleft()
                yield self._revived(document)
        while self._told:
            yield self._told.popleft()

    def _revived(self, document: JSON) -> Read:
        """A document as it came at first, if it is a line about one that failed."""
        try:
            found = revive(document)
        except InvalidDocument as error:
            return self._read(document, failed=self._redact(str(error)))
        if found.in_doubt or found.outcome is not None:
            return self._read(document, in_doubt=str(found.earlier.get("reason", "")) or "an earlier run did not tell")
        return self._read(found.document)

    def _worked(self) -> AsyncGenerator[Taken, None]:
        if self._parts.gather is not None:
            return self._gathered()
        return map_ordered(self._reads(), self._applied, TOGETHER) if self._parts.after.awaits else self._each()

    async def _each(self) -> AsyncGenerator[Taken, None]:
        plain = not self._parts.after.stages
        async with aclosing(self._reads()) as reads:
            async for read in reads:
                yield Taken((read,), (read.document,)) if plain and _fit(read) else await self._applied(read)

    async def _applied(self, read: Read) -> Taken:
        return await self._through(self._parts.after, (read,), read.document)

    async def _through(self, chain: Chain, reads: Sequence[Read], document: JSON) -> Taken:
        if not _fit(reads[0]):
            return Taken(reads, (), reads[0].failed)
        keeps = self._keeping() if self._keeping is not None else None
        chained = self._chained if keeps is None else replace(self._chained, storages=keeps.storages)
        applied = await apply(chain, document, chained, self._locks)
        if applied.failed is not None:
            return Taken(reads, (), self._redact(str(applied.failed)))
        return Taken(reads, applied.documents, "", [] if keeps is None else [keeps])

    async def _gathered(self) -> AsyncGenerator[Taken, None]:
        """Documents that the chain gathers; those that do not get there come at once."""
        early: deque[Taken] = deque()
        gather = self._parts.gather.gather if self._parts.gather is not None else None
        assert gather is not None  # noqa: S101  a chain is parted where it gathers
        scope = Scope(self._chained)
        async with aclosing(self._before(early)) as source, aclosing(gather_groups(source, gather(scope))) as groups:
            async for group in groups:
                while early:
                    yield early.popleft()
                before = [keeps for read in group.sources for keeps in self._kept.pop(read.number, ())]
                taken = await self._through(self._parts.after, group.sources, group.document)
                yield replace(taken, kept=[*before, *taken.kept])
        while early:
            yield early.popleft()

    async def _before(self, early: deque[Taken]) -> AsyncGenerator[tuple[Read, JSON], None]:
        async def applied(read: Read) -> Taken:
            return await self._through(self._parts.before, (read,), read.document)

        async with aclosing(map_ordered(self._reads(), applied, TOGETHER)) as found:
            async for taken in found:
                if taken.made:
                    self._under_way[taken.reads[0].number] = len(taken.made)
                    self._kept[taken.reads[0].number] = taken.kept
                for document in taken.made:
                    yield taken.reads[0], document
                if not taken.made:
                    early.append(taken)


def _fit(read: Read) -> bool:
    return not read.failed and not read.in_doubt
