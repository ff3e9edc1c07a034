"""Routes and schedules: which documents go from one connection to another, and when."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, model_validator

from connector.config.models.measures import Budget, Duration, check_every, check_timezone
from connector.config.models.section import Entry, Names, Section, WithChain, one_or_more
from connector.model import JSON

__all__ = ["Job", "Route", "Schedule"]


def _as_template(value: JSON) -> JSON:
    """Turn a bare expression into a template with it as the only placeholder."""
    if not isinstance(value, str) or not value or any(opening in value for opening in OPENINGS):
        return value
    return f"&{{{value}}}"


OPENINGS = ("&{", "?{", "@{", "${")
TemplateText = Annotated[str, BeforeValidator(_as_template), Field(min_length=1)]


class Route(WithChain, Entry):
    """From an incoming to an outgoing connection."""

    incoming: str = Field(description="Where the documents come from.")
    outgoing: str = Field(description="Where they go.")
    concurrency: int | None = Field(
        default=None, ge=1, le=10_000, description="Documents under way at a time; else the outgoing's."
    )
    on_unknown: Literal["hold", "retry"] | None = Field(default=None, description="In place of the outgoing's.")
    raw_key: TemplateText | None = Field(
        default=None,
        validation_alias=AliasChoices("key"),
        description="What a document is known by, as `id` or `&{shop}-&{id}`; one that was seen is not taken again,"
        " changed or not, unless it has another `version`.",
    )
    raw_version: TemplateText | None = Field(
        default=None,
        validation_alias=AliasChoices("version"),
        description="What differs when a document has changed, as `updated_at`: then it is taken again.",
    )
    raw_order: TemplateText | None = Field(
        default=None,
        validation_alias=AliasChoices("order"),
        description="Documents for which this gives the same are delivered one after the other.",
    )
    attempts: int = Field(default=5, ge=1, le=1000, description="How often a document is tried before it has failed.")
    retry_delay: Duration = Field(default=10.0, description="How long the second attempt waits; each later one longer.")
    max_delay: Duration = Field(default=900.0, description="The longest wait between two attempts.")
    deadline: Duration | None = Field(default=None, description="How long one attempt may take.")
    budget: Budget | None = Field(default=None, description="What may be used in a period, before the route pauses.")
    deletions: Literal["ignore", "tombstone"] = Field(
        default="ignore",
        description="Whether a document that is no longer read becomes one that says {key, deleted: true}.",
    )
    priority: int = Field(default=0, ge=-100, le=100, description="Routes with a higher one go first.")
    max_tasks: int = Field(
        default=1_000_000, ge=1, description="Tasks under way or waiting at a time; beyond that nothing is read."
    )
    disabled: bool = Field(default=False, description="Whether it is only kept.")

    @property
    def key(self) -> str | None:
        """The template of a document's key."""
        return cast("str | None", self.resolve(self.raw_key, "key"))

    @property
    def version(self) -> str | None:
        """The template of a document's version."""
        return cast("str | None", self.resolve(self.raw_version, "version"))

    @property
    def order(self) -> str | None:
        """The template of the key within which order matters."""
        return cast("str | None", self.resolve(self.raw_order, "order"))


class Job(Section):
    """One thing that a schedule starts."""

    name: str | None = Field(default=None, description="A route or an incoming connection, whichever has this name.")
    incoming: str | None = Field(default=None, description="An incoming connection.")
    route: str | None = Field(default=None, description="A route.")

    @model_validator(mode="after")
    def _one(self) -> Job:
        if [self.name, self.incoming, self.route].count(None) != 2:
            raise ValueError("found more or less than one name; one of name, incoming and route is needed")
        return self


def _job(value: JSON) -> JSON:
    return {"name": value} if isinstance(value, str) else value


class Schedule(Entry):
    """When something starts by itself."""

    every: Annotated[str, AfterValidator(check_every)] | None = Field(
        default=None,
        description="Five cron fields (minute, hour, day, month, weekday), or an interval such as 30s, 15m, 6h, 1d.",
    )
    on_start: bool = Field(default=False, description="Whether it also runs when the service starts.")
    after: Names = Field(default=(), description="Routes, by name, each of which starts it when its run has ended.")
    run: Annotated[tuple[Annotated[Job, BeforeValidator(_job)], ...], BeforeValidator(one_or_more)] = Field(
        min_length=1,
        description="Routes and incoming connections, by name; {route: NAME} or {incoming: NAME} where both have it.",
    )
    timezone: Annotated[str, AfterValidator(check_timezone)] = Field(
        default="UTC", description="The time zone of the cron fields, such as Europe/Amsterdam."
    )
    disabled: bool = Field(default=False, description="Whether it is only kept.")

    @model_validator(mode="after")
    def _some_time(self) -> Schedule:
        if self.every is None and not self.on_start and not self.after:
            raise ValueError("found no time; one or more of every, on_start and after are needed")
        return self
