"""The worker: jobs are activated, their calls made or remembered, and their ends reported until the cluster knows."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connector.aio.tasks import cancel_all
from connector.calls.host_calls import CANCELLED, CallAnswer, CallConflict, HostCall, HostCalls
from connector.engine import StoreError, TaskState
from connector.errors import ConnectorError
from connector.hosts.camunda.broker import Broker, BrokerAway, Job, JobGone
from connector.hosts.camunda.feel import FeelFault
from connector.hosts.camunda.verdict import Expressions, Verdict, incident, judge
from connector.resilience import Backoff

if TYPE_CHECKING:
    from connector.delivery.attempt import RouteContext
    from connector.hosts.camunda.requests import Requests
    from connector.model import JSON
    from connector.timing import Timing

__all__ = ["Worker"]

BACKOFF = Backoff(first=0.5, longest=30.0)
SETTLED = (TaskState.FAILED, TaskState.SKIPPED)
"""States in which nothing took effect: a job whose variables were corrected since then makes a call of its own."""


@dataclass(slots=True)
class Worker:
    """Works on the jobs of one type.

    Args:
        broker: the cluster.
        calls: makes calls, each once for each job.
        requests: finds what jobs ask for.
        owner: the name of the cluster, which keeps its jobs apart from those of others.
        say: told what a person should know.
    """

    broker: Broker
    calls: HostCalls
    requests: Requests
    owner: str
    say: Callable[[str], None]
    ends: Counter[str] = field(default_factory=Counter[str])
    """How many jobs ended in each way."""
    _active: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _freed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def timing(self) -> Timing:
        return self.calls.shared.timing

    def stop(self) -> None:
        """Take no more jobs; those that are under way go on."""
        self._stopping.set()

    async def run(self, grace: float) -> bool:
        """Work until it is stopped; return whether all jobs came to their end within the grace.

        Args:
            grace: seconds that jobs under way may go on then.
        """
        polling = asyncio.create_task(self._poll())
        stopping = asyncio.create_task(self._stopping.wait())
        done, _ = await asyncio.wait((polling, stopping), return_when=asyncio.FIRST_COMPLETED)
        await cancel_all(stopping)
        if polling in done:
            polling.result()
        await cancel_all(polling)
        if not self._active:
            return True
        self.say(f"stopping: {len(self._active)} jobs are under way")
        _, left = await asyncio.wait(self._active, timeout=grace)
        await cancel_all(*left)
        if left:
            self.say(f"{len(left)} jobs were broken off; the cluster activates them again, and none is paid for twice")
        return not left

    async def _poll(self) -> None:
        """Ask for jobs whenever there is room for them; a cluster that is away is waited for."""
        failures = 0
        while not self._stopping.is_set():
            room = self.broker.settings.concurrency - len(self._active)
            if room <= 0:
                self._freed.clear()
                await self._freed.wait()
                continue
            try:
                jobs = await self.broker.activate(room)
            except ConnectorError as error:
                wait = BACKOFF.delay(failures, self.timing.chance())
                if failures == 0:
                    self.say(f"no jobs can be taken: {error}; it is tried again until they can")
                failures += 1
                await self.timing.sleep(wait)
                continue
            if failures:
                self.say("the cluster is back")
                failures = 0
            for job in jobs:
                task = asyncio.create_task(self._work(job))
                self._active.add(task)
                task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._active.discard(task)
        self._freed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self.say(f"a job broke off, and is activated again: {type(error).__name__}: {self._hide(str(error))}")

    async def _work(self, job: Job) -> None:
        """Do one job, and report what came of it."""
        keeping = asyncio.create_task(self._keep(job))
        try:
            verdict = await self._decide(job)
            await self._report(job, verdict)
        finally:
            await cancel_all(keeping)

    async def _decide(self, job: Job) -> Verdict:
        """Return what becomes of a job; what cannot be understood ends it before anything is sent."""
        try:
            expressions = Expressions.of(job.headers)
            route, document = self.requests.read(job)
            answer = await self._call(job, route, document)
        except StoreError as error:
            # Nothing can be noted now, so nothing is sent.
            message = f"the engine of the worker cannot be written: {self._hide(str(error))}; nothing was sent"
            return Verdict(kind="fail", message=message, retries=max(job.retries, 1), wait=10.0)
        except (FeelFault, ConnectorError) as error:
            return incident(f"nothing was sent: {self._hide(str(error))}", state="REFUSED")
        return judge(job, expressions, answer)

    async def _call(self, job: Job, route: RouteContext, document: JSON) -> CallAnswer:
        """Return what the call of a job comes to, now or when the job was activated before."""
        for number in itertools.count(1):
            key = job.key if number == 1 else f"{job.key}.{number}"
            asked = HostCall(document=document, key=key, owner=self.owner, guard=self.requests.fill)
            try:
                answer = await self.calls.call(route, asked, lambda _: None)
            except CallConflict:
                if await self.calls.find_state(route.spec.name, self.owner, key) not in SETTLED:
                    raise
                continue  # a person corrected the variables of a call that took no effect
            if answer.is_repeat and answer.state is TaskState.SKIPPED and answer.reason.startswith(CANCELLED):
                continue
            return answer
        raise AssertionError("itertools.count ends")  # pragma: no cover

    async def _keep(self, job: Job) -> None:
        """Keep a job for as long as its call is under way."""
        while True:
            await self.timing.sleep(self.broker.settings.job_timeout / 3)
            with suppress(BrokerAway):
                try:
                    await self.broker.extend(job)
                except JobGone:
                    return

    async def _report(self, job: Job, verdict: Verdict) -> None:
        """Report what becomes of a job, until the cluster has answered or has given the job away."""
        for failures in itertools.count():
            try:
                await self._make_report(job, verdict)()
            except JobGone as error:
                if not failures:
                    self.say(f"{job.shown} is no longer ours: {error}; its answer is kept for its next activation")
                return
            except BrokerAway as error:
                if not failures:
                    self.say(f"{job.shown}: {error}; it is reported again until the cluster answers")
                await self.timing.sleep(BACKOFF.delay(failures, self.timing.chance()))
                continue
            is_incident = verdict.kind == "fail" and not verdict.retries
            self.ends["incident" if is_incident else verdict.kind] += 1
            if is_incident:
                self.say(f"{job.shown}: incident: {verdict.message[:500]}")
            return

    def _make_report(self, job: Job, verdict: Verdict) -> Callable[[], Awaitable[None]]:
        message, variables = self._hide(verdict.message), self.calls.shared.redact(dict(verdict.variables))
        if verdict.kind == "complete":
            return lambda: self.broker.complete(job, variables)
        if verdict.kind == "throw":
            return lambda: self.broker.throw(job, verdict.code, message, variables)
        return lambda: self.broker.fail(job, message, retries=verdict.retries, wait=verdict.wait, variables=variables)

    def _hide(self, text: str) -> str:
        return self.calls.shared.redact.text(text)
