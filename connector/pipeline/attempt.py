"""One attempt: a document through its chain, its requests, their answers, and how all of that ends."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from connector.engine import StoreError, TaskState, failpoints
from connector.errors import ConnectorError
from connector.model import JSON, Effect, Outcome, State
from connector.pipeline.chains import apply
from connector.pipeline.decisions import AttemptEnded, CallResult, note_doubtful
from connector.pipeline.journal import Journal
from connector.pipeline.spec import OutgoingSpec, envelope
from connector.transform import Chain, Scope
from connector.transform.context import Context as ChainContext
from connector.transform.context import Locks

__all__ = ["Attempt", "Ending"]

Ending = Literal[":answer", ":error"]

STATES = {TaskState.FAILED: State.REFUSED, TaskState.UNKNOWN: State.UNKNOWN}
NOT_YET = CallResult(Outcome(State.REFUSED, action="retry"), Effect.NONE)
"""A chain that says that its document may fare better later."""

log = logging.getLogger(__name__)


class Attempt(ABC):
    """One attempt at one document.

    What differs between a run, which keeps everything, and a command, which keeps nothing, is where requests and
    responses go, and what follows when a call is not done.

    Args:
        spec: what the document goes through, and to whom.
        document: as it was accepted.
        journal: makes the calls.
        chain_context: what chains are given.
        locks: what several attempts must not do at a time.
    """

    responds_at_once: ClassVar[bool] = False
    """Whether an answer is passed on before the next request, since nothing remembers it."""

    def __init__(
        self, spec: OutgoingSpec, document: JSON, journal: Journal, chain_context: ChainContext, locks: Locks
    ) -> None:
        self._spec = spec
        self._document = document
        self._journal = journal
        self._chain_context = chain_context
        self._locks = locks
        self._request: JSON = None

    @property
    @abstractmethod
    def label(self) -> str:
        """The document in words, for a log."""

    @property
    @abstractmethod
    def wants_answers(self) -> bool:
        """Whether anything becomes of answers."""

    @abstractmethod
    async def send(self, request: JSON) -> Outcome:
        """Give a request to the publisher."""

    @abstractmethod
    async def respond(self, ending: Ending, shown: JSON) -> str:
        """Pass an answer or an error on; return why that failed, if it did."""

    @abstractmethod
    def end_after(self, seen: CallResult, reason: str) -> AttemptEnded:
        """Return what follows a call that is not done."""

    @abstractmethod
    def discard(self) -> None:
        """Drop the results of answers, since the attempt is not done."""

    @abstractmethod
    def redact(self, text: str) -> str:
        """Return a reason without secrets."""

    def shown(self, request: JSON) -> JSON:
        """Return a request as response chains see it."""
        return request

    async def run(self) -> AttemptEnded:
        """Make the attempt; return how it ended."""
        try:
            await self.deliver(await self.documents())
        except AttemptEnded as ended:
            return ended
        except StoreError:
            raise
        except ConnectorError as error:
            return self.fail(str(error))
        except Exception as error:
            log.exception("%s broke off", self.label)
            unexpected = Outcome(State.UNKNOWN, reason=f"{type(error).__name__}: {error}")
            reason = f"an error of the connector: {unexpected.reason}"
            return self.end_after(CallResult(unexpected, Effect.NONE), reason)
        return AttemptEnded(TaskState.FINISHED)

    async def documents(self) -> list[JSON]:
        """Return what a request is to be sent for."""
        return await self.transform(self._spec.chain.after)

    async def transform(self, chain: Chain) -> list[JSON]:
        """Return what a chain makes of the document; raise AttemptEnded when that is nothing."""
        if not chain.stages:
            return [self._document]
        applied = await apply(chain, self._document, self._chain_context, self._locks)
        self._journal.check()
        if applied.failed is not None and applied.failed.passes:
            raise self.end_after(NOT_YET, str(applied.failed))
        if applied.failed is not None:
            raise self.fail(str(applied.failed))
        if not applied.documents:
            raise AttemptEnded(TaskState.SKIPPED, applied.skipped or "the chain made nothing of the document")
        return applied.documents

    async def deliver(self, documents: list[JSON]) -> None:
        """Send a request for each document, and pass the answers on; raise AttemptEnded at the first that fails."""
        done: list[tuple[Outcome, JSON]] = []
        for number, document in enumerate(documents, 1):
            self._request = self._spec.complete(document, Scope(self._chain_context, locks=self._locks))
            outcome = await self.send(self._request)
            self._journal.check()
            if not outcome.ok:
                raise self._not_done(outcome, number, len(documents))
            done.append((outcome, self._request))
            if self.responds_at_once:
                await self._answer(*done.pop())
        failpoints.reach("delivery.requests.done")
        for outcome, request in done:
            await self._answer(outcome, request)

    async def finish(self, ended: AttemptEnded) -> AttemptEnded:
        """Return the end as all calls make it; pass an error on if it is one."""
        ended = self.whole(ended)
        ended.reason = self.redact(ended.reason)
        if ended.state is not TaskState.FINISHED:
            self.discard()  # results of answers come once, with the end of the attempt
        if ended.state in STATES:
            ended.reason = await self._tell_error(ended)
        return ended

    def whole(self, ended: AttemptEnded) -> AttemptEnded:
        """Return the end with what other calls of the attempt may have done: that has not failed."""
        return note_doubtful(ended, self._journal.doubtful) if ended.state is TaskState.FAILED else ended

    def fail(self, reason: str) -> AttemptEnded:
        """Return the end of an attempt whose chain or publisher failed: by a call that is not done, or by itself."""
        if self._journal.failures:
            return self.end_after(self._journal.failures[0], reason)
        return AttemptEnded(TaskState.FAILED, reason)

    async def _answer(self, outcome: Outcome, request: JSON) -> None:
        if not self.wants_answers:
            return
        why = await self.respond(":answer", envelope(outcome, self.shown(request), self._document))
        self._journal.check()
        if why:
            ended = self.fail(why)
            ended.paid = outcome
            raise ended

    async def _tell_error(self, ended: AttemptEnded) -> str:
        """Pass an error on; return the reason, with why that failed if it did."""
        outcome = ended.seen.outcome if ended.seen else Outcome(STATES[ended.state])
        shown = envelope(outcome, self.shown(self._request), self._document)
        try:
            why = await self.respond(":error", {**shown, "state": ended.state.value, "reason": ended.reason})
        except ConnectorError as error:
            why = str(error)
        self._journal.check()
        if not why:
            return ended.reason
        self.discard()
        return self.redact(f"{ended.reason}; and its error could not be told: {why}")

    def _not_done(self, outcome: Outcome, number: int = 1, count: int = 1) -> AttemptEnded:
        reason = outcome.sentence()
        if count > 1:
            reason = f"request {number} of {count}, {reason}; those before it are done"
        known = [seen for seen in self._journal.failures if seen.outcome is outcome]
        seen = known[0] if known else CallResult(outcome, Effect.IDEMPOTENT)
        return self.end_after(seen, reason)
