"""An outgoing connection without a store: each document is attempted once, and its result given in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import ClassVar

from connector.aio.bounded_map import map_ordered
from connector.aio.streams import take_until
from connector.engine import TaskState
from connector.errors import ConfigurationError, ConnectorError, InvalidDocument
from connector.model import JSON, Outcome
from connector.pipeline.attempt import Attempt, Ending
from connector.pipeline.chains import Gatherer, Parts, gather_groups
from connector.pipeline.decisions import AttemptEnded, CallResult, final_state
from connector.pipeline.journal import MemoryJournal
from connector.pipeline.results import Counts, End, Item, Result, Revived, revive
from connector.pipeline.runtime import Runtime
from connector.pipeline.spec import OutgoingSpec, Writer
from connector.publishers import Context
from connector.transform.context import Locks

__all__ = ["OutgoingRun"]

ENDS: dict[TaskState, End] = {
    TaskState.FINISHED: "done",
    TaskState.SKIPPED: "skipped",
    TaskState.FAILED: "failed",
    TaskState.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class Unit:
    """Documents that go out together, as the one that they became."""

    items: Sequence[Item]
    document: JSON


class MemoryAttempt(Attempt):
    """The one attempt at documents of which nothing is kept.

    Args:
        runtime: the opened configuration.
        spec: the connection.
        context: what publishers are given.
        unit: the documents.
        locks: what several attempts must not do at a time.
    """

    responds_at_once: ClassVar[bool] = True

    def __init__(self, runtime: Runtime, spec: OutgoingSpec, context: Context, unit: Unit, locks: Locks) -> None:
        journal = MemoryJournal()
        first = unit.items[0]
        chain_context = replace(
            runtime.chained,
            task={"id": str(first.number), "number": first.number},
            call=runtime.calls(journal.perform),
        )
        super().__init__(spec, unit.document, journal, chain_context, locks)
        self._runtime = runtime
        self._items = unit.items
        self._context = context.within(chain_context, journal.perform)
        self._known: Outcome | None = None
        self.outcomes: list[Outcome] = []
        self.answers: list[JSON] = []

    async def result(self) -> Result:
        """Make the attempt; return how the documents ended."""
        ended = await self.finish(await self.run())
        return Result(self._items, ENDS[ended.state], ended.reason, self.outcomes, self.answers, ended.paid)

    async def before(self) -> list[JSON]:
        """Return what the document is before it is gathered; raise AttemptEnded when it goes no further."""
        try:
            return await self.transform(self._spec.chain.before)
        except ConnectorError as error:
            raise self.fail(str(error)) from None

    @property
    def label(self) -> str:
        return f"document {self._items[0].number}"

    @property
    def wants_answers(self) -> bool:
        return self._spec.answer is not None

    @property
    def spent(self) -> Sequence[Outcome]:
        """The outcomes that were paid for now."""
        return () if self._known is not None else self.outcomes

    async def deliver(self, documents: list[JSON]) -> None:
        # What an earlier run was answered need not be asked for again.
        self._known = self._items[0].given.outcome if len(self._items) == len(documents) == 1 else None
        await super().deliver(documents)

    async def send(self, request: JSON) -> Outcome:
        outcome = self._known or await self._spec.writer.writes.publish(request, self._context)
        self.outcomes.append(outcome)
        return outcome

    async def respond(self, ending: Ending, shown: JSON) -> str:
        responder = self._spec.answer if ending == ":answer" else self._spec.error
        if responder is None:
            return ""
        answered = await responder.respond(shown, self._chain_context, self._context, self._locks)
        self.answers += answered.documents
        return answered.failed

    def end_after(self, seen: CallResult, reason: str) -> AttemptEnded:
        return AttemptEnded(final_state(seen), reason, seen=seen)

    def discard(self) -> None:
        """Keep what was passed on: it cannot be taken back."""

    def redact(self, text: str) -> str:
        return self._runtime.redact(text)


class OutgoingRun:
    """One run of an outgoing connection.

    Args:
        runtime: the opened configuration.
        name: the connection.
        concurrency: documents under way at a time, in place of the connection's.
        repeat_unknown: whether documents that may have taken effect in an earlier run are sent again.
    """

    def __init__(
        self, runtime: Runtime, name: str, *, concurrency: int | None = None, repeat_unknown: bool = False
    ) -> None:
        self.spec = OutgoingSpec.of(runtime, name)
        outgoing = self.spec.outgoing
        self._runtime = runtime
        self._concurrency = concurrency or outgoing.concurrency
        self._repeat_unknown = repeat_unknown
        self._stopping = asyncio.Event()
        self._locks = Locks()
        self.counts = Counts()
        self.kept: list[str] = []
        """The files that a run left incomplete when it broke off."""
        self._context = self.spec.context(runtime)

    @property
    def answers(self) -> bool:
        """Whether the connection says what becomes of its answers."""
        return self.spec.answer is not None

    def stop(self, reason: str) -> None:
        """Take no more documents; finish those under way."""
        self.counts.stopped = self.counts.stopped or reason
        self._stopping.set()

    async def results(self, documents: AsyncGenerator[JSON, None]) -> AsyncGenerator[Result, None]:
        """Yield how each document ended, in their order; files are complete when the last one was given."""
        is_complete = False
        try:
            async with aclosing(map_ordered(self._units(documents), self._settle, self._concurrency)) as found:
                async for result in found:
                    self._count(result)
                    yield result
            is_complete = True
        finally:
            if not is_complete:
                self.kept = [name for writer in self.spec.writers for name in await writer.writes.abandon()]
        await _finish(self.spec.writers)

    async def _units(self, documents: AsyncGenerator[JSON, None]) -> AsyncGenerator[Unit | Result, None]:
        action = self.spec.chain.gather
        async with aclosing(self._items(documents)) as items:
            if action is None:
                async for item in items:
                    yield item if isinstance(item, Result) else Unit([item], item.given.document)
                return
            gatherer = Gatherer[Item](action, self._runtime.chained)
            prepared = map_ordered(items, self._prepare, self._concurrency)
            async with aclosing(prepared), aclosing(gather_groups(prepared, gatherer, _fail)) as groups:
                async for group in groups:
                    yield group if isinstance(group, Result) else Unit(group.sources, group.document)

    async def _prepare(self, item: Item | Result) -> Parts[Item] | Result:
        """Take a document through the chain until it is gathered."""
        if isinstance(item, Result):
            return item
        attempt = self._attempt(Unit([item], item.given.document))
        try:
            return Parts(item, await attempt.before())
        except AttemptEnded as ended:
            ended = await attempt.finish(ended)
            return Result([item], ENDS[ended.state], ended.reason, [], attempt.answers)

    async def _items(self, documents: AsyncGenerator[JSON, None]) -> AsyncGenerator[Item | Result, None]:
        async with aclosing(take_until(self._stopping, documents)) as source:
            async for line in source:
                self.counts.read += 1
                try:
                    item = Item(self.counts.read, revive(line))
                except InvalidDocument as error:
                    yield Result([Item(self.counts.read, Revived(line, {}))], "failed", str(error))
                    continue
                if self._runtime.paused:
                    self.counts.stopped = self._runtime.paused.reason
                    yield Result([item], "failed", "", [self._runtime.paused.outcome()])
                elif item.given.in_doubt and not self._repeat_unknown:
                    yield Result([item], "unknown", str(item.given.earlier.get("reason", "")))
                else:
                    yield item

    def _attempt(self, unit: Unit) -> MemoryAttempt:
        return MemoryAttempt(self._runtime, self.spec, self._context, unit, self._locks)

    async def _settle(self, unit: Unit | Result) -> Result:
        if isinstance(unit, Result):
            return unit
        attempt = self._attempt(unit)
        result = await attempt.result()
        for outcome in attempt.spent:
            self.counts.spend(outcome.body)
        return result

    def _count(self, result: Result) -> None:
        self.counts.add(result.state, len(result.items))
        self.counts.given += len(result.answers)


def _fail(item: Item, reason: str) -> Result:
    return Result([item], "failed", reason)


async def _finish(writers: Sequence[Writer]) -> None:
    """Finish all publishers; raise what some of them cannot complete when all have been asked."""
    faults: list[str] = []
    for writer in writers:
        try:
            await writer.writes.finish()
        except ConnectorError as error:
            faults.append(str(error))
    if faults:
        raise ConfigurationError("; ".join(faults))
