"""What the owner of a token may call through a host's server: the gateway's rules, limits and budgets, call by call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from functools import partial

import orjson

from connector.gateway.access import Caller
from connector.gateway.body_parser import ParsedBody
from connector.gateway.refusals import Refusal
from connector.gateway.request_record import RequestRecord
from connector.gateway.usage import estimate_usage
from connector.gateway.usage_accounting import Admission, UsageAccounting, is_costly
from connector.gateway.usage_reader import UsageReader
from connector.model import JSON, Fault, Outcome, State, is_list, items, members
from connector.publishers import Begin, CallIntent, OnUnknown
from connector.request.multipart import MultipartBody
from connector.request.wire import Wire
from connector.telemetry.costs import read_usage

__all__ = ["CallerGuard"]


@dataclass(frozen=True, slots=True)
class CallerGuard:
    """Checks and charges each call that is made on behalf of a caller.

    Args:
        caller: the owner of the token.
        clients: the names of all clients.
        accounting: charges calls.
        clock: monotonic seconds.
    """

    caller: Caller
    clients: Collection[str]
    accounting: UsageAccounting
    clock: Callable[[], float]

    def __call__(self, intent: CallIntent) -> CallIntent:
        """Return the call as it may be made: what is refused is not sent, and what is sent is charged."""
        if intent.call is None:  # a file or a table of this machine, which the configuration offers
            return intent
        return replace(intent, make=partial(self._make, intent.make))

    async def _make(
        self,
        make: Callable[[CallIntent, OnUnknown | None, Begin | None], Awaitable[Outcome]],
        intent: CallIntent,
        on_unknown: OnUnknown | None,
        begin: Begin | None,
    ) -> Outcome:
        assert intent.call is not None  # noqa: S101  only calls of clients are guarded
        wire, regional = intent.call.wire, bool(intent.call.client.region)
        record = RequestRecord(wire.method, wire.path, self.clock(), caller=self.caller.name, client=intent.target)
        try:
            admission = self._admit(intent, wire, intent.call.payload, regional=regional)
        except Refusal as refusal:
            fault = Fault(f"token {self.caller.name}", str(refusal), "another call, or another token")
            return Outcome(State.NOT_SENT, reason=str(refusal), faults=(fault,))
        try:
            outcome = await make(intent, on_unknown, begin)
        except BaseException:
            self._settle(record, admission, Outcome(State.UNKNOWN, reason="broken off"), regional=regional)
            raise
        self._settle(record, admission, outcome, regional=regional)
        return outcome

    def _admit(self, intent: CallIntent, wire: Wire, payload: JSON, *, regional: bool) -> Admission | None:
        """Reserve what a call may use; Refusal when it may not be made."""
        caller, operation = self.caller, wire.operation
        caller.check_client(intent.target, self.clients)
        caller.check(wire.method, wire.path, operation)
        caller.quota.admit()
        costly = is_costly(wire.method, operation)
        query = wire.target.partition("?")[2] if wire.query else ""
        estimate = estimate_usage(_parse(wire, payload), operation, wire.path, query)
        caller.check_models(estimate.models, is_model_needed=costly)
        return self.accounting.admit(caller, estimate, regional=regional) if costly else None

    def _settle(self, record: RequestRecord, admission: Admission | None, outcome: Outcome, *, regional: bool) -> None:
        record.state, record.is_sent = outcome.state.value, outcome.state is not State.NOT_SENT
        reader = _read(outcome)
        if admission is not None:
            self.accounting.settle(record, admission, reader)
        else:
            self.accounting.settle_pending(record, reader, regional=regional)


def _parse(wire: Wire, payload: JSON) -> ParsedBody:
    """Return what a call's body says, with the sizes of its files."""
    body = wire.body
    if body is None:
        return ParsedBody(members(payload))
    if isinstance(body, MultipartBody):
        files = [value.source.size or 0 for _, value, _ in body.parts if not isinstance(value, str)]
        texts = sum(len(value) for _, value, _ in body.parts if isinstance(value, str))
        return ParsedBody(members(payload), texts, files)
    return ParsedBody(members(payload), body.length or 0)


def _read(outcome: Outcome) -> UsageReader | None:
    """Return a reader of the answer's usage; of a stream, the event that reports it."""
    body = outcome.body
    if body is None:
        return None
    if isinstance(body, bytes):
        reader = UsageReader(outcome.headers.get("content-type", "application/octet-stream"))
        reader.feed(body)
        return reader
    answer: JSON = body
    if is_list(body):
        inner = [members(members(event).get("response")) or members(event) for event in reversed(items(body))]
        answer = next((event for event in inner if read_usage(event.get("usage"))), inner[0] if inner else {})
    reader = UsageReader("application/json")
    reader.feed(orjson.dumps(answer))
    return reader
