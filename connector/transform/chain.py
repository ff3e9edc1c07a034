"""A compiled chain: documents in, documents out, one at a time or many at a time in order."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from connector.aio.bounded_map import map_ordered
from connector.aio.streams import iterate_with_deadlines
from connector.errors import ConfigurationError
from connector.model import JSON
from connector.model_registry import ModelRegistry, default_registry
from connector.transform.block import Block, gather_document, make_async
from connector.transform.compiler import Compiler
from connector.transform.context import Context, Locks, Scope, TraceEntry
from connector.transform.errors import Failed, InvalidChain, Skipped
from connector.transform.registry import Kinds, registry
from connector.transform.types import Action, Gather

__all__ = ["Chain", "compile_chain"]

DEFAULT = Context()


@dataclass(frozen=True, slots=True)
class Chain:
    """Blocks of steps, and between them the steps that gather documents."""

    stages: tuple[Block | Action, ...]
    calls: bool = False
    """Whether a step may make calls."""

    @property
    def awaits(self) -> bool:
        """Whether a step waits for something, so that only `arun` can run the chain."""
        return any(isinstance(stage, Block) and stage.awaits for stage in self.stages)

    def run(
        self, documents: Iterable[JSON], context: Context = DEFAULT, *, trace: list[TraceEntry] | None = None
    ) -> Iterator[JSON]:
        """Yield the results of these documents; for chains in which no step waits."""
        self._require_sync("arun")
        scope = Scope(context, trace=trace)
        stream = iter(documents)
        for stage in self.stages:
            if isinstance(stage, Block):
                stream = _apply_block(stage, stream, scope)
            elif stage.gather is not None:
                stream = _apply_gather(stage, stage.gather(scope), stream, scope)
        return stream

    def arun(
        self,
        documents: AsyncIterable[JSON] | Iterable[JSON],
        context: Context = DEFAULT,
        *,
        trace: list[TraceEntry] | None = None,
        locks: Locks | None = None,
    ) -> AsyncIterator[JSON]:
        """Yield the results of these documents in order; steps that wait do so for many documents at a time.

        Args:
            trace: where each step's work is noted.
            locks: the locks of storage keys, where other documents of the same run go through other calls.
        """
        scope = Scope(context, trace=trace, locks=Locks() if locks is None else locks)
        stream = documents
        for stage in self.stages:
            if isinstance(stage, Block):
                stream = _stream_block(stage, stream, scope)
            elif stage.gather is not None:
                stream = _stream_batches(stage, stage.gather(scope), stream, scope)
        return _iterate(stream)

    def apply(self, document: JSON, context: Context = DEFAULT) -> list[JSON]:
        """Return the results of one document: none, one or more."""
        return list(self.run((document,), context))

    async def aapply(self, document: JSON, context: Context = DEFAULT, *, locks: Locks | None = None) -> list[JSON]:
        """Return the results of one document; for chains in which a step waits."""
        return [out async for out in self.arun((document,), context, locks=locks)]

    def _require_sync(self, instead: str) -> None:
        if self.awaits:
            waiting = next(
                a.name for stage in self.stages if isinstance(stage, Block) for a in stage.actions if a.awaits
            )
            raise ConfigurationError(f"the chain waits in {waiting}: use {instead}")


def _apply_block(block: Block, documents: Iterable[JSON], scope: Scope) -> Iterator[JSON]:
    run, many = block.run, block.many
    for document in documents:
        try:
            out = run(document, scope)
        except (Skipped, Failed) as signal:
            scope.report(document, signal)
            continue
        if many:
            yield from out
        else:
            yield out


def _apply_gather(action: Action, gather: Gather, documents: Iterable[JSON], scope: Scope) -> Iterator[JSON]:
    for document in documents:
        yield from gather_document(gather, action, document, scope)
    yield from gather.rest()


async def _iterate(documents: AsyncIterable[JSON] | Iterable[JSON]) -> AsyncIterator[JSON]:
    if isinstance(documents, AsyncIterable):
        async for document in documents:
            yield document
    else:
        for document in documents:
            yield document


def compile_chain(
    steps: list[JSON] | str | JSON,
    chains: Mapping[str, JSON] | None = None,
    *,
    where: str = "chain",
    kinds: Kinds | None = None,
    models: Callable[[], ModelRegistry] = default_registry,
) -> Chain:
    """Compile steps to a chain; raise InvalidChain with every fault and its place.

    Args:
        steps: a list of steps; a text names a saved chain.
        chains: saved chains by name, each a list of steps or `{parameters, steps}`; ready-made ones come after them.
        where: how messages call the chain.
        kinds: the known steps, mappers, conditions and accessors; by default all that are installed.
        models: gives the registry whose default models chains take; by default the one that ships.
    """
    compiler = Compiler(kinds or registry(), chains or {}, models)
    block = compiler.compile(steps, where)
    if compiler.faults:
        raise InvalidChain(compiler.faults)
    return Chain(tuple(_split_stages(block.actions)), compiler.calls)


def _split_stages(actions: Iterable[Action]) -> Iterator[Block | Action]:
    row: list[Action] = []
    for action in actions:
        if action.gather is None:
            row.append(action)
            continue
        if row:
            yield Block(row)
        yield action
        row = []
    if row:
        yield Block(row)


Documents = AsyncIterable[JSON] | Iterable[JSON]


async def _stream_block(block: Block, documents: Documents, scope: Scope) -> AsyncIterator[JSON]:
    """Yield the results of a block in the order of its documents."""
    most = scope.context.concurrency if block.awaits else 1
    async with aclosing(map_ordered(documents, partial(_run_document, block, scope), most, ahead=1)) as results:
        async for result in results:
            for document in result:
                yield document


async def _run_document(block: Block, scope: Scope, document: JSON) -> list[JSON]:
    try:
        out = await make_async(block)(document, scope)
    except (Skipped, Failed) as signal:
        scope.report(document, signal)
        return []
    return list(out) if block.many else [out]


async def _stream_batches(action: Action, gather: Gather, documents: Documents, scope: Scope) -> AsyncIterator[JSON]:
    """Yield the batches of these documents; one that is due does not wait for the next document."""
    async with aclosing(iterate_with_deadlines(documents, lambda: gather.due)) as given:
        async for found in given:
            batches = gather.rest() if found is None else gather_document(gather, action, found[0], scope)
            for batch in batches:
                yield batch
    for batch in gather.rest():
        yield batch
