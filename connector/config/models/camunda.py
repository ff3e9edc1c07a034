"""The job worker of Camunda: which jobs it takes from which broker, and how it remembers their calls."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from connector.config.models.measures import Duration
from connector.config.models.section import Names, Section

__all__ = ["Camunda"]


class Camunda(Section):
    """What `openai-connector worker camunda` does for the processes of Camunda 8."""

    broker: str | None = Field(
        default=None,
        description="The client that reaches the orchestration cluster; the only one of the prototype `camunda` by"
        " default.",
    )
    operations: Names = Field(
        default=(),
        description="The operations that jobs may name, such as `chat completions create`, `models *` or `* list`.",
    )
    outgoing: Names | None = Field(
        default=None, description="The outgoing connections that jobs may name; all by default, none for []."
    )
    client: str | None = Field(
        default=None, description="The client that operations are called with; the only or first other by default."
    )
    job_type: str = Field(
        default="openai-connector:1",
        min_length=1,
        description="The type of the jobs; another one keeps the jobs of two configurations apart.",
    )
    worker: str = Field(
        default="openai-connector", min_length=1, description="The name by which the cluster knows this worker."
    )
    tenants: Names = Field(default=(), description="The tenants whose jobs are taken; the default one unless given.")
    raw_engine: str | None = Field(
        default=None,
        validation_alias=AliasChoices("engine"),
        description="Where calls are noted, so that a job that is activated again is not paid for twice:"
        " sqlite:///FILE for one worker, postgresql://… for any number; sqlite:///camunda.db unless given.",
        repr=False,
    )
    concurrency: int = Field(default=16, ge=1, le=10_000, description="The number of jobs that are worked on at once.")
    job_timeout: Duration = Field(
        default=60.0,
        description="For how long the cluster leaves a job to a worker that says nothing; it is extended while a call"
        " is under way.",
    )
    poll: Duration = Field(default=30.0, description="For how long a request for jobs waits for one.")
    wait: Duration = Field(
        default=600.0, description="How long one activation of a job waits for its call before the job is handed back."
    )
    attempts: int = Field(
        default=3, ge=1, le=1000, description="The number of attempts before a call fails that may be repeated."
    )
