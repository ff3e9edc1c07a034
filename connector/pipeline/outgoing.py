"""An outgoing connection: documents through its chain to its publisher, the answers through theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from connector.aio.bounded_map import map_ordered
from connector.aio.streams import take_until
from connector.errors import ConfigurationError, ConnectorError, InvalidDocument
from connector.model import JSON, Outcome, State
from connector.pipeline.chains import SplitChain, apply, gather_groups, split_chain
from connector.pipeline.results import Counts, Item, Result, Revived, revive
from connector.pipeline.runtime import Runtime
from connector.pipeline.spec import RequestTemplate, Responder, Writer, complete_request, envelope
from connector.publishers import Context
from connector.transform import Scope
from connector.transform.context import Context as Chained
from connector.transform.context import Locks

if TYPE_CHECKING:
    from connector.config.models import Outgoing

__all__ = ["OutgoingRun"]


@dataclass(frozen=True, slots=True)
class Unit:
    """Documents that go out together, as the one that they became."""

    items: list[Item]
    document: JSON


class OutgoingRun:
    """One run of an outgoing connection.

    Args:
        runtime: the configuration at work.
        name: the connection.
        concurrency: documents under way at a time, in place of the connection's.
        repeat_unknown: whether documents that may have taken effect in an earlier run are sent again.
    """

    def __init__(
        self, runtime: Runtime, name: str, *, concurrency: int | None = None, repeat_unknown: bool = False
    ) -> None:
        found: Any = runtime.configuration.find("outgoing", name)
        declared: Outgoing = found
        if declared.disabled:
            raise ConfigurationError(f"outgoing {name!r} is disabled")
        where = f"outgoing.{name}"
        self._runtime = runtime
        self._concurrency = concurrency or declared.concurrency
        self._repeat_unknown = repeat_unknown
        self.counts = Counts()
        self.kept: list[str] = []
        """The files that a run left incomplete when it broke off."""
        self.stopping = asyncio.Event()
        self._locks = Locks()
        self.chain = runtime.chain(declared.chain, f"{where}.chain")
        self._parted: SplitChain = split_chain(self.chain, where)
        self.request = RequestTemplate(declared.request, f"{where}.request") if declared.request is not None else None
        self.writer = Writer(runtime, declared.publisher, f"{where}.publisher")
        self._answer = Responder(runtime, declared.answer, f"{where}.answer") if declared.answer else None
        self._error = Responder(runtime, declared.error, f"{where}.error") if declared.error else None
        self.context = Context(
            folder=runtime.configuration.folder,
            reserved=runtime.configuration.reserved,
            client=runtime.client,
            call=runtime.call,
            chained=runtime.chained,
            validate=declared.validation,
            on_unknown=declared.on_unknown,
        )

    @property
    def answers(self) -> bool:
        """Whether the connection says what becomes of its answers."""
        return self._answer is not None

    def stop(self, reason: str) -> None:
        """Takes no more documents; those under way come to their end."""
        self.counts.stopped = self.counts.stopped or reason
        self.stopping.set()

    async def results(self, documents: AsyncGenerator[JSON, None]) -> AsyncGenerator[Result, None]:
        """How each document ended, in their order; what was written is complete when the last one was given."""
        writers = [self.writer, *(r.writer for r in (self._answer, self._error) if r is not None and r.writer)]
        whole = False
        try:
            units = self._units(documents)
            async with aclosing(map_ordered(units, self._settled, self._concurrency)) as found:
                async for result in found:
                    self._count(result)
                    yield result
            whole = True
        finally:
            if not whole:
                self.kept = [name for writer in writers for name in await writer.writes.abandon()]
        await _finish(writers)

    def complete(self, document: JSON, chained: Chained) -> JSON:
        """The request that a document stands for, completed by the template."""
        return complete_request(self.request, document, Scope(chained), calls=self.writer.kind.calls)

    async def _units(self, documents: AsyncGenerator[JSON, None]) -> AsyncGenerator[Unit | Result, None]:
        async with aclosing(self._items(documents)) as items:
            if self._parted.gather is None or self._parted.gather.gather is None:
                async for item in items:
                    yield item if isinstance(item, Result) else Unit([item], item.given.document)
                return
            early: list[Result] = []
            gather = self._parted.gather.gather(Scope(self._runtime.chained))
            async with aclosing(gather_groups(self._before(items, early.append), gather)) as groups:
                async for group in groups:
                    for result in early:
                        yield result
                    early.clear()
                    yield Unit(list(group.sources), group.document)
            for result in early:
                yield result

    async def _before(
        self, items: AsyncGenerator[Item | Result, None], tell: Callable[[Result], None]
    ) -> AsyncGenerator[tuple[Item, JSON], None]:
        """The documents that are to be gathered; those that are lost before are told."""

        async def applied(item: Item | Result) -> tuple[Item, list[JSON]] | Result:
            if isinstance(item, Result):
                return item
            made = await apply(self._parted.before, item.given.document, self._chained([item]), self._locks)
            if made.failed is not None:
                return Result([item], "failed", str(made.failed))
            return (item, made.documents) if made.documents else Result([item], "skipped", made.skipped)

        async with aclosing(map_ordered(items, applied, self._concurrency)) as found:
            async for made in found:
                if isinstance(made, Result):
                    tell(made)
                    continue
                for document in made[1]:
                    yield made[0], document

    async def _items(self, documents: AsyncGenerator[JSON, None]) -> AsyncGenerator[Item | Result, None]:
        async with aclosing(take_until(self.stopping, documents)) as source:
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

    def _chained(self, items: list[Item]) -> Chained:
        return replace(self._runtime.chained, task={"id": str(items[0].number), "number": items[0].number})

    async def _settled(self, unit: Unit | Result) -> Result:
        """How a unit ended; whatever a prototype raises on purpose fails its documents alone."""
        if isinstance(unit, Result):
            return unit
        chained = self._chained(unit.items)
        try:
            applied = await apply(self._parted.after, unit.document, chained, self._locks)
            if applied.failed is not None:
                return self._lost(unit, str(applied.failed))
            if not applied.documents:
                return Result(unit.items, "skipped", applied.skipped)
            return await self._published(unit, applied.documents, chained)
        except ConnectorError as error:
            return self._lost(unit, str(error))

    async def _published(self, unit: Unit, documents: list[JSON], chained: Chained) -> Result:
        context = replace(self.context, chained=chained)
        earlier = unit.items[0].given.outcome if len(unit.items) == len(documents) == 1 else None
        outcomes: list[Outcome] = []
        answers: list[JSON] = []
        for document in documents:
            request = self.complete(document, chained)
            outcome = earlier or await self.writer.writes.publish(request, context)
            outcomes.append(outcome)
            self.counts.spend(outcome.body if earlier is None else None)
            responder = self._answer if outcome.ok else self._error
            if responder is not None:
                told = envelope(outcome, request, unit.document)
                answered = await responder.respond(told, chained, context, self._locks)
                answers += answered.documents
                if answered.failed and outcome.ok:
                    return self._lost(unit, answered.failed, outcomes, outcome)
            if not outcome.ok:
                return self._not_done(unit, outcome, outcomes, answers, len(documents))
        return Result(unit.items, "done", "", outcomes, answers)

    def _not_done(
        self, unit: Unit, outcome: Outcome, outcomes: list[Outcome], answers: list[JSON], wanted: int
    ) -> Result:
        reason = self._runtime.redact(outcome.sentence())
        if wanted > 1:
            reason = f"request {len(outcomes)} of {wanted}, {reason}; those before it are done"
        return Result(unit.items, "unknown" if outcome.state is State.UNKNOWN else "failed", reason, outcomes, answers)

    def _lost(
        self, unit: Unit, reason: str, outcomes: list[Outcome] | None = None, kept: Outcome | None = None
    ) -> Result:
        return Result(unit.items, "failed", self._runtime.redact(reason), outcomes or [], [], kept)

    def _count(self, result: Result) -> None:
        count = len(result.items)
        setattr(self.counts, result.state, getattr(self.counts, result.state) + count)
        self.counts.given += len(result.answers)


async def _finish(writers: list[Writer]) -> None:
    """Finishes all publishers; what one of them cannot complete is said when all have been asked."""
    faults: list[str] = []
    for writer in writers:
        try:
            await writer.writes.finish()
        except ConnectorError as error:
            faults.append(str(error))
    if faults:
        raise ConfigurationError("; ".join(faults))
