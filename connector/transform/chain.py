"""A compiled chain: documents in, documents out, one at a time."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from connector.errors import ConfigurationError
from connector.model import JSON
from connector.transform.block import Block, take
from connector.transform.compiler import Compiler
from connector.transform.context import Context, Scope, TraceEntry
from connector.transform.errors import Failed, InvalidChain, Skipped
from connector.transform.registry import Kinds, registry
from connector.transform.stream import flow, gathered
from connector.transform.types import Action, Gather

__all__ = ["Chain", "compile_chain"]

DEFAULT = Context()


@dataclass(frozen=True, slots=True)
class Chain:
    """Blocks of steps, and between them what gathers documents."""

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
        """The documents that come of these; for chains in which nothing waits."""
        self._need_straight("arun")
        scope = Scope(context, trace=trace)
        stream = iter(documents)
        for stage in self.stages:
            if isinstance(stage, Block):
                stream = _worked(stage, stream, scope)
            elif stage.gather is not None:
                stream = _gathered(stage, stage.gather(scope), stream, scope)
        return stream

    def arun(
        self,
        documents: AsyncIterable[JSON] | Iterable[JSON],
        context: Context = DEFAULT,
        *,
        trace: list[TraceEntry] | None = None,
    ) -> AsyncIterator[JSON]:
        """The documents that come of these, in order; steps that wait do so for many documents at a time."""
        scope = Scope(context, trace=trace)
        stream = documents
        for stage in self.stages:
            if isinstance(stage, Block):
                stream = flow(stage, stream, scope)
            elif stage.gather is not None:
                stream = gathered(stage, stage.gather(scope), stream, scope)
        return _async(stream)

    def apply(self, document: JSON, context: Context = DEFAULT) -> list[JSON]:
        """What comes of one document: none, one or more."""
        return list(self.run((document,), context))

    async def aapply(self, document: JSON, context: Context = DEFAULT) -> list[JSON]:
        """What comes of one document, waited for."""
        return [out async for out in self.arun((document,), context)]

    def trace(self, document: JSON, context: Context = DEFAULT) -> list[TraceEntry]:
        """What each step made of one document, up to where it was dropped or failed."""
        trace: list[TraceEntry] = []
        for _ in self.run((document,), _unheard(context), trace=trace):
            pass
        return trace

    async def atrace(self, document: JSON, context: Context = DEFAULT) -> list[TraceEntry]:
        """What each step made of one document; for chains in which something waits."""
        trace: list[TraceEntry] = []
        async for _ in self.arun((document,), _unheard(context), trace=trace):
            pass
        return trace

    def _need_straight(self, instead: str) -> None:
        if self.awaits:
            waiting = next(
                a.name for stage in self.stages if isinstance(stage, Block) for a in stage.actions if a.awaits
            )
            raise ConfigurationError(f"the chain waits in {waiting}: use {instead}")


def _unheard(context: Context) -> Context:
    """The same context, but that nobody is told of lost documents: a trace tells."""

    def ignore(_document: JSON, _reason: object) -> None:
        pass

    return replace(context, on_skip=ignore, on_failed=ignore)


def _worked(block: Block, documents: Iterable[JSON], scope: Scope) -> Iterator[JSON]:
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


def _gathered(action: Action, gather: Gather, documents: Iterable[JSON], scope: Scope) -> Iterator[JSON]:
    for document in documents:
        yield from take(gather, action, document, scope)
    yield from gather.rest()


async def _async(documents: AsyncIterable[JSON] | Iterable[JSON]) -> AsyncIterator[JSON]:
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
) -> Chain:
    """The chain that these steps are; InvalidChain lists every fault with its place.

    Args:
        steps: a list of steps; a text names a saved chain.
        chains: saved chains by name, each a list of steps or `{parameters, steps}`; ready-made ones come after them.
        where: how messages call the chain.
        kinds: the steps, mappers, conditions and accessors there are; by default all that are installed.
    """
    compiler = Compiler(kinds or registry(), chains or {})
    block = compiler.compile(steps, where)
    if compiler.faults:
        raise InvalidChain(compiler.faults)
    return Chain(tuple(_stages(block.actions)), compiler.calls)


def _stages(actions: Iterable[Action]) -> Iterator[Block | Action]:
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
