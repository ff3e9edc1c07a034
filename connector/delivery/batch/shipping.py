"""One batch from its lines to its answers: written, uploaded, created, asked after, settled, tidied up.

Each step looks first at what the journal knows of it, so a process that is cut off anywhere is followed by one that
goes on: an upload or a batch whose end nobody saw is looked for by its own key before another one is made.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.delivery.aggregate import merge_change
from connector.delivery.attempt import RouteContext
from connector.delivery.batch.settling import Settling
from connector.delivery.batch.upload import batch_create, file_create, file_delete, write_lines
from connector.delivery.call_journal import CallJournal
from connector.delivery.reconcile import reconcile
from connector.delivery.retry import end_after
from connector.engine import Change, Settlement, StoreError, Task, TaskState, failpoints
from connector.http import Client
from connector.model import JSON, Outcome, State, items, members
from connector.pipeline.decisions import AttemptEnded
from connector.publishers import CallIntent
from connector.request import Wire

__all__ = ["Shipping"]

SOONEST, LATEST = 5.0, 60.0
"""Seconds between two questions after a batch, few at first."""
AGAIN = 30.0
UNDER_WAY = ("validating", "in_progress", "finalizing", "cancelling")
ABOUT_LINES = "line"

log = logging.getLogger(__name__)


class Shipping:
    """Takes batches of one route to their end."""

    def __init__(self, route: RouteContext, target: str, path: str) -> None:
        self._route = route
        self._target = target
        self._endpoint = f"/v1{path}"

    async def attempt(self, task: Task) -> Change:
        """One step or more of a batch; what is to be committed of it."""
        client = self._route.shared.runtime.client(self._target)
        shipment = Shipment(self._route, task, client, self._target, self._endpoint)
        try:
            return await shipment.change()
        except StoreError:
            raise
        except Exception as error:
            # Its tasks must not share the fate of what is no fault of theirs: a full disk, say.
            log.exception("batch %d of route %r broke off", task.id, self._route.spec.route)
            reason = self._route.shared.redact.text(f"broke off: {error or type(error).__name__}")
            due = self._route.shared.wall() + AGAIN
            return Change(settle=[Settlement(task=task.id, state=TaskState.WAITING, reason=reason, due=due)])


class Shipment:
    """One step of one batch."""

    def __init__(self, route: RouteContext, task: Task, client: Client, target: str, endpoint: str) -> None:
        self._route = route
        self._shared = route.shared
        self._task = task
        self._client = client
        self._target = target
        self._endpoint = endpoint
        self._journal = CallJournal(task, route.shared, route.shared.budget(route.spec.route), route.context.on_unknown)
        self._settling = Settling(route, task.id, client, target)
        self._done: dict[str, JSON] = {}
        self._records: dict[tuple[str, str], JSON] = {}

    async def change(self) -> Change:
        """Goes on with it; what is to be committed."""
        try:
            await self._resolve()
            return self._ended(await self._gone_on())
        except AttemptEnded as stopped:
            if stopped.state is TaskState.WAITING:
                return self._ended(stopped)
            return self._ended(await self._in_vain(stopped))

    async def _resolve(self) -> None:
        """What is known of earlier attempts."""
        doubts = await reconcile(self._task, self._journal, self._shared)
        self._journal.settle(doubts.ends)
        self._records = doubts.records
        ends = {(end.attempt, end.number): end for end in doubts.ends}
        for call in self._task.calls:
            end = ends.get((call.attempt, call.number))
            if (end or call).state == State.DONE:
                self._done[call.operation] = members((end or call).outcome).get("body")
        if doubts.settled is not None:
            held = doubts.settled
            raise AttemptEnded(held.state, held.reason, due=held.due, uncounted=held.uncounted)

    async def _gone_on(self) -> AttemptEnded:
        batch_id = self._id("batches create") or await self._created(self._id("files create") or await self._uploaded())
        batch = await self._asked(batch_id)
        failpoints.reach("batch.asked")
        if batch.get("status") in UNDER_WAY:
            seconds = min(max((self._shared.wall() - self._task.created) / 4, SOONEST), LATEST)
            counts = members(batch.get("request_counts"))
            done = f", {counts.get('completed', 0)} of {counts.get('total', 0)} done" if counts.get("total") else ""
            reason = f"{batch_id} is {batch['status']}{done}"
            return AttemptEnded(TaskState.WAITING, reason, due=self._shared.wall() + seconds)
        await self._settle(batch)
        left = await self._tidied(batch)
        failpoints.reach("batch.tidied")
        return AttemptEnded(TaskState.FINISHED, f"{batch_id} {batch.get('status')}{left}")

    async def _uploaded(self) -> str:
        """The id of the batch's file."""
        with TemporaryDirectory(prefix="openai-connector-") as folder:
            path = Path(folder) / "lines.jsonl"
            if not await write_lines(self._shared.store, self._task.id, path):
                raise AttemptEnded(TaskState.FINISHED, "none of its tasks waits any more")
            failpoints.reach("batch.lines.written")
            intent = file_create(self._client, self._target, path, f"batch-{self._task.id}.jsonl")
            return await self._performed(intent, "batch.uploaded")

    async def _created(self, file_id: str) -> str:
        """The id of the batch."""
        window = self._route.spec.outgoing.batch.window
        payload = {"input_file_id": file_id, "endpoint": self._endpoint, "completion_window": window}
        return await self._performed(batch_create(self._client, self._target, payload), "batch.created")

    async def _performed(self, intent: CallIntent, point: str) -> str:
        outcome = await self._journal.perform(intent)
        failpoints.reach(point)
        made = members(outcome.body).get("id")
        if outcome.ok and isinstance(made, str):
            self._done[intent.operation] = outcome.body
            return made
        if outcome.ok:
            raise AttemptEnded(TaskState.UNKNOWN, f"{intent.operation}: the answer names no id; look what it made")
        seen = next((one for one in self._journal.failures if one.outcome is outcome), self._journal.failures[-1])
        tried = 1 + sum(call.operation == intent.operation for call in self._task.calls)
        task, settings = replace(self._task, attempts=tried), self._route.spec.settings
        raise end_after(seen, f"{intent.operation}: {outcome.sentence()}", task, settings, self._shared)

    async def _asked(self, batch_id: str) -> Mapping[str, JSON]:
        """The batch as it is now."""
        wire = self._client.prepare("batches retrieve", {"path": {"batch_id": batch_id}})
        outcome = await self._read(wire)
        batch = members(outcome.body)
        if outcome.ok and batch.get("status"):
            return batch
        if outcome.status == 404:
            raise AttemptEnded(
                TaskState.UNKNOWN, f"{batch_id} is not there any more; its requests may have been paid for"
            )
        raise self._later(f"{batch_id} cannot be asked after: {outcome.sentence()}")

    async def _settle(self, batch: Mapping[str, JSON]) -> None:
        """Every task by its lines; those of which no file tells by what the batch came to."""
        lost = False
        with TemporaryDirectory(prefix="openai-connector-") as folder:
            for name in ("output_file_id", "error_file_id"):
                file_id = batch.get(name)
                if not isinstance(file_id, str):
                    continue
                path = Path(folder) / name
                wire = self._client.prepare("file content retrieve", {"path": {"file_id": file_id}})
                outcome = await self._read(wire, path)
                if outcome.ok:
                    failpoints.reach("batch.results.read")
                    await self._settling.file(path)
                elif outcome.status == 404:
                    lost = True
                else:
                    raise self._later(f"{file_id} cannot be read: {outcome.sentence()}")
        await self._settling.rest(self._left(batch, lost=lost), faults=_faults(batch))

    def _left(self, batch: Mapping[str, JSON], *, lost: bool) -> Outcome:
        """What came of lines that no file tells of."""
        status, counts = batch.get("status"), members(batch.get("request_counts"))
        errors = [str(members(one).get("message")) for one in items(members(batch.get("errors")).get("data"))]
        told = f"{batch.get('id')} is {status}{': ' if errors else ''}{'; '.join(errors[:3])}"
        if lost or counts.get("completed", 0) > self._settling.answered:
            return Outcome(State.UNKNOWN, reason=f"{told}; it was paid for, and its answer is not there any more")
        return Outcome(State.NOT_SENT, reason=f"{told}; this request was not run")

    async def _in_vain(self, stopped: AttemptEnded) -> AttemptEnded:
        """All tasks come to the end of a batch that could not be made, or of which nobody knows."""
        seen = stopped.seen.outcome if stopped.seen is not None else None
        state = State.UNKNOWN if stopped.state is TaskState.UNKNOWN else State.REFUSED
        outcome = replace(seen or Outcome(state), state=state, action="fail", reason=stopped.reason, attempts=())
        await self._settling.rest(outcome)
        if stopped.state is not TaskState.UNKNOWN:
            await self._tidied({})
        return stopped

    async def _tidied(self, batch: Mapping[str, JSON]) -> str:
        """Removes the files that nobody needs any more; what is left over, in words."""
        files = [self._id("files create")]
        if self._route.spec.outgoing.batch.delete_output:
            files += [str(batch.get(name) or "") for name in ("output_file_id", "error_file_id")]
        left: list[str] = []
        for file_id in (one for one in files if one):
            outcome = await self._journal.perform(file_delete(self._client, self._target, file_id))
            if not outcome.ok and outcome.status != 404:
                left.append(f"; {file_id} could not be removed: {outcome.reason}")
        return "".join(left)

    async def _read(self, wire: Wire, to: Path | None = None) -> Outcome:
        paused = self._client.paused
        return paused.outcome() if paused else await self._client.send(wire, to=to)

    def _id(self, operation: str) -> str:
        found = members(self._done.get(operation)).get("id")
        return found if isinstance(found, str) else ""

    def _later(self, reason: str) -> AttemptEnded:
        return AttemptEnded(TaskState.WAITING, reason, due=self._shared.wall() + AGAIN)

    def _ended(self, end: AttemptEnded) -> Change:
        change = self._journal.closing(finished=end.state is TaskState.FINISHED)
        reason = self._shared.redact.text(end.reason)
        settled = Settlement(task=self._task.id, state=end.state, reason=reason, due=end.due, uncounted=end.uncounted)
        merge_change(change, Change(settle=[settled], records=self._records))
        return change


def _faults(batch: Mapping[str, JSON]) -> dict[int, str]:
    """What the API says of single lines of a batch that it did not begin."""
    if batch.get("status") != "failed":
        return {}
    found = [members(one) for one in items(members(batch.get("errors")).get("data"))]
    return {one[ABOUT_LINES]: str(one.get("message")) for one in found if isinstance(one.get(ABOUT_LINES), int)}
