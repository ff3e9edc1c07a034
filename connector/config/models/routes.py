"""Routes and schedules: which documents go from one connection to another, and when."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, model_validator

from connector.config.models.measures import (
    Budget,
    Duration,
    MoneyAmount,
    check_every,
    check_time_of_day,
    check_timezone,
    parse_time_of_day,
)
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
    """A route from an incoming to an outgoing connection."""

    incoming: str = Field(description="The incoming connection.")
    outgoing: str = Field(description="The outgoing connection.")
    concurrency: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="The largest number of documents in progress at a time; by default the outgoing connection's.",
    )
    on_unknown: Literal["hold", "retry"] | None = Field(
        default=None, description="Overrides on_unknown of the outgoing connection."
    )
    raw_key: TemplateText | None = Field(
        default=None,
        validation_alias=AliasChoices("key"),
        description="What identifies a document, such as `id` or `&{shop}-&{id}`; one with a known key is skipped,"
        " changed or not, unless its `version` differs.",
    )
    raw_version: TemplateText | None = Field(
        default=None,
        validation_alias=AliasChoices("version"),
        description="What differs when a document has changed, such as `updated_at`; then it is delivered again.",
    )
    raw_order: TemplateText | None = Field(
        default=None,
        validation_alias=AliasChoices("order"),
        description="Documents with the same value are delivered one after the other.",
    )
    attempts: int = Field(default=5, ge=1, le=1000, description="The number of attempts before a document fails.")
    retry_delay: Duration = Field(
        default=10.0, description="The wait before the second attempt; it grows with each attempt."
    )
    max_delay: Duration = Field(default=900.0, description="The longest wait between two attempts.")
    deadline: Duration | None = Field(default=None, description="The time limit of one attempt.")
    needed_by: Annotated[str, AfterValidator(check_time_of_day)] | None = Field(
        default=None,
        description="The time of day by which answers are needed, such as `08:00` or `08:00 Europe/Berlin`; each task"
        " takes the cheapest transport that is there in time. For `transport: batch`.",
    )
    time_zone: Annotated[str, AfterValidator(check_timezone)] = Field(
        default="UTC", description="The time zone of needed_by, where that names none."
    )
    within: Duration | None = Field(
        default=None, description="How soon after a task came its answer is needed, in place of needed_by."
    )
    spare: Duration = Field(
        default=5_400.0,
        description="How long the API may be away before an answer is needed without making it late, for needed_by and"
        " within; batches are cancelled so much earlier.",
    )
    transports: tuple[Literal["flex", "priority", "window-2h", "window-8h"], ...] = Field(
        default=(),
        description="How a task may go beside batches and standard calls, for needed_by and within, where its model has"
        " it: by the flex or the priority tier, or as a background response with a window.",
    )
    budget: Budget | None = Field(default=None, description="What may be used in a period before the route pauses.")
    ask_above: MoneyAmount | None = Field(
        default=None,
        description="`run` asks before it begins when the route may cost more than this, such as 5 USD; without a"
        " terminal it stops.",
    )
    deletions: Literal["ignore", "tombstone"] = Field(
        default="ignore",
        description="Whether a document that disappears is delivered as {key, deleted: true}.",
    )
    priority: int = Field(default=0, ge=-100, le=100, description="Routes with a higher priority are delivered first.")
    max_tasks: int = Field(
        default=1_000_000, ge=1, description="The largest number of unfinished tasks; at that number reading stops."
    )
    disabled: bool = Field(default=False, description="Whether it is ignored: kept in the file, and not used.")

    @model_validator(mode="after")
    def _one_deadline(self) -> Route:
        if self.needed_by is not None and self.within is not None:
            raise ValueError("found needed_by and within; one of them is allowed")
        if self.needed_by is not None and parse_time_of_day(self.needed_by)[1] and "time_zone" in self.model_fields_set:
            raise ValueError("found a time zone in needed_by and in time_zone; one of them is allowed")
        return self

    @property
    def has_deadline(self) -> bool:
        """Whether answers are needed by a time."""
        return self.needed_by is not None or self.within is not None

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
    """One route or incoming connection that a schedule starts."""

    name: str | None = Field(default=None, description="A route or an incoming connection with this name.")
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
    """A schedule: what starts by itself, and when."""

    every: Annotated[str, AfterValidator(check_every)] | None = Field(
        default=None,
        description="Five cron fields (minute, hour, day, month, weekday), or an interval such as 30s, 15m, 6h, 1d.",
    )
    on_start: bool = Field(default=False, description="Whether it also runs when the service starts.")
    after: Names = Field(default=(), description="Routes, by name, whose end starts it.")
    run: Annotated[tuple[Annotated[Job, BeforeValidator(_job)], ...], BeforeValidator(one_or_more)] = Field(
        min_length=1,
        description="Routes and incoming connections, by name; {route: NAME} or {incoming: NAME} if both have it.",
    )
    timezone: Annotated[str, AfterValidator(check_timezone)] = Field(
        default="UTC", description="The time zone of the cron fields, such as Europe/Amsterdam."
    )
    disabled: bool = Field(default=False, description="Whether it is ignored: kept in the file, and not used.")

    @model_validator(mode="after")
    def _some_time(self) -> Schedule:
        if self.every is None and not self.on_start and not self.after:
            raise ValueError("found no time; one or more of every, on_start and after are needed")
        return self
