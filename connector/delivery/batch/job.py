"""One batch from its lines to its answers: written, uploaded, created, polled, settled, cleaned up.

Each step looks first at what the journal knows of it, so a process that is cut off anywhere is followed by one that
goes on: an upload or a batch whose end was not seen is looked up by its own key before another one is made.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from connector.delivery.aggregate import merge_change
from connector.delivery.attempt import RouteContext
from connector.delivery.batch.attempt import CANCEL, NEEDED
from connector.delivery.batch.lines import write_lines
from connector.delivery.batch.settlement import BatchSettlement
from connector.delivery.call_journal import CallJournal
from connector.delivery.deadlines.choice import describe_move
from connector.delivery.reconcile import reconcile
from connector.delivery.retry import end_after
from connector.engine import Change, Settlement, StoreError, Task, TaskState, failpoints
from connector.http import Client
from connector.model import JSON, Outcome, State, items, members
from connector.pipeline.decisions import AttemptEnded
from connector.publishers import CallIntent, ClientCall
from connector.publishers.intent import client_intent
from connector.request import Wire
from connector.request.files import FileInput
from connector.request.multipart import MultipartBody
from connector.request.sources import LocalFile, identify_file

if TYPE_CHECKING:
    from connector.delivery.deadlines.plan import TransportPlan

__all__ = ["BatchDelivery"]

MIN_POLL, MAX_POLL = 5.0, 60.0
"""Seconds between two polls of a batch, few at first."""
RETRY_DELAY = 30.0
UNDER_WAY = ("validating", "in_progress", "finalizing", "cancelling")
ENDING = ("finalizing", "cancelling")
ABOUT_LINES = "line"

log = logging.getLogger(__name__)


class BatchDelivery:
    """Delivers the batches of one route."""

    def __init__(self, route: RouteContext, target: str, path: str, plan: TransportPlan | None = None) -> None:
        self._route = route
        self._plan = plan
        self._target = target
        self._endpoint = f"/v1{path}"

    async def attempt(self, task: Task) -> Change:
        """Advance a batch and return the change to commit."""
        client = self._route.shared.runtime.client(self._target)
        job = BatchJob(self._route, task, client, self._target, self._endpoint, self._plan)
        try:
            return await job.change()
        except StoreError:
            raise
        except Exception as error:
            # Its tasks must not share the fate of what is no fault of theirs: a full disk, say.
            log.exception("batch %d of route %r broke off", task.id, self._route.spec.route)
            reason = self._route.shared.redact.text(f"broke off: {error or type(error).__name__}")
            due = self._route.shared.wall() + RETRY_DELAY
            return Change(settle=[Settlement(task=task.id, state=TaskState.WAITING, reason=reason, due=due)])


class BatchJob:
    """One attempt at one batch."""

    def __init__(
        self,
        route: RouteContext,
        task: Task,
        client: Client,
        target: str,
        endpoint: str,
        plan: TransportPlan | None = None,
    ) -> None:
        self._plan = plan
        self._route = route
        self._shared = route.shared
        self._task = task
        self._client = client
        self._target = target
        self._endpoint = endpoint
        self._journal = CallJournal(task, route.shared, route.budget, route.context.on_unknown)
        self._settlement = BatchSettlement(route, task.id, client, target, plan)
        self._done: dict[str, JSON] = {}
        self._records: dict[tuple[str, str], JSON] = {}

    async def change(self) -> Change:
        """Advance the batch as far as it goes now, and return the change to commit."""
        try:
            await self._resolve()
            return self._end_change(await self._advance())
        except AttemptEnded as ended:
            if ended.state is TaskState.WAITING:
                return self._end_change(ended)
            return self._end_change(await self._fail_all(ended))

    async def _resolve(self) -> None:
        """Take up what earlier attempts have done; AttemptEnded while that is not known."""
        doubts = await reconcile(self._task, self._journal, self._shared)
        self._journal.apply_ends(doubts.ends)
        self._records = doubts.records
        ends = {(end.attempt, end.number): end for end in doubts.ends}
        for call in self._task.calls:
            end = ends.get((call.attempt, call.number))
            if (end or call).state == State.DONE:
                self._done[call.operation] = members((end or call).outcome).get("body")
        if doubts.settled is not None:
            held = doubts.settled
            raise AttemptEnded(held.state, held.reason, due=held.due, uncounted=held.uncounted)

    async def _advance(self) -> AttemptEnded:
        batch_id = self._id("batches create") or await self._create(self._id("files create") or await self._upload())
        batch = await self._poll(batch_id)
        failpoints.reach("batch.asked")
        if batch.get("status") in UNDER_WAY:
            await self._move_up(batch_id, batch)
            seconds = min(max((self._shared.wall() - self._task.created) / 4, MIN_POLL), MAX_POLL)
            counts = members(batch.get("request_counts"))
            done = f", {counts.get('completed', 0)} of {counts.get('total', 0)} done" if counts.get("total") else ""
            reason = f"{batch_id} is {batch['status']}{done}"
            return AttemptEnded(TaskState.WAITING, reason, due=self._shared.wall() + seconds)
        if batch.get("status") == "cancelled" and self._id(CANCEL):
            self._settlement.moved_up = self._describe_move()
        await self._settle(batch)
        left = await self._tidy(batch)
        failpoints.reach("batch.tidied")
        return AttemptEnded(TaskState.FINISHED, f"{batch_id} {batch.get('status')}{left}")

    async def _move_up(self, batch_id: str, batch: Mapping[str, JSON]) -> None:
        """Cancel a batch whose answers would come too late; what it has answered is taken when that is settled."""
        needed = members(self._task.document).get(NEEDED)
        if self._plan is None or not isinstance(needed, int | float) or batch["status"] in ENDING:
            return
        await self._plan.refresh()
        if not self._plan.must_move_up(float(needed), self._shared.wall()):
            return
        failpoints.reach("batch.cancel.before")
        outcome = await self._journal.perform(make_cancellation(self._client, self._target, batch_id))
        await self._journal.flush()
        failpoints.reach("batch.cancel.asked")
        if outcome.ok:
            self._shared.observer.metrics.moved_up.add((self._route.spec.route,))
        left = max(float(needed) - self._shared.wall(), 0.0)
        log.info("batch %d moves up, as its answers are needed in %.0f s: %s", self._task.id, left, outcome.sentence())

    async def _upload(self) -> str:
        """Upload the file of the batch and return its id."""
        with TemporaryDirectory(prefix="openai-connector-") as folder:
            path = Path(folder) / "lines.jsonl"
            if not await write_lines(self._shared.store, self._task.id, path):
                raise AttemptEnded(TaskState.FINISHED, "none of its tasks waits any more")
            failpoints.reach("batch.lines.written")
            intent = make_upload(self._client, self._target, path, f"batch-{self._task.id}.jsonl")
            return await self._perform(intent, "batch.uploaded")

    async def _create(self, file_id: str) -> str:
        """Create the batch and return its id."""
        window = self._route.spec.outgoing.batch.window
        payload = {"input_file_id": file_id, "endpoint": self._endpoint, "completion_window": window}
        return await self._perform(make_creation(self._client, self._target, payload), "batch.created")

    async def _perform(self, intent: CallIntent, point: str) -> str:
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

    async def _poll(self, batch_id: str) -> Mapping[str, JSON]:
        """Return the batch as it is now."""
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
        """Settle every task by its lines, and those that no file mentions by the end of the batch."""
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
                    await self._settlement.settle_file(path)
                elif outcome.status == 404:
                    lost = True
                else:
                    raise self._later(f"{file_id} cannot be read: {outcome.sentence()}")
        failpoints.reach("batch.parts.taken")
        await self._settlement.settle_rest(self._left(batch, lost=lost), faults=_faults(batch))

    def _left(self, batch: Mapping[str, JSON], *, lost: bool) -> Outcome:
        """Return the outcome of lines that no file mentions."""
        status, counts = batch.get("status"), members(batch.get("request_counts"))
        errors = [str(members(one).get("message")) for one in items(members(batch.get("errors")).get("data"))]
        summary = f"{batch.get('id')} is {status}{': ' if errors else ''}{'; '.join(errors[:3])}"
        if lost or counts.get("completed", 0) > self._settlement.answered:
            return Outcome(State.UNKNOWN, reason=f"{summary}; it was paid for, and its answer is not there any more")
        return Outcome(State.NOT_SENT, reason=f"{summary}; this request was not run")

    def _describe_move(self) -> str:
        """Return when and why the batch was cancelled, in words."""
        cancelled = next((call for call in self._task.calls if call.operation == CANCEL), None)
        at = cancelled.started if cancelled is not None else self._shared.wall()
        needed = members(self._task.document).get(NEEDED)
        left = max(float(needed) - at, 0.0) if isinstance(needed, int | float) else 0.0
        return describe_move(at, left)

    async def _fail_all(self, ended: AttemptEnded) -> AttemptEnded:
        """Settle all tasks of a batch that could not be made, or whose end is unknown."""
        seen = ended.seen.outcome if ended.seen is not None else None
        state = State.UNKNOWN if ended.state is TaskState.UNKNOWN else State.REFUSED
        outcome = replace(seen or Outcome(state), state=state, action="fail", reason=ended.reason, attempts=())
        await self._settlement.settle_rest(outcome)
        if ended.state is not TaskState.UNKNOWN:
            await self._tidy({})
        return ended

    async def _tidy(self, batch: Mapping[str, JSON]) -> str:
        """Remove the files of the batch, and return in words what could not be removed."""
        files = [self._id("files create")]
        if self._route.spec.outgoing.batch.delete_output:
            files += [str(batch.get(name) or "") for name in ("output_file_id", "error_file_id")]
        left: list[str] = []
        for file_id in (one for one in files if one):
            outcome = await self._journal.perform(make_deletion(self._client, self._target, file_id))
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
        return AttemptEnded(TaskState.WAITING, reason, due=self._shared.wall() + RETRY_DELAY)

    def _end_change(self, end: AttemptEnded) -> Change:
        change = self._journal.close(finished=end.state is TaskState.FINISHED)
        reason = self._shared.redact.text(end.reason)
        settled = Settlement(task=self._task.id, state=end.state, reason=reason, due=end.due, uncounted=end.uncounted)
        merge_change(change, Change(settle=[settled], records=self._records))
        return change


def _faults(batch: Mapping[str, JSON]) -> dict[int, str]:
    """Return what the API says of single lines of a batch that it did not begin."""
    if batch.get("status") != "failed":
        return {}
    found = [members(one) for one in items(members(batch.get("errors")).get("data"))]
    return {one[ABOUT_LINES]: str(one.get("message")) for one in found if isinstance(one.get(ABOUT_LINES), int)}


def make_upload(client: Client, target: str, path: Path, name: str) -> CallIntent:
    """Return the call that uploads a file, which is read from disk while it is sent."""

    def prepare(request: Mapping[str, JSON]) -> Wire:
        payload = request["payload"]
        filename = payload["file"].get("filename", name)
        placeholder = {**payload, "file": {"$content": "", "filename": filename, "content_type": "application/jsonl"}}
        wire = client.prepare("files create", {"payload": placeholder})
        status = path.stat()
        source = LocalFile(str(path), status.st_size, identify_file(status))
        body = wire.body
        if not isinstance(body, MultipartBody):
            raise TypeError("an upload is a form")
        parts = [
            part._replace(value=replace(part.value, source=source)) if isinstance(part.value, FileInput) else part
            for part in body.parts
        ]
        return replace(wire, body=MultipartBody(parts, body.boundary))

    request: dict[str, JSON] = {"payload": {"purpose": "batch", "file": {"$file": name}}}
    return client_intent(target, ClientCall(client=client, wire=prepare(request), request=request, prepare=prepare))


def make_creation(client: Client, target: str, payload: JSON) -> CallIntent:
    """Return the call that creates a batch."""
    return _intent(client, target, "batches create", {"payload": payload})


def make_cancellation(client: Client, target: str, batch: str) -> CallIntent:
    """Return the call that cancels a batch."""
    return _intent(client, target, "batches cancel", {"path": {"batch_id": batch}})


def make_deletion(client: Client, target: str, file: str) -> CallIntent:
    """Return the call that removes a file."""
    return _intent(client, target, "files delete", {"path": {"file_id": file}})


def _intent(client: Client, target: str, operation: str, request: Mapping[str, JSON]) -> CallIntent:
    def prepare(request: Mapping[str, JSON]) -> Wire:
        return client.prepare(operation, request)

    return client_intent(target, ClientCall(client=client, wire=prepare(request), request=request, prepare=prepare))
