"""Background responses: made once, their id kept, and asked after until they are done, by whichever process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connector.engine import CallEnd, CallRecord, Task, failpoints
from connector.model import JSON, Outcome, State, members
from connector.publishers import ClientCall
from connector.publishers.intent import client_intent, perform_now
from connector.request import Wire
from connector.resilience import Backoff
from connector.routes.delivering.calling import Journal
from connector.routes.delivering.desk import Desk
from connector.routes.delivering.evidence import envelope_of

__all__ = ["Background", "has_begun", "is_begun"]

UNDER_WAY = ("queued", "in_progress")
IN_VAIN = ("failed", "cancelled")
BACKOFF = Backoff(1.0, 30.0)
"""The delays between two questions after a response."""


def is_begun(task: Task, request: JSON) -> bool:
    """Whether an earlier attempt has made a background response for a request that does not ask for one itself."""
    return "background" not in members(members(request).get("payload")) and has_begun(task)


def has_begun(task: Task) -> bool:
    """Whether an earlier attempt has made a background response."""
    return any(_is_background(call) for call in task.calls)


def _is_background(call: CallRecord) -> bool:
    made = members(members(call.outcome).get("body"))
    asked = members(members(call.request).get("body"))
    return call.state == State.DONE and made.get("object") == "response" and asked.get("background") is True


class Background:
    """The background responses of one attempt.

    Args:
        target: the client's name.
    """

    def __init__(self, desk: Desk, journal: Journal, task: Task, target: str) -> None:
        self._desk = desk
        self._journal = journal
        self._task = task
        self._target = target

    async def answer(self, made: Outcome) -> Outcome:
        """What a response that was made, now or in an earlier attempt, comes to."""
        response = members(made.body).get("id")
        if not isinstance(response, str) or members(made.body).get("status") not in UNDER_WAY:
            return made
        await self._journal.keep()  # from now on it is known by its id
        failpoints.reach("background.kept")
        outcome = await self._awaited(response)
        status = members(outcome.body).get("status")
        if outcome.ok and status in IN_VAIN:
            error = members(members(outcome.body).get("error"))
            reason = f"{response} is {status}: {error.get('message') or 'the API says no more'}"
            outcome = replace(outcome, state=State.REFUSED, reason=reason, action="fail")
            await self._take_back(response, outcome)
        return outcome

    async def _awaited(self, response: str) -> Outcome:
        client = self._desk.runtime.client(self._target)

        def prepare(request: Mapping[str, JSON]) -> Wire:
            return client.prepare("responses retrieve", request)

        request: JSON = {"path": {"response_id": response}}
        sent = ClientCall(client=client, wire=prepare(request), request=request, prepare=prepare)
        intent, looks = client_intent(self._target, sent), 0
        while True:
            outcome = await perform_now(intent)
            if outcome.status == 404:
                reason = f"{response} is not there any more, and it may have been paid for"
                return replace(outcome, state=State.UNKNOWN, reason=reason)
            if outcome.ok and members(outcome.body).get("status") not in UNDER_WAY:
                failpoints.reach("background.done")
                return await self._journal.perform(intent)
            await self._desk.timing.sleep(BACKOFF.delay(looks))
            looks += 1

    async def _take_back(self, response: str, outcome: Outcome) -> None:
        """The call that made it is not done after all: whoever tries the task again asks for another one."""
        known = await self._desk.store.task(self._task.id)
        for call in known.calls if known is not None else ():
            if members(members(call.outcome).get("body")).get("id") == response and call.state == State.DONE:
                end = CallEnd(
                    task=call.task,
                    attempt=call.attempt,
                    number=call.number,
                    ended=self._desk.wall(),
                    state=outcome.state,
                    outcome=envelope_of(outcome, self._desk.hide)[0],
                )
                self._journal.settle([end])
