"""A row of actions run as one; the only loop over steps."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from connector.model import JSON
from connector.transform.context import Scope, TraceEntry
from connector.transform.errors import Failed, NotYet, Skipped, Unfit
from connector.transform.types import Action, Gather, Many, Run

__all__ = ["Block", "lost", "make_async", "make_sync", "take"]


def make_sync(work: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """Asynchronous work that never waits, as a plain function."""

    def run(*given: Any) -> Any:
        try:
            work(*given).send(None)
        except StopIteration as done:
            return done.value
        raise RuntimeError("a step that waits was taken for one that does not")

    return run


def make_async(action: Action | Block) -> Callable[[JSON, Scope], Coroutine[Any, Any, JSON]]:
    """A run as asynchronous work, whether or not it waits."""
    run, awaits = action.run, action.awaits

    async def work(document: JSON, scope: Scope) -> JSON:
        out = run(document, scope)
        return await out if awaits else out

    return work


class Block:
    """Actions in a row.

    Attributes:
        run: their work; gives what a Run gives.
        awaits, many: whether any of them does.
    """

    __slots__ = ("actions", "awaits", "many", "run")

    def __init__(self, actions: Iterable[Action]) -> None:
        self.actions = tuple(_flat(actions))
        self.awaits = any(action.awaits for action in self.actions)
        self.many = any(action.many for action in self.actions)
        self.run = self._run()

    @property
    def gathers(self) -> bool:
        """Whether one of them makes few documents of many, which only a whole chain can do."""
        return any(action.gather for action in self.actions)

    def action(self, run: Run | None = None) -> Action:
        """An action that does this block's work, or one that works through it."""
        return Action(run or self.run, self.awaits, self.many)

    def _run(self) -> Run:
        if self.many:
            work = _all_of_many(self.actions)
            return work if self.awaits else make_sync(work)
        return _waiting(self.actions) if self.awaits else _straight(self.actions)


def _flat(actions: Iterable[Action]) -> Iterable[Action]:
    for action in actions:
        if action.inline is None:
            yield action
        else:
            yield from _flat(action.inline)


def lost(action: Action, error: Exception) -> Skipped | Failed:
    """Why a document goes no further, with the place of the step."""
    if isinstance(error, Failed) or (isinstance(error, Skipped) and error.where):
        return error
    if isinstance(error, Skipped):
        return Skipped(action.where, f"{action.name}: {error.reason}")
    if isinstance(error, Unfit):
        return Failed(action.where, str(error), passes=isinstance(error, NotYet))
    # A step of a third party may raise anything; it must not take the other documents with it.
    return Failed(action.where, f"{type(error).__name__}: {error}")


def _cause(error: Exception) -> BaseException | None:
    """What stands behind a loss: nothing more behind one that is known by its own words."""
    return error.__cause__ if isinstance(error, Skipped | Failed) else error


def _straight(actions: tuple[Action, ...]) -> Run:
    runs = tuple((action.run, action) for action in actions)
    if not runs:
        return lambda document, _: document
    traced = make_sync(_waiting(actions))

    def run(document: JSON, scope: Scope) -> JSON:
        if scope.trace is not None:
            return traced(document, scope)
        action = actions[0]
        try:
            for work, action in runs:  # noqa: B007  the last one is the one that failed
                document = work(document, scope)
        except Exception as error:  # noqa: BLE001  a third party's step may raise anything
            raise lost(action, error) from _cause(error)
        return document

    return run


def _waiting(actions: tuple[Action, ...]) -> Callable[[JSON, Scope], Coroutine[Any, Any, JSON]]:
    async def run(document: JSON, scope: Scope) -> JSON:
        for action in actions:
            document = await _one(action, document, scope)
        return document

    return run


async def _one(action: Action, document: JSON, scope: Scope) -> JSON:
    try:
        out = action.run(document, scope)
        if action.awaits:
            out = await out
    except Exception as error:  # noqa: BLE001  likewise
        signal = lost(action, error)
        _note_end(action, document, signal, scope)
        raise signal from _cause(error)
    if scope.trace is not None:
        shown = [*out] if isinstance(out, Many) else out
        scope.trace.append(TraceEntry(action.where, action.name, document, shown))
    return out


def _all_of_many(actions: tuple[Action, ...]) -> Callable[[JSON, Scope], Coroutine[Any, Any, JSON]]:
    async def run(document: JSON, scope: Scope) -> Many:
        documents = Many([document])
        for action in actions:
            out = Many()
            for each in documents:
                try:
                    result = await _one(action, each, scope)
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


def take(gather: Gather, action: Action, document: JSON, scope: Scope) -> list[JSON]:
    """The documents that are complete with this one; one that cannot be kept is reported."""
    try:
        made = gather.take(document)
    except Exception as error:  # noqa: BLE001  as in a block: other documents are not harmed
        signal = lost(action, error)
        _note_end(action, document, signal, scope)
        scope.report(document, signal)
        return []
    if scope.trace is not None:
        scope.trace.append(TraceEntry(action.where, action.name, document, made))
    return made


def _note_end(action: Action, document: JSON, signal: Skipped | Failed, scope: Scope) -> None:
    """Put the end of a document into the trace, once: by the innermost step."""
    trace = scope.trace
    if trace is not None and (not trace or trace[-1].note != str(signal)):
        trace.append(TraceEntry(action.where, action.name, document, None, str(signal)))
