"""The orchestration cluster as a worker sees it: jobs are activated, kept, and reported on, by the REST API v2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connector.errors import ConnectorError
from connector.hosts.camunda.templates import KEY, REQUEST
from connector.model import JSON, Outcome, State, items, members

if TYPE_CHECKING:
    from connector.config.models import Camunda
    from connector.http import Client

__all__ = ["Broker", "BrokerAway", "Job", "JobGone"]

BEYOND_POLL = 15.0
"""Seconds that the answer to a request for jobs may be late."""
PATIENCE = 30.0
GONE = (404, 409)
"""The job is no longer there, or no longer ours: it was done, canceled, or is activated anew."""


class BrokerAway(ConnectorError):
    """The cluster cannot be reached, or refuses what it is asked; it may be asked again."""


class JobGone(ConnectorError):
    """The cluster knows a job no longer, or gave it to another worker."""


@dataclass(frozen=True, slots=True)
class Job:
    """One activated job.

    Attributes:
        key: the cluster's own name of the job, the same for each of its activations.
        retries: activations that are left, with this one.
    """

    key: str
    retries: int
    headers: Mapping[str, str]
    variables: Mapping[str, JSON]
    process: str = ""
    element: str = ""
    instance: str = ""

    @classmethod
    def of(cls, given: Mapping[str, JSON]) -> Job:
        """Return the job that an activation tells of; a member that is missing is empty."""
        return cls(
            key=str(given.get("jobKey", "")),
            retries=given["retries"] if isinstance(given.get("retries"), int) else 1,
            headers={
                name: value for name, value in members(given.get("customHeaders")).items() if isinstance(value, str)
            },
            variables=members(given.get("variables")),
            process=str(given.get("processDefinitionId", "")),
            element=str(given.get("elementId", "")),
            instance=str(given.get("processInstanceKey", "")),
        )

    @property
    def shown(self) -> str:
        return f"job {self.key} ({self.process}, {self.element}, instance {self.instance})"


@dataclass(frozen=True, slots=True)
class Broker:
    """Speaks with the cluster.

    Args:
        client: of the prototype `camunda`.
        settings: whose jobs are asked for, and for how long they are kept.
    """

    client: Client
    settings: Camunda
    _last: dict[str, str] = field(default_factory=dict[str, str])

    async def activate(self, most: int) -> list[Job]:
        """Return jobs, as soon as there is one or when the time to wait for one is over."""
        body: dict[str, JSON] = {
            "type": self.settings.job_type,
            "worker": self.settings.worker,
            "timeout": _milliseconds(self.settings.job_timeout),
            "maxJobsToActivate": most,
            "fetchVariable": [REQUEST, KEY],
            "requestTimeout": _milliseconds(self.settings.poll),
        }
        body |= {"tenantIds": list(self.settings.tenants)} if self.settings.tenants else {}
        outcome = await self._send("POST", "/v2/jobs/activation", body, "json", self.settings.poll + BEYOND_POLL)
        if not isinstance(outcome.body, dict) or not isinstance(outcome.body.get("jobs"), list):
            raise BrokerAway(f"{self.client.base_uri} answered the request for jobs with something else")
        return [Job.of(members(one)) for one in items(outcome.body["jobs"])]

    async def extend(self, job: Job) -> None:
        """Keep a job for another while."""
        timeout = _milliseconds(self.settings.job_timeout)
        await self._send("PATCH", f"/v2/jobs/{job.key}", {"changeset": {"timeout": timeout}}, "empty")

    async def complete(self, job: Job, variables: Mapping[str, JSON]) -> None:
        """End a job as done."""
        await self._send("POST", f"/v2/jobs/{job.key}/completion", {"variables": dict(variables)}, "empty")

    async def fail(
        self, job: Job, message: str, *, retries: int, wait: float = 0.0, variables: Mapping[str, JSON]
    ) -> None:
        """Give a job back: to be activated again, or with 0 retries as an incident."""
        body: dict[str, JSON] = {"retries": retries, "errorMessage": message, "retryBackOff": _milliseconds(wait)}
        await self._send("POST", f"/v2/jobs/{job.key}/failure", {**body, "variables": dict(variables)}, "empty")

    async def throw(self, job: Job, code: str, message: str, variables: Mapping[str, JSON]) -> None:
        """End a job with a BPMN error, for the process to catch."""
        body: dict[str, JSON] = {"errorCode": code, "errorMessage": message, "variables": dict(variables)}
        await self._send("POST", f"/v2/jobs/{job.key}/error", body, "empty")

    async def _send(self, method: str, path: str, body: JSON, answer: str, patience: float = PATIENCE) -> Outcome:
        self.client.resume()  # a refusal of the credentials is reported, and tried again with the worker's own back-off
        wire = self.client.prepare_raw(method, path, json=body, answer=answer)
        outcome = await self.client.send(wire, timeout=patience, retries=0)
        if outcome.ok:
            return outcome
        said = self.client.redactor(_say(outcome))
        if outcome.status in GONE and path != "/v2/jobs/activation":
            raise JobGone(said)
        if outcome.status is not None and 400 <= outcome.status < 500 and outcome.status not in (401, 403, 408, 429):
            raise _Refused(said)
        raise BrokerAway(f"{self.client.base_uri}: {said}")


class _Refused(BrokerAway):
    """What is asked is wrong, such as variables that the cluster cannot take; it is reported like any other trouble."""


def _say(outcome: Outcome) -> str:
    """Return what the cluster says of a refusal, else what became of the request."""
    body = members(outcome.body)
    told: Sequence[str] = [str(body[name]) for name in ("title", "detail") if body.get(name)]
    if told and outcome.state is State.REFUSED:
        return f"{outcome.status}, {': '.join(told)}"[:500]
    return outcome.sentence()[:500]


def _milliseconds(seconds: float) -> int:
    return max(int(seconds * 1000), 0)
