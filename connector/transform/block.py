"""A row of actions run as one; the only loop over steps."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from time import perf_counter
from typing import Any

from connector.model import JSON
from connector.transform.context import Scope, TraceEntry
from connector.transform.errors import Failed, NotYet, Skipped, Unfit
from connector.transform.types import Action, Gather, Many, Run

__all__ = ["Block", "gather_document", "make_async", "make_sync", "to_signal"]


def make_sync(work: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """Return asynchronous work that never waits as a plain function."""

    def run(*given: Any) -> Any:
        try:
            work(*given).send(None)
        except StopIteration as done:
            return done.value
        raise RuntimeError("a step that waits was taken for one that does not")

    return run


def make_async(action: Action | Block) -> Callable[[JSON, Scope], Coroutine[Any, Any, JSON]]:
    """Return the work of an action as a coroutine function, whether or not it waits."""
    run, awaits = action.run, action.awaits

    async def work(document: JSON, scope: Scope) -> JSON:
        out = run(document, scope)
        return await out if awaits else out

    return work


class Block:
    """Actions in a row.

    Attributes:
        run: the work of all of them.
        awaits, many: whether any of them does.
    """

    __slots__ = ("actions", "awaits", "many", "run")

    def __init__(self, actions: Iterable[Action]) -> None:
        self.actions = tuple(_flatten(actions))
        self.awaits = any(action.awaits for action in self.actions)
        self.many = any(action.many for action in self.actions)
        self.run = self._run()

    @property
    def gathers(self) -> bool:
        """Whether an action makes few documents of many, which only a whole chain can do."""
        return any(action.gather for action in self.actions)

    def action(self, run: Run | None = None) -> Action:
        """Return an action that runs this block, or another run with its properties."""
        return Action(run or self.run, self.awaits, self.many)

    def _run(self) -> Run:
        if self.many:
            work = _run_many(self.actions)
            return work if self.awaits else make_sync(work)
        return _run_async(self.actions) if self.awaits else _run_plain(self.actions)


def _flatten(actions: Iterable[Action]) -> Iterable[Action]:
    for action in actions:
        if action.inline is None:
            yield action
        else:
            yield from _flatten(action.inline)


def to_signal(action: Action, error: Exception) -> Skipped | Failed:
    """Return the signal for an error of a step, with the place of the step."""
    if isinstance(error, Failed) or (isinstance(error, Skipped) and error.where):
        return error
    if isinstance(error, Skipped):
        return Skipped(action.where, f"{action.name}: {error.reason}")
    if isinstance(error, Unfit):
        return Failed(action.where, str(error), passes=isinstance(error, NotYet))
    # A step of a third party may raise anything; it must not take the other documents with it.
    return Failed(action.where, f"{type(error).__name__}: {error}")


def _cause_of(error: Exception) -> BaseException | None:
    """Return the cause of a signal; a signal that passes through keeps its own."""
    return error.__cause__ if isinstance(error, Skipped | Failed) else error


def _run_plain(actions: tuple[Action, ...]) -> Run:
    runs = tuple((action.run, action) for action in actions)
    if not runs:
        return lambda document, _: document
    traced = make_sync(_run_async(actions))

    def run(document: JSON, scope: Scope) -> JSON:
        if scope.trace is not None:
            return traced(document, scope)
        action = actions[0]
        try:
            for work, action in runs:  # noqa: B007  the last one is the one that failed
                document = work(document, scope)
        except Exception as error:  # noqa: BLE001  a third party's step may raise anything
            raise to_signal(action, error) from _cause_of(error)
        return document

    return run


def _run_async(actions: tuple[Action, ...]) -> Callable[[JSON, Scope], Coroutine[Any, Any, JSON]]:
    async def run(document: JSON, scope: Scope) -> JSON:
        for action in actions:
            document = await _run_one(action, document, scope)
        return document

    return run


async def _run_one(action: Action, document: JSON, scope: Scope) -> JSON:
    began = perf_counter() if scope.trace is not None else 0.0
    try:
        out = action.run(document, scope)
        if action.awaits:
            out = await out
    except Exception as error:  # noqa: BLE001  likewise
        signal = to_signal(action, error)
        _trace_end(action, document, signal, scope, perf_counter() - began)
        raise signal from _cause_of(error)
    if scope.trace is not None:
        shown = [*out] if isinstance(out, Many) else out
        took = perf_counter() - began
        scope.trace.append(TraceEntry(action.where, action.name, document, shown, seconds=took))
    return out


def _run_many(actions: tuple[Action, ...]) -> Callable[[JSON, Scope], Coroutine[Any, Any, JSON]]:
    async def run(document: JSON, scope: Scope) -> Many:
        documents = Many([document])
        for action in actions:
            out = Many()
            for each in documents:
                try:
                    result = await _run_one(action, each, scope)
                except (Skipped, Failed) as signal:
                    if len(documents) == 1 and documents[0] is document:
                        raise
                    scope.report(each, signal)
                    continue
                if isinstance(result, Many):
                    out += result
                else:
                    out.append(result)
            documents = out
        return documents

    return run


def gather_document(gather: Gather, action: Action, document: JSON, scope: Scope) -> list[JSON]:
    """Return the documents that are complete with this one; report one that cannot be gathered."""
    try:
        made = gather.take(document)
    except Exception as error:  # noqa: BLE001  as in a block: other documents are not harmed
        signal = to_signal(action, error)
        _trace_end(action, document, signal, scope)
        scope.report(document, signal)
        return []
    if scope.trace is not None:
        scope.trace.append(TraceEntry(action.where, action.name, document, made))
    return made


def _trace_end(action: Action, document: JSON, signal: Skipped | Failed, scope: Scope, seconds: float = 0.0) -> None:
    """Put the end of a document into the trace, once: by the innermost step."""
    trace = scope.trace
    if trace is not None and (not trace or trace[-1].note != str(signal)):
        trace.append(TraceEntry(action.where, action.name, document, None, str(signal), seconds))
