"""The worker of Temporal: which activities it offers on which server, and how it remembers their calls."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from connector.config.models.measures import Duration
from connector.config.models.section import Names, Section

__all__ = ["Temporal", "TemporalTls"]


class TemporalTls(Section):
    """How the connection to a Temporal server is made private."""

    ca: str | None = Field(
        default=None, description="A PEM file with what the server's certificate is checked against; the system's own"
        " unless given.",
    )  # fmt: skip
    certificate: str | None = Field(default=None, description="A PEM file with the worker's certificate, for mTLS.")
    key: str | None = Field(default=None, description="A PEM file with that certificate's private key.")
    server_name: str | None = Field(default=None, description="The name in the server's certificate, when another.")


class Temporal(Section):
    """What `openai-connector worker temporal` does for the workflows of Temporal."""

    address: str = Field(default="127.0.0.1:7233", min_length=1, description="The host and port of the server.")
    namespace: str = Field(default="default", min_length=1, description="The namespace of the workflows.")
    task_queue: str = Field(
        default="openai-connector", min_length=1, description="The task queue on which activities are offered."
    )
    raw_api_key: str | None = Field(
        default=None,
        validation_alias=AliasChoices("api_key", "apiKey"),
        description="The API key for Temporal Cloud, as ${NAME}; the connection is private then.",
        repr=False,
    )
    tls: TemporalTls | None = Field(default=None, description="How the connection is made private; {} for TLS alone.")
    operations: Names = Field(
        default=(),
        description="The operations that the activity `call` may make, such as `chat completions create`, `models *`"
        " or `* list`.",
    )
    outgoing: Names | None = Field(
        default=None, description="The outgoing connections that are activities; all by default, none for []."
    )
    client: str | None = Field(
        default=None, description="The client that operations are called with; the only or first one by default."
    )
    raw_engine: str | None = Field(
        default=None,
        validation_alias=AliasChoices("engine"),
        description="Where calls are noted, so that an activity that is repeated is not paid for twice:"
        " sqlite:///FILE for one worker, postgresql://… for any number; sqlite:///temporal.db unless given.",
        repr=False,
    )
    concurrency: int = Field(
        default=100, ge=1, le=10_000, description="The number of activities that are worked on at once."
    )
    grace: Duration = Field(
        default=30.0, description="How long activities under way may go on when the worker is stopped."
    )
    answer_bytes: int = Field(
        default=1_000_000,
        ge=1024,
        le=2_000_000,
        description="The largest answer that is given to a workflow, as JSON: a server refuses more than 2 MB.",
    )

    @property
    def api_key(self) -> str | None:
        """The API key with its references replaced as they are now."""
        return None if self.raw_api_key is None else str(self.resolve(self.raw_api_key, "api_key"))
